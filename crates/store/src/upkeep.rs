//! What keeps a store alive, and ends it.

use crate::Result;
use async_trait::async_trait;

/// Connections to the database that serve reads, and on PostgreSQL writes too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    pub open: u32,
    pub idle: u32,
}

#[async_trait]
pub trait Upkeep {
    /// Whether the database answers.
    async fn ping(&self) -> Result<()>;
    fn connections(&self) -> Connections;
    /// Takes no more writes, waits for those under way and closes every connection.
    async fn close(&self);
}
