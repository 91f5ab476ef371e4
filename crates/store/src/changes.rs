//! The order of changes by which nodes follow each other.

use crate::Result;
use async_trait::async_trait;
use domain::UnixMs;

/// The number of the last change of each kind, in the order of commits. A node that has read a change has read all with
/// lower numbers. A number lower than an earlier answer means that the database is an older copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LastChanges {
    pub bans: i64,
    pub sessions: i64,
    /// Server keys that were added or revoked.
    pub keys: i64,
    /// Key-encryption keys that were retired.
    pub sealers: i64,
    pub allowlist: i64,
    /// Clients of the OpenID provider.
    pub clients: i64,
    /// The history of the database, which a failover or a recovery to a point in time replaces. 0 for a file.
    pub timeline: i64,
    /// The database's clock. `None`: it is this machine's own, as for a file.
    pub clock: Option<UnixMs>,
}

#[async_trait]
pub trait Changes {
    /// Returns the last numbers. On PostgreSQL this has a connection of its own, which requests cannot take. Fails with
    /// [`crate::Error::NewerSchema`] as soon as a newer version has changed the tables.
    async fn last_changes(&self) -> Result<LastChanges>;

    /// Waits until [`Changes::last_changes`] may have another answer. Waits forever where the database does not tell: a
    /// file, or a pooler. Only one task calls it.
    async fn wait_for_change(&self);
}
