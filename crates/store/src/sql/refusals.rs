use super::backend::{Backend, Value};
use super::statement::sql;
use super::store::SqlStore;
use super::tx::Tx;
use crate::Result;
use crate::refusals::{HOUR_MS, RefusalCount, Refusals};
use async_trait::async_trait;
use domain::UnixMs;
use domain::ban::Trigger;

sql! {
    COUNT = "INSERT INTO refusals (hour, cause, refused) VALUES ($1, $2, 1)
        ON CONFLICT (hour, cause) DO UPDATE SET refused = refusals.refused + 1";
    SINCE = "SELECT hour, cause, refused FROM refusals WHERE hour >= $1 ORDER BY hour, cause";
}

/// Counts one refusal. All refusals of an hour update the same row, so do this late in a transaction: the row stays
/// locked until the commit.
pub(super) async fn count<DB: Backend>(tx: &mut Tx<'_, DB>, trigger: Trigger, now: UnixMs) -> Result<()> {
    let hour = now - now.as_millis().rem_euclid(HOUR_MS);
    tx.execute(COUNT, &[Value::Time(hour), Value::Text(trigger.as_str())]).await.map(drop)
}

#[async_trait]
impl<DB: Backend> Refusals for SqlStore<DB> {
    async fn refused(&self, since: UnixMs) -> Result<Vec<RefusalCount>> {
        let rows = self.all(SINCE, &[Value::Time(since)]).await?;
        rows.iter()
            .map(|row| {
                Ok(RefusalCount {
                    hour: row.time("hour")?,
                    trigger: row.enum_column("refusals", "cause", Trigger::parse)?,
                    count: u64::try_from(row.int("refused")?).unwrap_or_default(),
                })
            })
            .collect()
    }
}
