use super::audit::append;
use super::backend::{Backend, Value};
use super::sealed::may_be_written;
use super::statement::sql;
use super::store::SqlStore;
use super::tx::{Record, Tx};
use super::write::Write;
use crate::Result;
use crate::audit::AuditEntry;
use crate::user_keys::{NewUserKey, SealedKey, UserKey, UserKeys};
use async_trait::async_trait;
use domain::UnixMs;
use domain::ids::UserId;
use domain::user_key::{RetiredState, UserKeyVersion};

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT user_id, version, sealed, created_at, ends_at, revoked_at, made_by FROM user_keys ", $rest)
    };
}

sql! {
    NEWEST = select!("WHERE user_id = $1 ORDER BY version DESC LIMIT $2");
    ONE = select!("WHERE user_id = $1 AND version = $2");
    // Claims the next version number: of several concurrent writers one changes this row, and the others change
    // nothing.
    CLAIM = "UPDATE users SET key_version = $3 WHERE id = $1 AND key_version = $2 AND deleted_at IS NULL";
    ADD = "INSERT INTO user_keys (user_id, version, sealed, created_at, made_by) VALUES ($1, $2, $3, $4, $5)";
    REPLACE = "UPDATE user_keys SET ends_at = $3 WHERE user_id = $1 AND version = $2";
    REVOKE_CURRENT = "UPDATE user_keys SET ends_at = $3, revoked_at = $3, sealed = ''
        WHERE user_id = $1 AND version = $2";
    REVOKE_REPLACED = "UPDATE user_keys SET ends_at = $3, revoked_at = $3, sealed = ''
        WHERE user_id = $1 AND version = $2 AND revoked_at IS NULL AND ends_at > $3";
}

/// Writes a version whose number the caller has claimed.
pub(super) async fn insert<DB: Backend>(
    tx: &mut Tx<'_, DB>,
    user: &UserId,
    number: u32,
    key: &SealedKey,
    made_by: Option<&UserId>,
    now: UnixMs,
) -> Result<()> {
    may_be_written(tx, &key.0, now).await?;
    let (version, made_by) = (Value::Int(number.into()), Value::OptText(made_by.map(UserId::as_str)));
    let values = [Value::Text(user.as_str()), version, Value::Text(&key.0), Value::Time(now), made_by];
    tx.execute(ADD, &values).await.map(drop)
}

impl Write for NewUserKey {
    type Output = bool;

    fn audit(&self) -> Option<&AuditEntry> {
        self.audit.as_ref()
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let (user, next) = (Value::Text(self.user.as_str()), Value::Int(self.number.into()));
        let before = Value::Int(i64::from(self.number) - 1);
        if tx.execute(CLAIM, &[user, before, next]).await? == 0 {
            return Ok(false);
        }
        match self.retired_state {
            RetiredState::Overlap { until } => tx.execute(REPLACE, &[user, before, Value::Time(until)]).await?,
            RetiredState::Revoked => tx.execute(REVOKE_CURRENT, &[user, before, Value::Time(self.now)]).await?,
        };
        insert(tx, &self.user, self.number, &self.key, self.made_by.as_ref(), self.now).await?;
        if let Some(audit) = &self.audit {
            append(tx, audit).await?;
        }
        Ok(true)
    }
}

struct RevokeUserKey {
    user: UserId,
    number: u32,
    audit: AuditEntry,
    now: UnixMs,
}

impl Write for RevokeUserKey {
    type Output = bool;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let values = [Value::Text(self.user.as_str()), Value::Int(self.number.into()), Value::Time(self.now)];
        let revoked = tx.execute(REVOKE_REPLACED, &values).await? == 1;
        if revoked {
            append(tx, &self.audit).await?;
        }
        Ok(revoked)
    }
}

#[async_trait]
impl<DB: Backend> UserKeys for SqlStore<DB> {
    async fn user_keys(&self, user: &UserId, limit: u32) -> Result<Vec<UserKey>> {
        self.all(NEWEST, &[Value::Text(user.as_str()), Value::Int(limit.into())]).await?.iter().map(user_key).collect()
    }

    async fn user_key(&self, user: &UserId, number: u32) -> Result<Option<UserKey>> {
        let row = self.one(ONE, &[Value::Text(user.as_str()), Value::Int(number.into())]).await?;
        row.as_ref().map(user_key).transpose()
    }

    async fn add_user_key(&self, key: &NewUserKey) -> Result<bool> {
        self.write(key.clone()).await
    }

    async fn revoke_user_key(&self, user: &UserId, number: u32, audit: &AuditEntry, now: UnixMs) -> Result<bool> {
        self.write(RevokeUserKey { user: user.to_owned(), number, audit: audit.clone(), now }).await
    }

    async fn sweep_user_keys(&self, over: UnixMs, old: UnixMs) -> Result<u64> {
        Ok(self.sweep_ended_user_keys(over).await? + self.sweep_old_user_keys(old).await?)
    }
}

fn user_key<DB: Backend>(row: &Record<DB>) -> Result<UserKey> {
    Ok(UserKey {
        user: row.text("user_id")?.into(),
        version: UserKeyVersion {
            number: row.u32_column("user_keys", "version")?,
            created_at: row.time("created_at")?,
            ends_at: row.opt_time("ends_at")?,
            revoked_at: row.opt_time("revoked_at")?,
        },
        key: SealedKey(row.text("sealed")?),
        made_by: row.opt_text("made_by")?.map(Into::into),
    })
}
