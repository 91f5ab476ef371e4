//! Settings that cannot be used.

use std::fmt;

/// An invalid setting.
#[derive(Debug)]
pub struct ConfigError {
    pub(super) place: String,
    pub(super) problem: String,
}

impl ConfigError {
    pub(crate) fn invalid(setting: &str, problem: &str) -> Self {
        Self { place: setting.to_owned(), problem: problem.to_owned() }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem.trim_end())
    }
}

impl std::error::Error for ConfigError {}
