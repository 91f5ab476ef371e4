//! The ban engine's rules: what closes an address, how widely and for how long.
//!
//! Every trigger has a threshold, a window, a scope and a ladder. A new offence climbs one rung; each
//! full quiet time since the last ban ran out steps down one.

use crate::UnixMs;
use crate::identity::Identity;
use std::fmt;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// After a ban was lifted by hand, wrong credentials of that identity count but do not ban for this long.
pub const GRACE_MS: i64 = MINUTE;

/// What a ban closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Challenge, login and sign-up.
    SignIn,
    /// Every path.
    Everything,
}

/// What a ban is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// A name and password that do not fit.
    InvalidCredentials,
    /// Several account names that do not succeed.
    Spray,
    /// A `short_key` that was not made here.
    ForgedShortKey,
    /// A `short_key` that was used before.
    ReplayedShortKey,
    /// A `short_key` that ran out: only the strict preset bans for it.
    ExpiredShortKey,
    /// An envelope that cannot be opened.
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
    Spray => "spray",
    ForgedShortKey => "forged_short_key",
    ReplayedShortKey => "replayed_short_key",
    ExpiredShortKey => "expired_short_key",
    BadEnvelope => "bad_envelope",
    Flood => "flood",
    Manual => "manual",
});

/// When a trigger bans, what it closes and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub scope: Scope,
    /// Ban at this many strikes within the window; at least 1.
    pub threshold: u32,
    pub window_ms: i64,
    /// The lengths, shortest first; never empty.
    pub ladder_ms: Vec<i64>,
    /// Each full quiet time since the last ban ran out steps down one rung.
    pub quiet_ms: i64,
}

/// The rules in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub invalid_credentials: Rule,
    pub spray: Rule,
    pub short_key: Rule,
    /// `None`: an honest `short_key` that ran out is no offence.
    pub expired_short_key: Option<Rule>,
    pub bad_envelope: Rule,
    pub flood: Rule,
    pub limits: Limits,
}

/// What one address may ask for. A proven session or a known device has an allowance of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Sign-ins that wait for their turn at the same time; more are told to come back.
    pub sign_in_at_once: u32,
    /// Sign-ins that fail, a minute; those that succeed count for nobody.
    pub sign_in_per_minute: u32,
    /// Requests to anything else that may arrive at once; static files are not counted.
    pub at_once: u32,
    /// How many of them are allowed again, a minute.
    pub per_minute: u32,
    /// Requests refused for a rate, a minute, above which the client is banned: it ignores `Retry-After`.
    /// `None`: the first one bans, and every request in flight counts. So the strict preset reads the documents.
    pub refused_per_minute: Option<u32>,
}

impl Limits {
    pub const DEFAULT: Self = Self {
        sign_in_at_once: 256,
        sign_in_per_minute: 30,
        at_once: 1000,
        per_minute: 6000,
        refused_per_minute: Some(3000),
    };
    pub const STRICT: Self =
        Self { sign_in_at_once: 10, sign_in_per_minute: 30, at_once: 100, per_minute: 6000, refused_per_minute: None };
}

/// Names that succeeded for each further name that may fail before it is a spray: in a crowd behind one address,
/// people mistype.
const SUCCEEDED_FOR_ONE: u64 = 4;

/// How many different names must fail from one identity to be a spray, if so many others have signed in from there
/// within the same window.
pub fn spray_threshold(rule: &Rule, succeeded: u64) -> u64 {
    u64::from(rule.threshold).saturating_add(succeeded / SUCCEEDED_FOR_ONE)
}

impl Policy {
    /// Seconds for a slip of the finger, days for guessing.
    pub fn standard() -> Self {
        let severe = || vec![15 * MINUTE, HOUR, DAY, 7 * DAY];
        let rule =
            |scope, threshold, ladder_ms| Rule { scope, threshold, window_ms: 10 * MINUTE, ladder_ms, quiet_ms: DAY };
        Self {
            invalid_credentials: rule(
                Scope::SignIn,
                1,
                vec![2 * SECOND, 5 * SECOND, 15 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY],
            ),
            spray: rule(Scope::Everything, 5, severe()),
            short_key: rule(Scope::Everything, 1, severe()),
            expired_short_key: None,
            bad_envelope: rule(Scope::SignIn, 3, vec![MINUTE, 15 * MINUTE, HOUR, DAY]),
            flood: rule(Scope::Everything, 1, vec![MINUTE, 10 * MINUTE, HOUR, DAY]),
            limits: Limits::DEFAULT,
        }
    }

    /// One invalid credential or `short_key`, an expired one included, closes everything for a day.
    pub fn strict() -> Self {
        let day = Rule {
            scope: Scope::Everything,
            threshold: 1,
            window_ms: 10 * MINUTE,
            ladder_ms: vec![DAY],
            quiet_ms: DAY,
        };
        Self {
            invalid_credentials: day.clone(),
            short_key: day.clone(),
            expired_short_key: Some(day),
            limits: Limits::STRICT,
            ..Self::standard()
        }
    }

    /// The rule of a trigger; `None` where this policy does not ban for it.
    pub fn rule(&self, trigger: Trigger) -> Option<&Rule> {
        match trigger {
            Trigger::InvalidCredentials => Some(&self.invalid_credentials),
            Trigger::Spray => Some(&self.spray),
            Trigger::ForgedShortKey | Trigger::ReplayedShortKey => Some(&self.short_key),
            Trigger::ExpiredShortKey => self.expired_short_key.as_ref(),
            Trigger::BadEnvelope => Some(&self.bad_envelope),
            Trigger::Flood => Some(&self.flood),
            Trigger::Manual => None,
        }
    }
}

/// Where an identity stands on one ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rung {
    /// How many bans it has had, at least 1.
    pub step: u32,
    /// When the last of them runs out.
    pub until: UnixMs,
}

impl Rule {
    /// The next ban: one rung up from where a quiet time has left the identity.
    ///
    /// `jitter` is uniform in 0..=65535 and lengthens the ban by up to a tenth, so that nobody can
    /// time the next guess to the millisecond.
    #[must_use]
    pub fn climb(&self, stands: Option<Rung>, identity: Identity, jitter: u16, now: UnixMs) -> Rung {
        let step = stands.map_or(0, |rung| self.after_quiet(rung, now)).saturating_add(1);
        let top = self.ladder_ms.len().saturating_sub(1);
        let index = usize::try_from(step - 1).unwrap_or(top).min(top);
        let length = self.ladder_ms.get(index).copied().unwrap_or(MINUTE);
        let length = if identity.is_loopback() { length.min(MINUTE) } else { length + jittered(length, jitter) };
        // An offence during a longer ban never shortens it.
        let until = stands.map_or(0, |rung| rung.until).max(now + length);
        let until = if identity.is_loopback() { now + length } else { until };
        Rung { step, until }
    }

    fn after_quiet(&self, rung: Rung, now: UnixMs) -> u32 {
        let quiet_times = now.saturating_sub(rung.until).max(0) / self.quiet_ms.max(1);
        rung.step.saturating_sub(u32::try_from(quiet_times).unwrap_or(u32::MAX))
    }
}

fn jittered(length: i64, jitter: u16) -> i64 {
    // Below 30 s a person watches the countdown: there jitter would only look like a fault.
    if length < 30 * SECOND { 0 } else { length / 10 * i64::from(jitter) / i64::from(u16::MAX) }
}

/// A ban's short public name, to be read out on the telephone: `7F3K-2Q`, from 30 random bits.
pub fn incident(random: u32) -> String {
    // Crockford's alphabet: no I, L, O or U.
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let digit = |place: u32| char::from(ALPHABET[(random >> (5 * place)) as usize & 31]);
    let (head, tail): (String, String) = ((0..4).map(digit).collect(), (4..6).map(digit).collect());
    format!("{head}-{tail}")
}
