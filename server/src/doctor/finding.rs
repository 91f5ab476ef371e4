use serde::Serialize;

/// One check and what it found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A stable word, for programs.
    pub check: &'static str,
    pub state: State,
    /// One plain sentence.
    pub says: String,
    /// What to do, where there is something to do.
    #[serde(rename = "do", skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// From the best to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Fine,
    /// Could be better, and may be meant so.
    Hint,
    /// Will hurt some day.
    Warning,
    /// Hurts now.
    Problem,
}

impl Finding {
    pub fn fine(check: &'static str, says: impl Into<String>) -> Self {
        Self { check, state: State::Fine, says: says.into(), advice: None }
    }

    pub fn new(check: &'static str, state: State, says: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, state, says: says.into(), advice: Some(advice.into()) }
    }
}

impl State {
    pub fn word(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Hint => "hint",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}
