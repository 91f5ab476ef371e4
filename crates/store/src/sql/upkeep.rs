use super::access::Access;
use super::backend::{Backend, Value};
use super::statement::sql;
use super::store::{SqlStore, Writes};
use super::tx::Tx;
use crate::Result;
use crate::upkeep::{PoolUsage, SignInStats, Upkeep};
use async_trait::async_trait;
use domain::UnixMs;
use std::path::Path;

sql! {
    PING = "SELECT CAST(1 AS BIGINT) AS n";
    NEWEST = "SELECT MAX(at) AS at FROM audit";
    CROWD = "SELECT COUNT(DISTINCT user_id) AS users, COUNT(DISTINCT address) AS addresses, MIN(address) AS address
        FROM audit WHERE at >= $1 AND event IN ('login', 'user_added') AND session_id IS NOT NULL";
}

// Not in the catalogue, because PostgreSQL has no such statement.
const QUICK_CHECK: &str = "PRAGMA quick_check(1)";
const MAY_WRITE: &str = "PRAGMA query_only = OFF";
const COPY: &str = "VACUUM INTO $1";

#[async_trait]
impl<DB: Backend> Upkeep for SqlStore<DB> {
    async fn ping(&self) -> Result<()> {
        self.count(PING, &[]).await.map(drop)
    }

    fn connections(&self) -> PoolUsage {
        let idle = u32::try_from(self.reads.pool.num_idle()).unwrap_or(u32::MAX);
        PoolUsage { open: self.reads.pool.size(), idle }
    }

    async fn fault(&self) -> Result<Option<String>> {
        if matches!(self.writes, Writes::Each) {
            return Ok(None);
        }
        let row = self.one(QUICK_CHECK, &[]).await?;
        let answer = row.map_or(Ok(String::new()), |row| row.text("quick_check"))?;
        Ok((answer != "ok").then_some(answer))
    }

    async fn newest(&self) -> Result<Option<UnixMs>> {
        self.one(NEWEST, &[]).await?.map_or(Ok(None), |row| row.opt_time("at"))
    }

    async fn sign_in_stats(&self, since: UnixMs) -> Result<SignInStats> {
        let rows = self.reads.without_timeout().all(CROWD, &[Value::Time(since)]).await?;
        let Some(row) = rows.first() else {
            return Ok(SignInStats { users: 0, addresses: 0, address: None });
        };
        let count = |column| row.int(column).map(i64::unsigned_abs);
        Ok(SignInStats { users: count("users")?, addresses: count("addresses")?, address: row.opt_text("address")? })
    }

    async fn copy_to(&self, file: &Path) -> Result<bool> {
        if matches!(self.writes, Writes::Each) {
            return Ok(false);
        }
        // Detached from the pool, because this connection could write from now on.
        let mut connection = self.reads.pool.acquire().await?.detach();
        let mut tx = Tx::<DB>::on(&mut connection, Access::FILE);
        tx.execute(MAY_WRITE, &[]).await?;
        tx.execute(COPY, &[Value::Text(&file.display().to_string())]).await?;
        Ok(true)
    }

    async fn close(&self) {
        if let Writes::Grouped(writer) = &self.writes {
            writer.stop().await;
        }
        if let Some(notifications) = &self.notifications {
            notifications.end();
        }
        self.reads.close().await;
    }
}
