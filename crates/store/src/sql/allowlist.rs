use super::audit::append;
use super::backend::{Backend, Value};
use super::named_locks::lock_named;
use super::sequences::{self, Sequence};
use super::statement::sql;
use super::store::SqlStore;
use super::tx::{Record, Tx};
use super::write::Write;
use crate::Result;
use crate::allowlist::{ALLOWLIST_CAP, AllowOutcome, AllowedNetwork, Allowlist};
use crate::audit::AuditEntry;
use async_trait::async_trait;

sql! {
    ALL = "SELECT id, network, comment, expires_at, made_by, created_at FROM allowlist ORDER BY id DESC";
    OTHERS = "SELECT COUNT(*) AS n FROM allowlist WHERE network <> $1";
    ALLOW = "INSERT INTO allowlist (id, network, comment, expires_at, made_by, created_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (network) DO UPDATE SET id = excluded.id, comment = excluded.comment,
            expires_at = excluded.expires_at, made_by = excluded.made_by, created_at = excluded.created_at";
    DISALLOW = "DELETE FROM allowlist WHERE id = $1";
}

struct AllowNetwork {
    allowed: AllowedNetwork,
    audit: AuditEntry,
}

impl Write for AllowNetwork {
    type Output = AllowOutcome;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<AllowOutcome> {
        let AllowedNetwork { id, network, comment, expires_at, made_by, created_at } = &self.allowed;
        lock_named(tx, "allowlist", *created_at).await?;
        let network = network.to_string();
        if tx.count(OTHERS, &[Value::Text(&network)]).await? >= ALLOWLIST_CAP {
            return Ok(AllowOutcome::Full);
        }
        let values = [
            Value::Text(id),
            Value::Text(&network),
            Value::Text(comment),
            Value::OptTime(*expires_at),
            Value::Text(made_by),
            Value::Time(*created_at),
        ];
        tx.execute(ALLOW, &values).await?;
        sequences::next(tx, Sequence::Allowlist).await?;
        append(tx, &self.audit).await?;
        Ok(AllowOutcome::Added)
    }
}

struct DisallowNetwork {
    id: String,
    audit: AuditEntry,
}

impl Write for DisallowNetwork {
    type Output = bool;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        if tx.execute(DISALLOW, &[Value::Text(&self.id)]).await? == 0 {
            return Ok(false);
        }
        sequences::next(tx, Sequence::Allowlist).await?;
        append(tx, &self.audit).await?;
        Ok(true)
    }
}

#[async_trait]
impl<DB: Backend> Allowlist for SqlStore<DB> {
    async fn allowlist(&self) -> Result<Vec<AllowedNetwork>> {
        self.all(ALL, &[]).await?.iter().map(allowed).collect()
    }

    async fn allow(&self, allowed: &AllowedNetwork, audit: &AuditEntry) -> Result<AllowOutcome> {
        self.write(AllowNetwork { allowed: allowed.clone(), audit: audit.clone() }).await
    }

    async fn disallow(&self, id: &str, audit: &AuditEntry) -> Result<bool> {
        self.write(DisallowNetwork { id: id.to_owned(), audit: audit.clone() }).await
    }
}

fn allowed<DB: Backend>(row: &Record<DB>) -> Result<AllowedNetwork> {
    Ok(AllowedNetwork {
        id: row.text("id")?,
        network: row.enum_column("allowlist", "network", |text| text.parse().ok())?,
        comment: row.text("comment")?,
        expires_at: row.opt_time("expires_at")?,
        made_by: row.text("made_by")?,
        created_at: row.time("created_at")?,
    })
}
