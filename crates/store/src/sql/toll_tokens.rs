//! Tokens: usage, and changes by administrators.

use super::audit::append;
use super::backend::{Backend, Value};
use super::statement::sql;
use super::tx::{Record, Tx};
use super::write::Write;
use crate::Result;
use crate::audit::AuditEntry;
use crate::toll::{TokenChange, TollToken};
use domain::thumbprint::Thumbprint;

macro_rules! tokens {
    ($rest:literal) => {
        concat!(
            "SELECT id, route, jkt, quota, used, remainder, minted_at, expires_at, provisional, asleep_at,
                suspended_at, revoked_at FROM toll_tokens ",
            $rest
        )
    };
}

sql! {
    ONE_TOKEN = tokens!("WHERE id = $1");
    LATEST_TOKENS = tokens!("ORDER BY minted_at DESC, id DESC LIMIT $1");
    USE = "UPDATE toll_tokens SET used = CASE WHEN used + $2 > quota THEN quota ELSE used + $2 END WHERE id = $1";
    SUSPEND = "UPDATE toll_tokens SET suspended_at = $2
        WHERE id = $1 AND suspended_at IS NULL AND revoked_at IS NULL";
    RESUME = "UPDATE toll_tokens SET suspended_at = NULL
        WHERE id = $1 AND suspended_at <= $2 AND revoked_at IS NULL";
    REVOKE = "UPDATE toll_tokens SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
}

pub(super) struct UseToken {
    pub id: String,
    pub requests: i64,
}

impl Write for UseToken {
    type Output = Option<TollToken>;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<Option<TollToken>> {
        tx.execute(USE, &[Value::Text(&self.id), Value::Int(self.requests.max(0))]).await?;
        token_of(tx, &self.id).await?.as_ref().map(token).transpose()
    }
}

pub(super) struct TokenWrite {
    pub id: String,
    pub change: TokenChange,
    pub audit: AuditEntry,
}

impl Write for TokenWrite {
    type Output = bool;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let sql = match self.change {
            TokenChange::Suspend => SUSPEND,
            TokenChange::Resume => RESUME,
            TokenChange::Revoke => REVOKE,
        };
        let changed = tx.execute(sql, &[Value::Text(&self.id), Value::Time(self.audit.at)]).await? == 1;
        if changed {
            append(tx, &self.audit).await?;
        }
        Ok(changed)
    }
}

pub(super) async fn token_of<DB: Backend>(tx: &mut Tx<'_, DB>, id: &str) -> Result<Option<Record<DB>>> {
    tx.one(ONE_TOKEN, &[Value::Text(id)]).await
}

/// Returns the text of the column `jkt`, which is empty without a key.
pub(super) fn key_text(key: Option<Thumbprint>) -> String {
    key.map(|jkt| jkt.to_string()).unwrap_or_default()
}

/// Reads the column `jkt`.
pub(super) fn key_column<DB: Backend>(row: &Record<DB>, table: &'static str) -> Result<Option<Thumbprint>> {
    let parse = |text: &str| if text.is_empty() { Some(None) } else { Thumbprint::parse(text).map(Some) };
    row.enum_column(table, "jkt", parse)
}

pub(super) fn token<DB: Backend>(row: &Record<DB>) -> Result<TollToken> {
    Ok(TollToken {
        id: row.text("id")?,
        route: row.text("route")?,
        jkt: key_column(row, "toll_tokens")?,
        quota: row.int("quota")?,
        used: row.int("used")?,
        remainder: row.int("remainder")?,
        minted_at: row.time("minted_at")?,
        expires_at: row.time("expires_at")?,
        provisional: row.int("provisional")? != 0,
        asleep_at: row.opt_time("asleep_at")?,
        suspended_at: row.opt_time("suspended_at")?,
        revoked_at: row.opt_time("revoked_at")?,
    })
}
