//! Settings that cannot be used.

use super::layers::{Origins, source};
use std::fmt;
use std::path::Path;

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

    /// Adds the source of the setting: a file with the line, a variable, or a flag.
    pub(super) fn located(self, origins: &Origins, file: Option<&Path>) -> Self {
        match source(&self.place, origins, file) {
            Some(source) if source.ends_with(&self.place) => Self { place: source, ..self },
            Some(source) => Self { place: format!("{source}: {}", self.place), ..self },
            None => self,
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem.trim_end())
    }
}

impl std::error::Error for ConfigError {}
