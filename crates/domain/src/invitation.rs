//! Lifetimes and contents of invitations and reset links.

use crate::encoding::base64url;

/// Lifetime of a reset link: an hour, because the person waits for it.
pub const RESET_MS: i64 = 60 * 60_000;
/// Default lifetime of an invitation: a week.
pub const DEFAULT_HOURS: u32 = 7 * 24;
/// Maximum lifetime of an invitation: 30 days.
pub const MOST_HOURS: u32 = 30 * 24;
const NOTE_CHARS: usize = 100;

/// Returns a link's code from 256 random bits.
pub fn code(random: &[u8; 32]) -> String {
    base64url(random)
}

/// Returns an invitation's lifetime, if it is valid.
pub fn lifetime_ms(hours: u32) -> Option<i64> {
    (1..=MOST_HOURS).contains(&hours).then(|| i64::from(hours) * 60 * 60_000)
}

/// Returns a note in its stored form: one line of limited length.
pub fn note(text: &str) -> Option<String> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (text.chars().count() <= NOTE_CHARS && !line.contains(char::is_control)).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_to_a_month() {
        let lives: Vec<_> = [0, 1, 720, 721].map(lifetime_ms).into();
        assert_eq!(lives, [None, Some(3_600_000), Some(2_592_000_000), None]);
    }

    #[test]
    fn a_note_is_one_line() {
        assert_eq!(note("  for\n the  cook ").as_deref(), Some("for the cook"));
        assert_eq!(note(""), Some(String::new()));
        assert_eq!(note(&"x".repeat(100)).map(|note| note.len()), Some(100));
        assert_eq!(note(&"x".repeat(101)), None);
        assert_eq!(note("bell\u{7}"), None);
    }
}
