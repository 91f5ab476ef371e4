//! The only source of time and randomness.

use crate::{Error, Result};
use std::time::{SystemTime, UNIX_EPOCH};

/// The clock and random source of the machine.
pub trait Environment: std::fmt::Debug + Send + Sync {
    /// Returns the time in unix nanoseconds.
    fn now_ns(&self) -> i64;

    /// Fills the bytes with random values.
    ///
    /// # Errors
    /// The random source failed.
    fn fill(&self, bytes: &mut [u8]) -> Result<()>;
}

/// The system's clock and random source.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEnvironment;

impl Environment for SystemEnvironment {
    #[expect(clippy::disallowed_methods, reason = "this is where time enters")]
    fn now_ns(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
    }

    #[expect(clippy::disallowed_methods, reason = "this is where randomness enters")]
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        getrandom::fill(bytes).map_err(|_| Error::Random)
    }
}

impl dyn Environment + '_ {
    /// Returns the time in unix milliseconds.
    pub fn now(&self) -> i64 {
        self.now_ns() / 1_000_000
    }

    /// Returns random bytes.
    ///
    /// # Errors
    /// The random source failed.
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }
}
