//! Passkeys of accounts: names, challenges, and the meaning of a changed state.

use crate::bidi::is_directional;
use crate::encoding::sha256;
use std::net::IpAddr;

/// Maximum number of passkeys of an account.
pub const MOST: u32 = 50;
/// Length of an account's user handle in bytes, the longest that is permitted (Web Authentication, section 5.4.3).
pub const HANDLE_BYTES: usize = 64;
const LONGEST_LABEL: usize = 64;

/// Returns the challenge of a `short_key`.
pub fn challenge(short_key: &str) -> [u8; 32] {
    sha256(&[b"webauthn", short_key.as_bytes()].concat())
}

/// Returns the relying party's id of a public origin: its host. `None` for an address, which browsers refuse.
pub fn relying_party(origin: &str) -> Option<&str> {
    let (_, authority) = origin.split_once("://")?;
    let host = if authority.starts_with('[') { return None } else { authority.split(':').next()? };
    (!host.is_empty() && host.parse::<IpAddr>().is_err()).then_some(host)
}

/// A passkey's name, given by its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyLabel(String);

/// The name of a passkey is empty, too long or has invisible characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name of a passkey has 1 to 64 visible characters")]
pub struct InvalidLabel;

impl PasskeyLabel {
    /// Parses a name.
    ///
    /// # Errors
    /// [`InvalidLabel`].
    pub fn parse(text: &str) -> Result<Self, InvalidLabel> {
        let text = text.trim();
        let fits = (1..=LONGEST_LABEL).contains(&text.chars().count());
        // Control characters and marks that change the direction of writing could disguise a line of a list.
        let visible = !text.chars().any(|letter| letter.is_control() || is_directional(letter));
        if fits && visible { Ok(Self(text.to_owned())) } else { Err(InvalidLabel) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The state that an authenticator reports with each use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasskeyState {
    /// Whether the passkey may be copied to other devices (BE).
    pub backup_eligible: bool,
    /// Whether it is copied now (BS).
    pub backed_up: bool,
    pub sign_count: u32,
}

/// A change that its owner should know of. Another flag is no reason for a refusal, because managers report flags
/// differently. A counter that does not rise is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasskeyChange {
    /// The counter did not increase: somebody may have copied the passkey. The use was refused.
    Counter,
    /// The authenticator now reports another value for whether the passkey may be copied.
    BackupEligibility,
}

impl PasskeyChange {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::BackupEligibility => "backup_eligibility",
        }
    }
}

impl PasskeyState {
    /// Whether the reported counter may follow this stored one (Web Authentication, section 7.2, step 22). It must rise,
    /// unless both are zero: synced passkeys do not count.
    pub fn may_precede(self, reported: Self) -> bool {
        reported.sign_count > self.sign_count || (self.sign_count, reported.sign_count) == (0, 0)
    }

    /// Returns the change from this stored state to an accepted one.
    pub fn change(self, reported: Self) -> Option<PasskeyChange> {
        (self.backup_eligible != reported.backup_eligible).then_some(PasskeyChange::BackupEligibility)
    }
}

/// Returns the product that made a passkey, by the model that its authenticator states (AAGUID). It is for a name only.
pub fn provider(aaguid: &str) -> Option<&'static str> {
    PROVIDERS.iter().find(|(known, _)| *known == aaguid).map(|(_, name)| *name)
}

/// The usual managers by AAGUID, in the form of RFC 9562, section 4.
const PROVIDERS: [(&str, &str); 11] = [
    ("fbfc3007-154e-4ecc-8c0b-6e020557d7bd", "Apple Passwords"),
    ("dd4ec289-e01d-41c9-bb89-70fa845d4bf2", "iCloud Keychain"),
    ("ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4", "Google Password Manager"),
    ("adce0002-35bc-c60a-648b-0b25f1f05503", "Chrome on Mac"),
    ("08987058-cadc-4b81-b6e1-30de50dcbe96", "Windows Hello"),
    ("9ddd1817-af5a-4672-a2b9-3e3dd95000a9", "Windows Hello"),
    ("bada5566-a7aa-401f-bd96-45619a55120d", "1Password"),
    ("d548826e-79b4-db40-a3d8-11116f7e8349", "Bitwarden"),
    ("531126d6-e717-415c-9320-3d9aa6981239", "Dashlane"),
    ("fdb141b2-5d84-443e-8a35-4698c205a502", "KeePassXC"),
    ("53414d53-554e-4700-0000-000000000000", "Samsung Pass"),
];

/// Returns an AAGUID as text (RFC 9562, section 4).
pub fn aaguid(bytes: [u8; 16]) -> String {
    let digits = format!("{:032x}", u128::from_be_bytes(bytes));
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(backup_eligible: bool, sign_count: u32) -> PasskeyState {
        PasskeyState { backup_eligible, backed_up: false, sign_count }
    }

    #[test]
    fn a_counter_must_rise_unless_there_is_none() {
        let may_precede = |stored, reported| state(true, stored).may_precede(state(true, reported));
        assert!(may_precede(0, 0) && may_precede(0, 1) && may_precede(7, 8) && may_precede(7, u32::MAX));
        assert!(!may_precede(7, 7) && !may_precede(7, 6) && !may_precede(7, 0) && !may_precede(u32::MAX, 0));
    }

    #[test]
    fn backup_eligibility_may_change_in_both_directions() {
        for stored in [false, true] {
            assert!(state(stored, 0).may_precede(state(!stored, 0)));
            assert_eq!(state(stored, 0).change(state(!stored, 0)), Some(PasskeyChange::BackupEligibility));
            assert_eq!(state(stored, 0).change(state(stored, 0)), None);
        }
    }

    #[test]
    fn relying_parties_are_hosts() {
        for (origin, host) in [
            ("https://auth.example.org", Some("auth.example.org")),
            ("https://auth.example.org:8443", Some("auth.example.org")),
            ("http://localhost:3000", Some("localhost")),
            ("https://192.0.2.1", None),
            ("https://[2001:db8::1]:8443", None),
            ("auth.example.org", None),
            ("https://", None),
        ] {
            assert_eq!(relying_party(origin), host, "{origin}");
        }
    }

    #[test]
    fn labels_are_short_and_visible() {
        assert_eq!(PasskeyLabel::parse("  My phone ").expect("good").as_str(), "My phone");
        assert!(PasskeyLabel::parse(&"ä".repeat(64)).is_ok());
        for bad in ["", "  ", "a\nb", "a\u{202e}b", &"ä".repeat(65)] {
            assert_eq!(PasskeyLabel::parse(bad), Err(InvalidLabel), "{bad:?}");
        }
    }

    #[test]
    fn models_have_the_usual_form() {
        assert_eq!(aaguid([0; 16]), "00000000-0000-0000-0000-000000000000");
        let bytes = [0xba, 0xda, 0x55, 0x66, 0xa7, 0xaa, 0x40, 0x1f, 0xbd, 0x96, 0x45, 0x61, 0x9a, 0x55, 0x12, 0x0d];
        assert_eq!(provider(&aaguid(bytes)), Some("1Password"));
        assert_eq!(provider("00000000-0000-0000-0000-000000000000"), None);
    }

    #[test]
    fn a_challenge_is_of_its_short_key() {
        assert_eq!(challenge("AQID"), sha256(b"webauthnAQID"));
        assert_ne!(challenge("AQID"), challenge("AQIE"));
    }
}
