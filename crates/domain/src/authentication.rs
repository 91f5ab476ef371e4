//! The methods and the time of a session's authentication: `amr`, `acr` and `auth_time` of tokens.
//!
//! | Methods | `amr` (RFC 8176) | `acr` |
//! |---|---|---|
//! | password | `pwd` | `urn:postern:acr:1` |
//! | security key without verification of the person | `pop` | `urn:postern:acr:1` |
//! | password and one-time or recovery code | `pwd otp mfa` | `urn:postern:acr:2` |
//! | password and security key | `pwd pop mfa` | `urn:postern:acr:phr` |
//! | passkey, which verified the person | `pop user mfa` | `urn:postern:acr:phr` |

use crate::{CLOCK_TOLERANCE_MS, UnixMs, UnixSeconds};
use std::fmt;

/// The values of the claim `acr`, in ascending strength.
pub mod acr {
    pub const ONE_FACTOR: &str = "urn:postern:acr:1";
    pub const TWO_FACTORS: &str = "urn:postern:acr:2";
    pub const PHISHING_RESISTANT: &str = "urn:postern:acr:phr";
}

/// Period in which a proof of the person's factors counts as fresh.
pub const FRESH_MS: i64 = 5 * 60_000;

/// A method of authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Password,
    /// A time-based one-time code (RFC 6238).
    Totp,
    /// A passkey that verified the person (the flag UV): possession, and knowledge or inherence.
    Passkey,
    /// A `WebAuthn` key that did not verify the person: possession alone.
    SecurityKey,
    /// One of the stored recovery codes, each of which works once.
    RecoveryCode,
}

impl Method {
    pub const ALL: [Self; 5] = [Self::Password, Self::Totp, Self::Passkey, Self::SecurityKey, Self::RecoveryCode];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Totp => "totp",
            Self::Passkey => "passkey",
            Self::SecurityKey => "security_key",
            Self::RecoveryCode => "recovery_code",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == text)
    }

    fn bit(self) -> u8 {
        match self {
            Self::Password => 1,
            Self::Totp => 2,
            Self::Passkey => 4,
            Self::SecurityKey => 8,
            Self::RecoveryCode => 16,
        }
    }
}

/// A set of methods, at least one of which authenticated a session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Methods(u8);

impl Methods {
    pub const PASSWORD: Self = Self(1);

    pub fn of(method: Method) -> Self {
        Self(method.bit())
    }

    #[must_use]
    pub fn with(self, method: Method) -> Self {
        Self(self.0 | method.bit())
    }

    pub fn contains(self, method: Method) -> bool {
        self.0 & method.bit() != 0
    }

    pub fn iter(self) -> impl Iterator<Item = Method> {
        Method::ALL.into_iter().filter(move |method| self.contains(*method))
    }

    /// Reads the text that [`fmt::Display`] wrote. `None`: an unknown method, or none at all.
    pub fn parse(text: &str) -> Option<Self> {
        let bits = text.split(' ').map(|name| Method::parse(name).map(Method::bit));
        bits.reduce(|all, one| Some(all? | one?)).flatten().map(Self)
    }

    /// Whether one of the methods is a possession: something besides a password.
    pub fn has_possession(self) -> bool {
        self.iter().any(|method| method != Method::Password)
    }

    /// Whether two different factors were proven. A security key that did not verify the person is one factor.
    pub fn are_two_factors(self) -> bool {
        self.contains(Method::Passkey) || (self.contains(Method::Password) && self.has_possession())
    }

    /// Whether no other site could have relayed the proof: two factors, one of them a `WebAuthn` key.
    pub fn resist_phishing(self) -> bool {
        self.contains(Method::Passkey) || (self.contains(Method::Password) && self.contains(Method::SecurityKey))
    }

    /// Returns the claim `amr` (RFC 8176, section 2).
    pub fn amr(self) -> Vec<&'static str> {
        let key = self.contains(Method::Passkey) || self.contains(Method::SecurityKey);
        let code = self.contains(Method::Totp) || self.contains(Method::RecoveryCode);
        let values = [
            (self.contains(Method::Password), "pwd"),
            (code, "otp"),
            (key, "pop"),
            (self.contains(Method::Passkey), "user"),
            (self.are_two_factors(), "mfa"),
        ];
        values.into_iter().filter_map(|(held, value)| held.then_some(value)).collect()
    }

    /// Returns the claim `acr`, by the table of this module.
    pub fn acr(self) -> &'static str {
        if self.resist_phishing() {
            acr::PHISHING_RESISTANT
        } else if self.are_two_factors() {
            acr::TWO_FACTORS
        } else {
            acr::ONE_FACTOR
        }
    }
}

impl fmt::Display for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, method) in self.iter().enumerate() {
            write!(f, "{}{}", if number == 0 { "" } else { " " }, method.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Methods({self})")
    }
}

/// The last time and the methods of a session's authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authentication {
    pub methods: Methods,
    pub at: UnixMs,
}

impl Authentication {
    /// Returns the claim `auth_time`.
    pub fn auth_time(&self) -> UnixSeconds {
        self.at.to_seconds()
    }

    /// Whether it counts as fresh, for accounts that need (`factor`) or do not need a second factor after the password. It
    /// only knows the methods so far, so a password must not renew a session that needs a factor.
    pub fn is_fresh(&self, factor: bool, now: UnixMs) -> bool {
        (-CLOCK_TOLERANCE_MS..=FRESH_MS).contains(&(now - self.at)) && (!factor || self.methods.has_possession())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds() {
        let password = Methods::PASSWORD;
        for (methods, amr, acr) in [
            (password, "pwd", "urn:postern:acr:1"),
            (Methods::of(Method::SecurityKey), "pop", "urn:postern:acr:1"),
            (password.with(Method::Totp), "pwd otp mfa", "urn:postern:acr:2"),
            (password.with(Method::RecoveryCode), "pwd otp mfa", "urn:postern:acr:2"),
            (password.with(Method::SecurityKey), "pwd pop mfa", "urn:postern:acr:phr"),
            (Methods::of(Method::Passkey), "pop user mfa", "urn:postern:acr:phr"),
            (password.with(Method::Passkey), "pwd pop user mfa", "urn:postern:acr:phr"),
        ] {
            assert_eq!((methods.amr().join(" ").as_str(), methods.acr()), (amr, acr), "{methods}");
        }
    }

    #[test]
    fn every_set_reads_as_it_was_written_and_nothing_else_reads() {
        for bits in 1..32 {
            assert_eq!(Methods::parse(&Methods(bits).to_string()), Some(Methods(bits)));
        }
        for wrong in ["", " ", "password ", "password  totp", "Password", "password,totp", "password hwk"] {
            assert_eq!(Methods::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_proof_is_fresh_for_five_minutes_and_with_the_factor_that_the_account_has() {
        let with = |methods| Authentication { methods, at: UnixMs::from_millis(1_000) };
        let both = with(Methods::PASSWORD.with(Method::Totp));
        for (age, fresh) in [(0, true), (FRESH_MS, true), (FRESH_MS + 1, false), (-30_000, true), (-30_001, false)] {
            assert_eq!(both.is_fresh(true, UnixMs::from_millis(1_000 + age)), fresh, "{age}");
            assert_eq!(with(Methods::PASSWORD).is_fresh(false, UnixMs::from_millis(1_000 + age)), fresh, "{age}");
        }
        assert!(
            !with(Methods::PASSWORD).is_fresh(true, UnixMs::from_millis(1_000)),
            "the account has a factor, which was not proven"
        );
        assert_eq!(
            Authentication { methods: Methods::PASSWORD, at: UnixMs::from_millis(1_999) }.auth_time(),
            UnixSeconds::from_seconds(1)
        );
    }
}
