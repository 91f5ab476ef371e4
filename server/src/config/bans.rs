//! `[ban]`: a preset and its overrides.

use super::ConfigError;
use super::durations::DurationSetting;
use domain::ban::{BanPolicy, BanRule};
use serde::{Deserialize, Serialize};

const CENTURY: u64 = 36_525 * 24 * 60 * 60;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BanSettings {
    pub preset: Preset,
    pub invalid_credentials: BanRuleSettings,
    pub wrong_second_factor: BanRuleSettings,
    pub spray: BanRuleSettings,
    pub short_key: BanRuleSettings,
    pub bad_envelope: BanRuleSettings,
    pub flood: BanRuleSettings,
    pub limits: LimitSettings,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// Seconds for a typo, days for guessing.
    #[default]
    Default,
    /// A day for the first invalid credential or `short_key`.
    Strict,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BanRuleSettings {
    pub threshold: Option<u32>,
    pub window: Option<DurationSetting>,
    pub ladder: Option<Vec<DurationSetting>>,
    pub quiet: Option<DurationSetting>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSettings {
    pub sign_in_at_once: Option<u32>,
    pub sign_in_per_minute: Option<u32>,
    pub at_once: Option<u32>,
    pub per_minute: Option<u32>,
    pub refused_per_minute: Option<u32>,
}

impl BanSettings {
    /// Builds the policy from the preset and its overrides.
    ///
    /// # Errors
    /// A threshold of 0, or a ladder that is empty or not ascending.
    pub fn policy(&self) -> Result<BanPolicy, ConfigError> {
        let mut policy = match self.preset {
            Preset::Default => BanPolicy::standard(),
            Preset::Strict => BanPolicy::strict(),
        };
        self.invalid_credentials.apply("ban.invalid_credentials", &mut policy.invalid_credentials)?;
        self.wrong_second_factor.apply("ban.wrong_second_factor", &mut policy.wrong_second_factor)?;
        self.spray.apply("ban.spray", &mut policy.spray)?;
        self.short_key.apply("ban.short_key", &mut policy.short_key)?;
        self.bad_envelope.apply("ban.bad_envelope", &mut policy.bad_envelope)?;
        self.flood.apply("ban.flood", &mut policy.flood)?;
        let limits = &mut policy.limits;
        for (set, limit) in [
            (self.limits.sign_in_at_once, &mut limits.sign_in_at_once),
            (self.limits.sign_in_per_minute, &mut limits.sign_in_per_minute),
            (self.limits.at_once, &mut limits.at_once),
            (self.limits.per_minute, &mut limits.per_minute),
        ] {
            match set {
                Some(0) => return Err(ConfigError::invalid("ban.limits", "every limit is at least 1")),
                Some(value) => *limit = value,
                None => {}
            }
        }
        match self.limits.refused_per_minute {
            Some(0) => return Err(ConfigError::invalid("ban.limits", "every limit is at least 1")),
            // In the strict preset the first one bans, whatever the file says.
            Some(_) if self.preset == Preset::Strict => {}
            Some(value) => limits.refused_per_minute = Some(value),
            None => {}
        }
        Ok(policy)
    }
}

impl BanRuleSettings {
    fn apply(&self, name: &str, rule: &mut BanRule) -> Result<(), ConfigError> {
        let spans = self.ladder.iter().flatten().chain(&self.window).chain(&self.quiet);
        if spans.into_iter().any(|span| span.0.as_secs() > CENTURY) {
            return Err(ConfigError::invalid(name, "a duration must be at most a century"));
        }
        if self.window.is_some_and(|window| window.0.is_zero()) {
            return Err(ConfigError::invalid(name, "window must not be 0, in which nothing can happen"));
        }
        if let Some(threshold) = self.threshold {
            if threshold == 0 {
                return Err(ConfigError::invalid(name, "threshold must be at least 1"));
            }
            rule.threshold = threshold;
        }
        if let Some(ladder) = &self.ladder {
            let lengths: Vec<i64> = ladder.iter().map(|span| span.ms()).collect();
            if lengths.is_empty() || lengths.contains(&0) || !lengths.is_sorted() {
                return Err(ConfigError::invalid(
                    name,
                    "ladder must be a list of increasing durations, like [\"2s\", \"1m\"]",
                ));
            }
            rule.ladder_ms = lengths;
        }
        if let Some(window) = self.window {
            rule.window_ms = window.ms();
        }
        if let Some(quiet) = self.quiet {
            rule.quiet_ms = quiet.ms();
        }
        Ok(())
    }
}
