//! `[keys]`: lifetimes of keys, and the algorithm of the server's.

use super::ConfigError;
use super::durations::{DurationSetting, written};
use crate::keyring::Algorithm;
use serde::{Deserialize, Serialize};
use std::time::Duration;

const DAY: u64 = 24 * 60 * 60;
const WEEK: u64 = 7 * DAY;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeySettings {
    /// Period that a replaced version of a user key remains valid.
    pub overlap: DurationSetting,
    /// Interval at which a new signing key comes into use.
    pub signing_rotation: Schedule,
    pub signing_algorithm: Algorithm,
    /// Interval at which the MAC key is replaced.
    pub mac_rotation: Schedule,
    /// Period that logins to a replaced envelope key are accepted.
    pub envelope_overlap: DurationSetting,
}

/// A duration, or never: written `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Schedule(pub Option<DurationSetting>);

impl TryFrom<String> for Schedule {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "off" => Ok(Self(None)),
            span => humantime::parse_duration(span)
                .map(|span| Self(Some(DurationSetting(span))))
                .map_err(|_| "this is neither a length of time like 90d nor \"off\"".to_owned()),
        }
    }
}

impl From<Schedule> for String {
    fn from(schedule: Schedule) -> Self {
        schedule.0.map_or_else(|| "off".to_owned(), |span| written(span.0))
    }
}

impl Default for KeySettings {
    fn default() -> Self {
        Self {
            overlap: DurationSetting::seconds(60 * 60),
            signing_rotation: Schedule(Some(DurationSetting::seconds(90 * DAY))),
            signing_algorithm: Algorithm::Es256,
            mac_rotation: Schedule(Some(DurationSetting::seconds(90 * DAY))),
            envelope_overlap: DurationSetting::seconds(600),
        }
    }
}

impl KeySettings {
    /// Checks the ranges of the schedules.
    ///
    /// # Errors
    /// Names the setting and its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        let (hour, day, century) =
            (Duration::from_hours(1), Duration::from_hours(24), Duration::from_secs(36_525 * DAY));
        let schedules = [("keys.signing_rotation", self.signing_rotation), ("keys.mac_rotation", self.mac_rotation)];
        if let Some((setting, _)) =
            schedules.iter().find(|(_, every)| every.0.is_some_and(|span| span.0 < hour || span.0 > century))
        {
            return Err(ConfigError::invalid(setting, "must be 1h to a century, or \"off\""));
        }
        if self.signing_algorithm == Algorithm::Rs256 {
            let problem = "must be \"ES256\" or \"EdDSA\"; ID tokens have an RSA key of their own";
            return Err(ConfigError::invalid("keys.signing_algorithm", problem));
        }
        if self.envelope_overlap.0 > day {
            return Err(ConfigError::invalid("keys.envelope_overlap", "must be at most 1d"));
        }
        match self.overlap.0.as_secs() {
            1..=WEEK => Ok(()),
            _ => Err(ConfigError::invalid("keys.overlap", "must be 1s to 7d")),
        }
    }
}
