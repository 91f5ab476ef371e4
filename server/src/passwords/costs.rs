//! Parameters of argon2id, and which of them a check of a password hashes with.

use argon2::Params;
use phc::PasswordHash;
use std::collections::BTreeSet;
use std::fmt;

/// Parameters of argon2id that decide how long a hash takes. They are ordered: the cheapest comes first.
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

    /// Reads a PHC string, with or without salt and output. `None`: it is not argon2id's.
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

/// Returns the costs that a check pays: that of new hashes, each that some stored hash has, and the account's own.
///
/// A check that paid the cost of its own account alone would tell by its time whether the name exists, as long as
/// accounts differ in it. So each check pays all of them, in one order.
pub fn of_a_check(current: Cost, own: Cost, stored: impl IntoIterator<Item = Cost>) -> BTreeSet<Cost> {
    stored.into_iter().chain([current, own]).collect()
}
