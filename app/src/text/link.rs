//! Errors of pages that need a one-time link.

pub(crate) const NO_CODE: &str = "The first account is created with the setup link that the server printed. \
                           Open that link in this browser. \u{201c}postern setup\u{201d} prints it again.";
pub(crate) const NO_INVITATION: &str = "Signing up here needs an invitation. Open the link that you were given, or ask the \
                                 person who runs this site for one.";
pub(crate) const NO_LINK: &str = "This page needs the link that you were given. Open it again, or ask for a new one.";
