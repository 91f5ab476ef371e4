//! The parameters of argon2id, and which of them a password check uses.

use argon2::Params;
use phc::PasswordHash;
use std::collections::BTreeSet;
use std::fmt;

/// The parameters of argon2id that determine the time of a hash, ordered from the cheapest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cost {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
}

impl Cost {
    pub fn of(params: &Params) -> Self {
        Self { memory_kib: params.m_cost(), passes: params.t_cost(), lanes: params.p_cost() }
    }

    /// Reads a PHC string, with or without salt and output. Returns `None` if it is not for argon2id.
    pub fn parse(phc: &str) -> Option<Self> {
        let hash = PasswordHash::new(phc).ok().filter(|hash| hash.algorithm.as_str() == "argon2id")?;
        Params::try_from(&hash).ok().as_ref().map(Self::of)
    }

    pub fn params(self, output: usize) -> Result<Params, argon2::Error> {
        Params::new(self.memory_kib, self.passes, self.lanes, Some(output))
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m={},t={},p={}", self.memory_kib, self.passes, self.lanes)
    }
}

/// The work of one hash, by algorithm and parameters. bcrypt comes from imported accounts only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Work {
    Bcrypt(u32),
    Argon2(Cost),
}

impl Work {
    /// Reads the parameters of a stored hash, with or without salt and output: a PHC string, or `$2b$12$`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix("$2b$") {
            Some(rest) => Some(Self::Bcrypt(rest.get(..2)?.parse().ok()?)),
            None => Cost::parse(text).map(Self::Argon2),
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bcrypt(cost) => write!(f, "bcrypt={cost}"),
            Self::Argon2(cost) => cost.fmt(f),
        }
    }
}

/// Returns the work of a check: that of new hashes, those of all stored hashes, and the account's own.
///
/// If a check did only the work of its own account, its time would show whether the name exists while accounts have
/// different parameters. So each check does all of it, always in the same order.
pub(super) fn of_a_check(current: Work, own: Work, stored: impl IntoIterator<Item = Work>) -> BTreeSet<Work> {
    stored.into_iter().chain([current, own]).collect()
}
