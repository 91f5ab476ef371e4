//! The rules of bans: their causes, scopes and lengths.
//!
//! Every trigger has a threshold, a window, a scope and a ladder. A new offence climbs one rung. Each full quiet period
//! after the last ban's end steps down one.

use crate::UnixMs;
use crate::client_key::ClientKey;
use std::fmt;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Period after a manual lift in which wrong credentials of that client count but do not ban.
pub const GRACE_MS: i64 = MINUTE;

/// The scope of a ban.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Challenge, login and sign-up.
    SignIn,
    /// Every path.
    Everything,
}

/// The cause of a ban.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// A wrong name or password.
    InvalidCredentials,
    /// A wrong code after the right password of an account.
    WrongSecondFactor,
    /// Several account names without success.
    Spray,
    /// A `short_key` that this server did not issue.
    ForgedShortKey,
    /// A `short_key` that was used before.
    ReplayedShortKey,
    /// An expired `short_key`: only the strict preset bans for it.
    ExpiredShortKey,
    /// An envelope that cannot be decrypted.
    BadEnvelope,
    /// Too many requests.
    Flood,
    /// An operator's decision.
    Manual,
}

macro_rules! names {
    ($type:ident { $($variant:ident => $name:literal),+ $(,)? }) => {
        impl $type {
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            pub fn parse(text: &str) -> Option<Self> {
                match text { $($name => Some(Self::$variant),)+ _ => None }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

names!(Scope { SignIn => "sign-in", Everything => "everything" });
names!(Trigger {
    InvalidCredentials => "invalid_credentials",
    WrongSecondFactor => "wrong_second_factor",
    Spray => "spray",
    ForgedShortKey => "forged_short_key",
    ReplayedShortKey => "replayed_short_key",
    ExpiredShortKey => "expired_short_key",
    BadEnvelope => "bad_envelope",
    Flood => "flood",
    Manual => "manual",
});

/// The conditions of a trigger's bans, their scope and their lengths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BanRule {
    pub scope: Scope,
    /// Number of offences within the window for a ban; at least 1.
    pub threshold: u32,
    pub window_ms: i64,
    /// The lengths in ascending order; never empty.
    pub ladder_ms: Vec<i64>,
    /// Each full quiet period after the last ban's end steps down one rung.
    pub quiet_ms: i64,
}

/// The rules in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BanPolicy {
    pub invalid_credentials: BanRule,
    pub wrong_second_factor: BanRule,
    pub spray: BanRule,
    pub short_key: BanRule,
    /// `None`: an expired `short_key` is not an offence.
    pub expired_short_key: Option<BanRule>,
    pub bad_envelope: BanRule,
    pub flood: BanRule,
    pub limits: RateLimits,
}

/// Limits of one address. A proven session or known device has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    /// Maximum number of sign-ins waiting at the same time; further ones get `Retry-After`.
    pub sign_in_at_once: u32,
    /// Maximum number of failed sign-ins a minute; successful ones are not counted.
    pub sign_in_per_minute: u32,
    /// Maximum burst of other requests; static files are not counted.
    pub at_once: u32,
    /// Refill of that burst, per minute.
    pub per_minute: u32,
    /// Requests a minute after a refusal above which the client is banned, because it ignores `Retry-After`. `None`:
    /// the first refusal bans, and every request in flight counts, as the strict preset requires.
    pub refused_per_minute: Option<u32>,
}

impl RateLimits {
    pub const DEFAULT: Self = Self {
        sign_in_at_once: 256,
        sign_in_per_minute: 30,
        at_once: 1000,
        per_minute: 6000,
        refused_per_minute: Some(3000),
    };
    pub(crate) const STRICT: Self =
        Self { sign_in_at_once: 10, sign_in_per_minute: 30, at_once: 100, per_minute: 6000, refused_per_minute: None };
}

/// Number of successful names that allow one more failing name before it is a spray. People behind a shared address
/// mistype too.
const SUCCEEDED_FOR_ONE: u64 = 4;

/// Returns the number of names that must fail from one client to be a spray. `succeeded`: names that have signed in
/// from there within the same window.
pub fn spray_threshold(rule: &BanRule, succeeded: u64) -> u64 {
    u64::from(rule.threshold).saturating_add(succeeded / SUCCEEDED_FOR_ONE)
}

impl BanPolicy {
    /// Returns the default policy: seconds for a typo, days for guessing.
    pub fn standard() -> Self {
        let severe = || vec![15 * MINUTE, HOUR, DAY, 7 * DAY];
        let rule = |scope, threshold, ladder_ms| BanRule {
            scope,
            threshold,
            window_ms: 10 * MINUTE,
            ladder_ms,
            quiet_ms: DAY,
        };
        Self {
            invalid_credentials: rule(
                Scope::SignIn,
                1,
                vec![2 * SECOND, 5 * SECOND, 15 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY],
            ),
            wrong_second_factor: rule(Scope::SignIn, 5, vec![MINUTE, 15 * MINUTE, HOUR, DAY]),
            spray: rule(Scope::Everything, 5, severe()),
            short_key: rule(Scope::Everything, 1, severe()),
            expired_short_key: None,
            bad_envelope: rule(Scope::SignIn, 3, vec![MINUTE, 15 * MINUTE, HOUR, DAY]),
            flood: rule(Scope::Everything, 1, vec![MINUTE, 10 * MINUTE, HOUR, DAY]),
            limits: RateLimits::DEFAULT,
        }
    }

    /// Returns the strict policy: one invalid credential or `short_key`, even an expired one, bans from everything for
    /// a day.
    pub fn strict() -> Self {
        let day = BanRule {
            scope: Scope::Everything,
            threshold: 1,
            window_ms: 10 * MINUTE,
            ladder_ms: vec![DAY],
            quiet_ms: DAY,
        };
        Self {
            invalid_credentials: day.clone(),
            wrong_second_factor: day.clone(),
            short_key: day.clone(),
            expired_short_key: Some(day),
            limits: RateLimits::STRICT,
            ..Self::standard()
        }
    }

    /// Returns the rule of a trigger; `None` if this policy does not ban for it.
    pub fn rule(&self, trigger: Trigger) -> Option<&BanRule> {
        match trigger {
            Trigger::InvalidCredentials => Some(&self.invalid_credentials),
            Trigger::WrongSecondFactor => Some(&self.wrong_second_factor),
            Trigger::Spray => Some(&self.spray),
            Trigger::ForgedShortKey | Trigger::ReplayedShortKey => Some(&self.short_key),
            Trigger::ExpiredShortKey => self.expired_short_key.as_ref(),
            Trigger::BadEnvelope => Some(&self.bad_envelope),
            Trigger::Flood => Some(&self.flood),
            Trigger::Manual => None,
        }
    }
}

/// A client's position on one ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rung {
    /// Number of its bans, at least 1.
    pub step: u32,
    /// The end of the last one.
    pub until: UnixMs,
}

impl BanRule {
    /// Returns the next ban: one rung above the client's position after quiet periods.
    ///
    /// `jitter` is uniform in 0..=65535 and extends the ban by up to a tenth, so that an attacker cannot time the next
    /// guess exactly.
    #[must_use]
    pub fn climb(&self, stands: Option<Rung>, client_key: ClientKey, jitter: u16, now: UnixMs) -> Rung {
        let step = stands.map_or(0, |rung| self.after_quiet(rung, now)).saturating_add(1);
        let top = self.ladder_ms.len().saturating_sub(1);
        let index = usize::try_from(step - 1).unwrap_or(top).min(top);
        let length = self.ladder_ms.get(index).copied().unwrap_or(MINUTE);
        let length = if client_key.is_loopback() { length.min(MINUTE) } else { length + jittered(length, jitter) };
        // An offence during a longer ban never shortens it.
        let until = stands.map_or(UnixMs::EPOCH, |rung| rung.until).max(now + length);
        let until = if client_key.is_loopback() { now + length } else { until };
        Rung { step, until }
    }

    fn after_quiet(&self, rung: Rung, now: UnixMs) -> u32 {
        let quiet_times = now.since(rung.until).max(0) / self.quiet_ms.max(1);
        rung.step.saturating_sub(u32::try_from(quiet_times).unwrap_or(u32::MAX))
    }
}

fn jittered(length: i64, jitter: u16) -> i64 {
    // Below 30 s a person watches the countdown, where jitter would look like an error.
    if length < 30 * SECOND { 0 } else { length / 10 * i64::from(jitter) / i64::from(u16::MAX) }
}

/// Returns a ban's short public id for reading aloud: `7F3K-2Q`, from 30 random bits.
pub fn incident(random: u32) -> String {
    // Crockford's alphabet: no I, L, O or U.
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let digit = |place: u32| char::from(ALPHABET[(random >> (5 * place)) as usize & 31]);
    let (head, tail): (String, String) = ((0..4).map(digit).collect(), (4..6).map(digit).collect());
    format!("{head}-{tail}")
}
