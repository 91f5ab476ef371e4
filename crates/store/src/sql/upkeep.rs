use super::backend::Backend;
use super::catalogue::{sql, statements};
use super::store::{SqlStore, Writes};
use crate::Result;
use crate::upkeep::{Connections, Upkeep};
use async_trait::async_trait;

sql! {
    PING = "SELECT COUNT(*) AS n FROM turns";
}

impl<DB: Backend> SqlStore<DB> {
    /// Prepares every statement, so that a fault in any of them stops the start and not a request.
    pub(super) async fn check_statements(&self) -> Result<()> {
        let mut connection = self.reads.acquire().await?;
        for sql in statements() {
            DB::prepare(&mut connection, sql).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl<DB: Backend> Upkeep for SqlStore<DB> {
    async fn ping(&self) -> Result<()> {
        self.count(PING, []).await.map(drop)
    }

    fn connections(&self) -> Connections {
        let idle = u32::try_from(self.reads.num_idle()).unwrap_or(u32::MAX);
        Connections { open: self.reads.size(), idle }
    }

    async fn close(&self) {
        if let Writes::Grouped(writer) = &self.writes {
            writer.stop().await;
        }
        self.reads.close().await;
    }
}
