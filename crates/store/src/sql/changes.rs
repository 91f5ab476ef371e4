use super::backend::Backend;
use super::migrations::newest_migration;
use super::sequences::Sequence;
use super::statement::sql;
use super::store::{SqlStore, Writes};
use crate::changes::{Changes, LastChanges};
use crate::{Error, Result};
use async_trait::async_trait;
use domain::UnixMs;

sql! {
    LAST = "SELECT name, value FROM sequences UNION ALL SELECT '/schema', MAX(version) FROM _sqlx_migrations";
}

// No sequence has these names.
const SCHEMA: &str = "/schema";
const CLOCK: &str = "/clock";
const TIMELINE: &str = "/timeline";
/// The query for a server. It is not in the catalogue, because SQLite has no such functions: a file has the clock of
/// its machine and one history. A standby server refuses it, which is intended, because it may lag behind.
const LAST_ON_A_SERVER: &str = "SELECT name, value FROM sequences
    UNION ALL SELECT '/schema', MAX(version) FROM _sqlx_migrations
    UNION ALL SELECT '/clock', CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)
    UNION ALL SELECT '/timeline',
        CAST(CAST('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) AS BIT(32)) AS BIGINT)";

#[async_trait]
impl<DB: Backend> Changes for SqlStore<DB> {
    async fn last_changes(&self) -> Result<LastChanges> {
        let sql = match self.writes {
            Writes::Each => LAST_ON_A_SERVER,
            Writes::Grouped(_) => LAST,
        };
        let mut last = LastChanges::default();
        for row in self.order.all(sql, &[]).await? {
            let (name, value) = (row.text("name")?, row.int("value")?);
            match Sequence::parse(&name) {
                Some(Sequence::Bans) => last.bans = value,
                Some(Sequence::Sessions) => last.sessions = value,
                Some(Sequence::Keys) => last.keys = value,
                Some(Sequence::Sealers) => last.sealers = value,
                Some(Sequence::Allowlist) => last.allowlist = value,
                Some(Sequence::Clients) => last.clients = value,
                None if name == SCHEMA && value > newest_migration() => return Err(Error::NewerSchema),
                None if name == CLOCK => last.clock = Some(UnixMs::from_millis(value)),
                None if name == TIMELINE => last.timeline = value,
                // Sequences that this version does not know are ignored.
                None => {}
            }
        }
        Ok(last)
    }
    async fn wait_for_change(&self) {
        match &self.notifications {
            Some(notifications) => notifications.wait().await,
            None => std::future::pending().await,
        }
    }
}
