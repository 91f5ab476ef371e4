use serde::Serialize;

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
