//! Maintenance of a store.

use crate::Result;
use async_trait::async_trait;
use domain::UnixMs;
use std::path::Path;

/// Database connections for reads, and on PostgreSQL also for writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolUsage {
    pub open: u32,
    pub idle: u32,
}

/// Recent sign-ins: numbers of accounts and addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInStats {
    pub users: u64,
    pub addresses: u64,
    /// One of the addresses, as an example.
    pub address: Option<String>,
}

#[async_trait]
pub trait Upkeep {
    /// Whether the database answers.
    async fn ping(&self) -> Result<()>;
    fn connections(&self) -> PoolUsage;
    /// Returns damage of the database file, if the engine can detect it.
    async fn fault(&self) -> Result<Option<String>>;
    /// Returns the time of the newest row in the audit log.
    async fn newest(&self) -> Result<Option<UnixMs>>;
    /// Summarises the sign-ins in the audit log since then.
    async fn sign_in_stats(&self, since: UnixMs) -> Result<SignInStats>;
    /// Writes a consistent snapshot to a file that must not exist, while other writes continue. `false`: the engine has
    /// tools of its own, and nothing was written.
    async fn copy_to(&self, file: &Path) -> Result<bool>;
    /// Refuses further writes, waits for those in progress, and closes all connections.
    async fn close(&self);
}
