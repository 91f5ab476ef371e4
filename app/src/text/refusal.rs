//! Errors of sign-in and sign-up.

use crate::browser::keys::NoDeviceKeys;
use domain::password::InvalidPassword;
use wire::{Code, Problem};

pub(crate) const BROKEN: &str = "Something went wrong, and nothing was changed. Try again in a moment. \
                          If it happens again, tell the person who runs this site.";
/// For forms of a signed-in person, which have no field for a name.
#[cfg(any(feature = "ssr", feature = "signed-in"))]
pub(crate) const WRONG_PASSWORD: &str = "That is not your current password. Type it again.";
pub(crate) const ASK: &str = "If this was not you, tell the person who runs this site.";

/// Returns one or two sentences. `until`: the end of the wait, in the reader's time zone.
pub fn sentence(problem: &Problem, until: &str) -> String {
    let incident = problem.incident.as_deref().unwrap_or_default();
    match problem.code {
        Code::WrongCredentials => "Wrong name or password.".to_owned(),
        Code::Banned => closed(problem.retry_after.map(|_| until), incident),
        Code::AccountDelayed => "There were many wrong passwords for this name.".to_owned(),
        Code::Busy => "Many people are signing in right now, so nothing was checked.".to_owned(),
        // Advice for programs does not help a person.
        Code::Unavailable
        | Code::Unknown
        | Code::DeviceMismatch
        | Code::ShortKeyExpired
        | Code::ShortKeyMismatch
        | Code::BadEnvelope => BROKEN.to_owned(),
        // The server's text is exact enough.
        _ => problem.detail.clone().unwrap_or_else(|| problem.title.clone()),
    }
}

/// Explains why the new session will not be bound to this device.
pub fn unbound(missing: NoDeviceKeys) -> String {
    let why = match missing {
        NoDeviceKeys::Https => "the page was opened without https.",
        NoDeviceKeys::Crypto => {
            "this browser does not let the page create keys (WebCrypto). An extension or a setting may have switched \
             that off."
        }
        NoDeviceKeys::Storage => {
            "this browser does not let the page store a key. Allow it to store data for this site, or leave the \
             private window."
        }
    };
    ["This session will not be tied to this device, because ", why].concat()
}

pub fn length(bad: InvalidPassword, min: u32) -> String {
    match bad {
        InvalidPassword::TooShort => ["The password needs at least ", &min.to_string(), " characters."].concat(),
        InvalidPassword::TooLong => "The password can have 1,024 bytes at most.".to_owned(),
    }
}

pub fn closed(until: Option<&str>, incident: &str) -> String {
    let mut said = "Your address is banned".to_owned();
    if let Some(until) = until {
        said.push_str(" until ");
        said.push_str(until);
    }
    said.push_str(" after failed attempts to sign in.");
    if !incident.is_empty() {
        said.push_str(" Incident ");
        said.push_str(incident);
        said.push('.');
    }
    said.push(' ');
    said.push_str(ASK);
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(code: Code) -> Problem {
        Problem {
            status: 400,
            code,
            title: "The name is taken.".to_owned(),
            detail: None,
            retry_after: None,
            incident: None,
            pending: None,
            proofs: Vec::new(),
        }
    }

    #[test]
    fn a_banned_address_sees_how_long_and_whom_to_ask() {
        let banned = Problem { retry_after: Some(720), incident: Some("7F3K-2Q".to_owned()), ..problem(Code::Banned) };
        assert_eq!(
            sentence(&banned, "14:32"),
            "Your address is banned until 14:32 after failed attempts to sign in. Incident 7F3K-2Q. \
             If this was not you, tell the person who runs this site."
        );
    }

    #[test]
    fn a_code_without_words_of_ours_speaks_the_servers() {
        assert_eq!(sentence(&problem(Code::NameTaken), ""), "The name is taken.");
        assert_eq!(sentence(&problem(Code::Unknown), ""), BROKEN);
        let used = Problem { detail: Some("It was used.".to_owned()), ..problem(Code::SignupClosed) };
        assert_eq!(sentence(&used, ""), "It was used.");
    }
}
