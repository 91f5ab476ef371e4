//! The texts of messages: one file for each in `templates`. The first line is the subject, and words in braces are
//! replaced.

/// Maximum number of characters of a value in a text.
const MAX_VALUE_CHARS: usize = 500;

macro_rules! templates {
    ($($name:ident = $file:literal;)+) => {
        /// The text of a message.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Template {
            $($name,)+
        }

        impl Template {
            pub const ALL: &[Self] = &[$(Self::$name),+];

            fn text(self) -> &'static str {
                match self {
                    $(Self::$name => include_str!(concat!("templates/", $file, ".txt")),)+
                }
            }
        }
    };
}

templates! {
    Invitation = "invitation";
    ResetLink = "reset-link";
    ForgottenPassword = "forgotten-password";
    AddressProof = "address-proof";
    Test = "test";
    NewDevice = "new-device";
    FactorAdded = "factor-added";
    FactorRemoved = "factor-removed";
    FactorRemovedByAdministrator = "factor-removed-by-administrator";
    RecoveryCodesMade = "recovery-codes-made";
    RecoveryCodeUsed = "recovery-code-used";
    PasskeyAdded = "passkey-added";
    PasskeyRemoved = "passkey-removed";
    PasskeyChanged = "passkey-changed";
    PasskeyCopied = "passkey-copied";
    PasswordChanged = "password-changed";
    ResetMade = "reset-made";
    WrongCode = "wrong-code";
    SessionEnded = "session-ended";
    AddressChanged = "address-changed";
    Renamed = "renamed";
}

/// A text with its values.
#[derive(Clone, PartialEq, Eq)]
pub struct MailText {
    pub subject: String,
    /// Lines end with `\n`.
    pub body: String,
}

impl std::fmt::Debug for MailText {
    /// Leaves the body out, because it may contain a link that is a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailText").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// Returns the text of a message. Each `{name}` is replaced by its value, once: braces in a value stay as they are.
/// Values are one line each, so that none of them begins a header or a paragraph. An unknown name stays as it is.
pub fn render(template: Template, values: &[(&str, &str)]) -> MailText {
    let text = template.text();
    let (subject, body) = text.split_once('\n').unwrap_or((text, ""));
    let subject = subject.strip_prefix("Subject: ").unwrap_or(subject);
    MailText { subject: filled(subject, values), body: filled(body.trim_start_matches('\n'), values) }
}

fn filled(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len() + 200);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let named = after.split_once('}').and_then(|(name, after)| {
            let (_, value) = values.iter().find(|(known, _)| *known == name)?;
            Some((value, after))
        });
        rest = if let Some((value, after)) = named {
            filled.push_str(&one_line(value));
            after
        } else {
            filled.push('{');
            after
        };
    }
    filled.push_str(rest);
    filled
}

/// Replaces control characters and those that reorder a line, and shortens texts that are too long.
fn one_line(value: &str) -> String {
    let is_unsafe = |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let line: String = value.chars().take(MAX_VALUE_CHARS).map(|c| if is_unsafe(c) { ' ' } else { c }).collect();
    if value.chars().nth(MAX_VALUE_CHARS).is_some() { line + "..." } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Every value that a text may use.
    const KNOWN: [&str; 9] = ["site", "username", "link", "code", "until", "at", "device", "network", "activity"];

    fn names(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
    }

    #[test]
    fn every_file_is_a_template_with_a_subject_and_known_names() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/mail/templates");
        assert_eq!(std::fs::read_dir(folder).expect("the folder").count(), Template::ALL.len());
        for template in Template::ALL {
            let text = template.text();
            let (subject, body) = text.split_once("\n\n").expect("a subject and a body");
            assert!(subject.starts_with("Subject: ") && !subject.contains('\n'), "{template:?}");
            assert!(subject.contains("{site}") && body.ends_with('\n') && text.is_ascii(), "{template:?}");
            let unknown: Vec<_> = names(text).into_iter().filter(|name| !KNOWN.contains(name)).collect();
            assert!(unknown.is_empty(), "{template:?}: {unknown:?}");
            // A subject is shown on locked screens and stored in logs of mail servers.
            assert_eq!(names(subject), BTreeSet::from(["site"]), "{template:?}");
        }
    }

    #[test]
    fn a_value_replaces_its_name_and_nothing_else() {
        let values = [
            ("site", "Ada's {link} house"),
            ("username", "ada\r\nBcc: eve@example.net"),
            ("link", "https://portal.example/reset#code=x"),
            ("until", "noon"),
        ];
        let text = render(Template::ResetLink, &values);
        assert_eq!(text.subject, "Ada's {link} house: set a new password");
        assert!(text.body.contains("your account ada  Bcc: eve@example.net."), "{}", text.body);
        assert_eq!(text.body.matches("https://portal.example/reset#code=x").count(), 1, "{}", text.body);
        assert!(!format!("{text:?}").contains("code=x"));
    }

    #[test]
    fn values_are_one_line_of_limited_length() {
        let long = "x".repeat(10_000);
        let text = render(Template::Test, &[("site", &long)]);
        assert!(text.subject.len() < 600 && text.subject.contains("xxx..."));
        let text = render(Template::Test, &[("site", "a\u{202e}b\u{2028}c\0d\u{2066}e")]);
        assert_eq!(text.subject, "a b c d e: test message");
        assert_eq!(filled("{a} { {b} {", &[("a", "1")]), "1 { {b} {");
    }
}
