use super::audit::append;
use super::backend::{Backend, Value};
use super::named_locks::lock_named;
use super::sealed::may_be_written;
use super::sequences::{self, Sequence};
use super::statement::sql;
use super::store::SqlStore;
use super::tx::{Record, Tx};
use super::write::Write;
use crate::Result;
use crate::audit::AuditEntry;
use crate::keys::{KeyKind, KeyRevocation, Keys, RevokeKeyOutcome, StoredKey, line};
use async_trait::async_trait;
use domain::UnixMs;
use domain::server_key::KeySchedule;

sql! {
    ALL = "SELECT kid, kind, alg, sealed, public_half, created_at, used_from, revoked_at FROM keys ORDER BY created_at";
    ADD = "INSERT INTO keys (kid, kind, alg, sealed, created_at, used_from, revoked_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    REVOKE = "UPDATE keys SET revoked_at = $3 WHERE kid = $1 AND kind = $2 AND revoked_at IS NULL";
    ERASE = "UPDATE keys SET sealed = '', public_half = $2 WHERE kid = $1 AND sealed <> ''";
}

struct AddKey {
    key: StoredKey,
    after: Option<String>,
    audit: Option<AuditEntry>,
}

impl Write for AddKey {
    type Output = bool;

    fn audit(&self) -> Option<&AuditEntry> {
        self.audit.as_ref()
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let line = lock_schedule(tx, self.key.kind, self.key.created_at).await?;
        if line.newest().map(|newest| &newest.kid) != self.after.as_ref() {
            return Ok(false);
        }
        add(tx, &self.key).await?;
        sequences::next(tx, Sequence::Keys).await?;
        if let Some(audit) = &self.audit {
            append(tx, audit).await?;
        }
        Ok(true)
    }
}

impl Write for KeyRevocation {
    type Output = RevokeKeyOutcome;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<RevokeKeyOutcome> {
        lock_schedule(tx, self.kind, self.now).await?;
        let values = [Value::Text(&self.kid), Value::Text(self.kind.as_str()), Value::Time(self.now)];
        if tx.execute(REVOKE, &values).await? == 0 {
            return Ok(RevokeKeyOutcome::Nothing);
        }
        let line = of_kind(tx, self.kind).await?;
        let outcome = if line.needs_another() {
            add(tx, &StoredKey { used_from: line.at_once(self.now), ..self.successor.clone() }).await?;
            RevokeKeyOutcome::Replaced
        } else {
            RevokeKeyOutcome::Done
        };
        sequences::next(tx, Sequence::Keys).await?;
        append(tx, &self.audit).await?;
        Ok(outcome)
    }
}

struct EraseKey {
    kid: String,
    public_half: String,
}

impl Write for EraseKey {
    type Output = bool;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        Ok(tx.execute(ERASE, &[Value::Text(&self.kid), Value::Text(&self.public_half)]).await? == 1)
    }
}

/// Returns the keys of a kind, locked until the transaction ends.
async fn lock_schedule<DB: Backend>(tx: &mut Tx<'_, DB>, kind: KeyKind, now: UnixMs) -> Result<KeySchedule> {
    lock_named(tx, &format!("key {}", kind.as_str()), now).await?;
    of_kind(tx, kind).await
}

async fn of_kind<DB: Backend>(tx: &mut Tx<'_, DB>, kind: KeyKind) -> Result<KeySchedule> {
    let keys = tx.all(ALL, &[]).await?.iter().map(key).collect::<Result<Vec<_>>>()?;
    Ok(line(kind, &keys))
}

async fn add<DB: Backend>(tx: &mut Tx<'_, DB>, key: &StoredKey) -> Result<()> {
    may_be_written(tx, &key.sealed, key.created_at).await?;
    let values = [
        Value::Text(&key.kid),
        Value::Text(key.kind.as_str()),
        Value::Text(&key.alg),
        Value::Text(&key.sealed),
        Value::Time(key.created_at),
        Value::Time(key.used_from),
        Value::OptTime(key.revoked_at),
    ];
    tx.execute(ADD, &values).await.map(drop)
}

#[async_trait]
impl<DB: Backend> Keys for SqlStore<DB> {
    async fn keys(&self) -> Result<Vec<StoredKey>> {
        self.all(ALL, &[]).await?.iter().map(key).collect()
    }

    async fn add_key(&self, key: &StoredKey, after: Option<&str>, audit: Option<&AuditEntry>) -> Result<bool> {
        self.write(AddKey { key: key.clone(), after: after.map(str::to_owned), audit: audit.cloned() }).await
    }

    async fn revoke_key(&self, revocation: &KeyRevocation) -> Result<RevokeKeyOutcome> {
        self.write(revocation.clone()).await
    }

    async fn erase_key(&self, kid: &str, public_half: &str) -> Result<bool> {
        self.write(EraseKey { kid: kid.to_owned(), public_half: public_half.to_owned() }).await
    }
}

fn key<DB: Backend>(row: &Record<DB>) -> Result<StoredKey> {
    Ok(StoredKey {
        kid: row.text("kid")?,
        kind: row.enum_column("keys", "kind", KeyKind::parse)?,
        alg: row.text("alg")?,
        sealed: row.text("sealed")?,
        public_half: row.text("public_half")?,
        created_at: row.time("created_at")?,
        used_from: row.time("used_from")?,
        revoked_at: row.opt_time("revoked_at")?,
    })
}
