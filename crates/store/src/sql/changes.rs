use super::backend::Backend;
use super::statement::sql;
use super::store::SqlStore;
use super::tx::Tx;
use super::{ban_rows, session_writes};
use crate::Result;
use crate::changes::{Changes, LastChanges};
use async_trait::async_trait;

sql! {
    LAST = "SELECT name, value FROM sequences";
}

#[async_trait]
impl<DB: Backend> Changes for SqlStore<DB> {
    async fn last_changes(&self) -> Result<LastChanges> {
        let mut connection = self.order.acquire().await?;
        let mut last = LastChanges::default();
        for row in Tx::<DB>::on(&mut connection).all(LAST, []).await? {
            match row.text("name")?.as_str() {
                ban_rows::SEQUENCE => last.bans = row.int("value")?,
                session_writes::SEQUENCE => last.sessions = row.int("value")?,
                _ => {}
            }
        }
        Ok(last)
    }
}
