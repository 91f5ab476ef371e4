//! `[keys]`: how long keys serve.

use super::durations::Span;
use super::layers::ConfigError;
use serde::{Deserialize, Serialize};

const WEEK: u64 = 7 * 24 * 60 * 60;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keys {
    /// How long a replaced version of a person's key serves on.
    pub overlap: Span,
}

impl Default for Keys {
    fn default() -> Self {
        Self { overlap: Span::seconds(60 * 60) }
    }
}

impl Keys {
    /// # Errors
    /// A second to a week.
    pub fn check(&self) -> Result<(), ConfigError> {
        match self.overlap.0.as_secs() {
            1..=WEEK => Ok(()),
            _ => Err(ConfigError::invalid("keys.overlap", "write 1s to 7d")),
        }
    }
}
