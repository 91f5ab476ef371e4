//! What keeps a store alive, and ends it.

use crate::Result;
use async_trait::async_trait;

#[async_trait]
pub trait Upkeep {
    /// Whether the database answers.
    async fn ping(&self) -> Result<()>;
    /// Takes no more writes, waits for those under way and closes every connection.
    async fn close(&self);
}
