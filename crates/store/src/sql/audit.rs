use super::backend::{Backend, Value};
use super::catalogue::sql;
use super::store::SqlStore;
use super::tx::{Record, Tx};
use super::write::Write;
use crate::Result;
use crate::audit::{Audit, Entry, Event};
use async_trait::async_trait;
use domain::UnixMs;

sql! {
    APPEND = "INSERT INTO audit (id, at, event, outcome, user_id, session_id, address, device, actor)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    OF_USER = "SELECT id, at, event, outcome, user_id, session_id, address, device, actor
        FROM audit WHERE user_id = $1 ORDER BY at DESC LIMIT $2";
    ODD = "SELECT COUNT(*) AS n FROM audit
        WHERE user_id = $1 AND at >= $2 AND (outcome <> 'ok' OR event = 'token_reused')";
}

pub async fn append<DB: Backend>(tx: &mut Tx<'_, DB>, entry: &Entry) -> Result<()> {
    let values = [
        Value::Text(&entry.id),
        Value::Int(entry.at),
        Value::Text(entry.event.as_str()),
        Value::Text(&entry.outcome),
        Value::OptText(entry.user.as_deref()),
        Value::OptText(entry.session.as_deref()),
        Value::Text(&entry.address),
        Value::Text(&entry.device),
        Value::OptText(entry.actor.as_deref()),
    ];
    tx.execute(APPEND, values).await.map(drop)
}

impl Write for Entry {
    type Output = ();

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<()> {
        append(tx, self).await
    }
}

#[async_trait]
impl<DB: Backend> Audit for SqlStore<DB> {
    async fn append(&self, entry: &Entry) -> Result<()> {
        self.write(entry.clone()).await
    }

    async fn audit_of(&self, user: &str, limit: u32) -> Result<Vec<Entry>> {
        let rows = self.all(OF_USER, [Value::Text(user), Value::Int(limit.into())]).await?;
        let mut entries = rows.iter().map(entry).collect::<Result<Vec<_>>>()?;
        // Ids are ULIDs: they order what happened in the same millisecond.
        entries.sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
        Ok(entries)
    }

    async fn odd_entries(&self, user: &str, since: UnixMs) -> Result<u64> {
        self.count(ODD, [Value::Text(user), Value::Int(since)]).await
    }

    async fn sweep_audit(&self, before: UnixMs) -> Result<u64> {
        self.sweep_audit_before(before).await
    }
}

fn entry<DB: Backend>(row: &Record<DB>) -> Result<Entry> {
    Ok(Entry {
        id: row.text("id")?,
        at: row.int("at")?,
        event: row.word("audit", "event", Event::parse)?,
        outcome: row.text("outcome")?,
        user: row.opt_text("user_id")?,
        session: row.opt_text("session_id")?,
        address: row.text("address")?,
        device: row.text("device")?,
        actor: row.opt_text("actor")?,
    })
}
