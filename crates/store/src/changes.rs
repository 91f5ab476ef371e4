//! The order of changes that nodes tell each other.

use crate::Result;
use async_trait::async_trait;

/// The number of the last change of each kind, in the order of commits: a node that has read a change has read all with
/// lower numbers. A number lower than an earlier answer means that the database is an older copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LastChanges {
    pub bans: i64,
    pub sessions: i64,
}

#[async_trait]
pub trait Changes {
    /// Returns the last numbers. On PostgreSQL this has a connection of its own, which requests cannot take.
    async fn last_changes(&self) -> Result<LastChanges>;
}
