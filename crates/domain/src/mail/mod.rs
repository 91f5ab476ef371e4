//! Mail: the kinds of messages, their texts, the limits for one address, and the repetition of attempts.

mod retry;
mod template;

pub use retry::{CLAIM_MS, GIVE_UP_AFTER_MS, deadline, next_attempt};
pub use template::{MailText, Template, render};

use crate::UnixMs;
use crate::encoding::{base64url, sha256};
use crate::ids::UserId;
use crate::profile::EmailAddress;

const HOUR_MS: i64 = 60 * 60_000;

/// Lifetime of a link that proves an e-mail address. A person who enters an address reads its mail the same day.
pub const PROOF_MS: i64 = 24 * HOUR_MS;

/// Maximum number of links for a forgotten password to one address in an hour. Anybody can ask for them.
pub const FORGOTTEN_PER_HOUR: i64 = 3;

/// Maximum number of messages about wrong codes after the right password to one account in an hour.
pub const WRONG_CODES_PER_HOUR: i64 = 1;

/// The kind of a message in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MailKind {
    Invitation,
    /// A link for a new password, made by an administrator.
    ResetLink,
    /// A link for a new password that the person asked for.
    ForgottenPassword,
    AddressProof,
    /// A security event.
    Notice,
}

impl MailKind {
    pub const ALL: [Self; 5] =
        [Self::Invitation, Self::ResetLink, Self::ForgottenPassword, Self::AddressProof, Self::Notice];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::ResetLink => "reset_link",
            Self::ForgottenPassword => "forgotten_password",
            Self::AddressProof => "address_proof",
            Self::Notice => "notice",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Returns the hour that messages are counted in.
pub fn hour(now: UnixMs) -> i64 {
    now.as_millis().div_euclid(HOUR_MS)
}

/// Returns the milliseconds until the next hour, in which messages are counted again.
pub fn until_next_hour(now: UnixMs) -> i64 {
    HOUR_MS - now.as_millis().rem_euclid(HOUR_MS)
}

/// Returns the name under which messages to an address are counted. It is a hash, so that counting stores no address.
pub fn recipient_key(address: &EmailAddress) -> String {
    base64url(&sha256(format!("postern mail to {}", address.key()).as_bytes()))
}

/// Returns the name under which messages that an account causes are counted, for any address.
pub fn account_key(user: &UserId) -> String {
    base64url(&sha256(format!("postern mail by {user}").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_stored_as_words() {
        for kind in MailKind::ALL {
            assert_eq!(MailKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(MailKind::parse("Notice"), None);
    }

    #[test]
    fn an_address_is_counted_in_any_spelling_and_apart_from_accounts() {
        let key = |text| recipient_key(&EmailAddress::parse(text).expect("an address"));
        assert_eq!(key("Ada@Example.org"), key("ada@example.ORG"));
        assert_ne!(key("ada@example.org"), key("ada@example.0rg.net"));
        assert_ne!(key("ada@example.org"), account_key(&"ada@example.org".into()));
        assert_eq!(
            (
                until_next_hour(UnixMs::EPOCH),
                until_next_hour(UnixMs::from_millis(3_599_999)),
                until_next_hour(UnixMs::from_millis(-1))
            ),
            (3_600_000, 1, 1)
        );
        assert_eq!(
            (hour(UnixMs::from_millis(3_599_999)), hour(UnixMs::from_millis(3_600_000)), hour(UnixMs::from_millis(-1))),
            (0, 1, -1)
        );
    }
}
