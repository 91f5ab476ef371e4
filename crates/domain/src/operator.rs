//! Limits of operators' manual decisions.

use crate::client_key::{ClientKey, InvalidClientKey};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// Maximum length of a manual ban.
pub(crate) const LONGEST_MS: i64 = 3_650 * DAY;

/// Maximum number of characters in a reason or comment.
pub const MAX_CHARS: usize = 200;

/// The reason why a decision is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidInput {
    #[error(transparent)]
    Address(#[from] InvalidClientKey),
    #[error("this site counts IPv6 addresses by /{0}: write an address or a network of that length")]
    OtherPrefix(u8),
    #[error("write a reason of 1 to 200 characters, on one line")]
    Words,
    #[error("a ban lasts from one second to ten years: write 15m, 2h or 30d")]
    Span,
    #[error("'{0}' is neither an address nor a network: write 203.0.113.7, 203.0.113.0/24 or 2001:db8::/48")]
    Network(String),
    #[error("a network of length 0 contains every address: nobody could be banned")]
    Everybody,
}

/// Parses a reason or a comment: one line that is not empty.
///
/// # Errors
/// [`InvalidInput::Words`]
pub fn words(sent: &str) -> Result<String, InvalidInput> {
    let words = sent.trim();
    let fits = !words.is_empty() && sent.chars().count() <= MAX_CHARS && !sent.chars().any(char::is_control);
    if fits { Ok(words.to_owned()) } else { Err(InvalidInput::Words) }
}

/// Parses the target of a ban: a key that the server counts by, because no other would match a request.
///
/// # Errors
/// [`InvalidInput::Address`], [`InvalidInput::OtherPrefix`]
pub fn banned(sent: &str, v6_prefix: u8) -> Result<ClientKey, InvalidInput> {
    match ClientKey::read(sent, v6_prefix)? {
        ClientKey::V6(_, prefix) if prefix != v6_prefix => Err(InvalidInput::OtherPrefix(v6_prefix)),
        client_key => Ok(client_key),
    }
}

/// Returns the length of a manual ban, if `ms` was requested: for loopback a minute at most.
///
/// # Errors
/// [`InvalidInput::Span`]
pub fn length(client_key: ClientKey, ms: i64) -> Result<i64, InvalidInput> {
    match ms {
        1_000..=LONGEST_MS if client_key.is_loopback() => Ok(ms.min(MINUTE)),
        1_000..=LONGEST_MS => Ok(ms),
        _ => Err(InvalidInput::Span),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_one_line() {
        assert_eq!(words("  It scans our ports. "), Ok("It scans our ports.".to_owned()));
        assert!(words(&"é".repeat(200)).is_ok());
        for wrong in ["", "  ", "two\nlines", "a\n", "a\0b", "\u{1b}[2J", &"é".repeat(201)] {
            assert_eq!(words(wrong), Err(InvalidInput::Words), "{wrong:?}");
        }
    }

    #[test]
    fn a_ban_is_for_what_the_server_counts_by() {
        for (sent, expected) in [
            ("203.0.113.7", "203.0.113.7"),
            (" 2001:db8::1 ", "2001:db8::/56"),
            ("2001:db8::/56", "2001:db8::/56"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
        ] {
            assert_eq!(banned(sent, 56).map(|client_key| client_key.to_string()).as_deref(), Ok(expected), "{sent}");
        }
        assert_eq!(banned("2001:db8::/48", 56), Err(InvalidInput::OtherPrefix(56)));
        assert!(matches!(banned("203.0.113.0/24", 56), Err(InvalidInput::Address(_))));
    }

    #[test]
    fn lengths_have_bounds_and_loopback_a_minute() {
        let (other, here) = (banned("203.0.113.7", 64), banned("127.0.0.1", 64));
        let (other, here) = (other.expect("an address"), here.expect("an address"));
        assert_eq!(length(other, DAY), Ok(DAY));
        assert_eq!(length(here, DAY), Ok(MINUTE));
        assert_eq!(length(other, LONGEST_MS), Ok(LONGEST_MS));
        for wrong in [i64::MIN, -1, 0, 999, LONGEST_MS + 1, i64::MAX] {
            assert_eq!(length(other, wrong), Err(InvalidInput::Span));
        }
    }
}
