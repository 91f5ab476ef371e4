//! What keeps a store alive, and ends it.

use crate::Result;
use async_trait::async_trait;
use domain::UnixMs;
use std::path::Path;

/// Connections to the database that serve reads, and on PostgreSQL writes too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    pub open: u32,
    pub idle: u32,
}

/// Who signed in lately, and from how many addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crowd {
    pub users: u64,
    pub addresses: u64,
    /// One of them.
    pub address: Option<String>,
}

#[async_trait]
pub trait Upkeep {
    /// Whether the database answers.
    async fn ping(&self) -> Result<()>;
    fn connections(&self) -> Connections;
    /// What is wrong with the file, if the engine is one that can tell.
    async fn fault(&self) -> Result<Option<String>>;
    /// When the newest row of the audit trail was written.
    async fn newest(&self) -> Result<Option<UnixMs>>;
    /// Whose sign-ins the audit trail has since then.
    async fn crowd(&self, since: UnixMs) -> Result<Crowd>;
    /// Writes a copy as of one moment to a file that must not exist, while others write on.
    /// `false`: the engine has tools of its own for that, and nothing was written.
    async fn copy_to(&self, file: &Path) -> Result<bool>;
    /// Takes no more writes, waits for those under way and closes every connection.
    async fn close(&self);
}
