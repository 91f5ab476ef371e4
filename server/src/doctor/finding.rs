use domain::UnixMs;
use serde::Serialize;
use std::time::{Duration, UNIX_EPOCH};

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A stable id, for programs.
    pub check: &'static str,
    pub state: FindingLevel,
    /// One sentence.
    pub says: String,
    /// The necessary action, if any.
    #[serde(rename = "do", skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// Severity, in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FindingLevel {
    Fine,
    /// Could be better, but may be intended.
    Hint,
    /// Will cause a problem some day.
    Warning,
    /// Causes a problem now.
    Problem,
}

impl Finding {
    pub fn fine(check: &'static str, says: impl Into<String>) -> Self {
        Self { check, state: FindingLevel::Fine, says: says.into(), advice: None }
    }

    pub fn new(check: &'static str, state: FindingLevel, says: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, state, says: says.into(), advice: Some(advice.into()) }
    }
}

impl FindingLevel {
    pub fn label(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Hint => "hint",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// Formats a time in UTC: `2026-11-21 09:00:00 UTC`.
pub(crate) fn date(at: UnixMs) -> String {
    let since = Duration::from_millis(u64::try_from(at.min(UnixMs::LAST_WRITABLE).as_millis()).unwrap_or_default());
    format!(
        "{} UTC",
        humantime::format_rfc3339_seconds(UNIX_EPOCH + since).to_string().replace('T', " ").replace('Z', "")
    )
}
