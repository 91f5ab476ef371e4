//! Keys and skeletons of account names: look-up by name, and similar names.

use super::audit::append;
use super::backend::{Backend, Value};
use super::named_locks::lock_named;
use super::session_writes::mark_sessions;
use super::statement::sql;
use super::store::SqlStore;
use super::tx::Tx;
use super::write::Write;
use crate::Result;
use crate::audit::AuditEntry;
use crate::users::RenameOutcome;
use domain::UnixMs;
use domain::account::{AccountName, name_key, name_skeleton};
use domain::ids::UserId;

sql! {
    ALIKE = "SELECT COUNT(*) AS n FROM users WHERE skeleton = $1 AND id <> $2";
    // Rows from before skeletons existed or changed, in the order in which the names were chosen.
    UNSEEN = "SELECT id, name, name_key FROM users WHERE skeleton = '' AND deleted_at IS NULL ORDER BY created_at, id";
    SEE = "UPDATE users SET skeleton = $2 WHERE id = $1";
    HOLDERS = "SELECT COUNT(*) AS n FROM users WHERE name_key = $1 AND id <> $2";
    SET_KEY = "UPDATE users SET name_key = $2 WHERE id = $1";
    RENAME = "UPDATE users SET name = $2, name_key = $3, skeleton = $4 WHERE id = $1 AND deleted_at IS NULL";
    KEYS = "SELECT id, name, name_key FROM users WHERE deleted_at IS NULL";
}

/// Returns whether another account's name looks like this one. The caller holds the lock "new user". Otherwise two
/// similar names could be added at the same time.
pub(super) async fn is_confusable<DB: Backend>(tx: &mut Tx<'_, DB>, skeleton: &str, id: &UserId) -> Result<bool> {
    Ok(tx.count(ALIKE, [Value::Text(skeleton), Value::Text(id.as_str())]).await? > 0)
}

/// Updates the keys and skeletons of accounts from an earlier version. An account keeps its old key if another one has
/// the new one: accounts are never merged.
pub(super) struct AdoptNames;

/// The result of [`AdoptNames`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Adopted {
    /// Number of checked accounts.
    pub seen: usize,
    /// Number of accounts that are now found by more spellings.
    pub changed: usize,
    /// The ids of accounts that keep their old key.
    pub colliding: Vec<UserId>,
}

impl Write for AdoptNames {
    type Output = Adopted;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<Adopted> {
        // The time only informs readers of the table, and no clock is available here.
        tx.wait_for_long_statements();
        lock_named(tx, "new user", 0).await?;
        let mut adopted = Adopted::default();
        for row in tx.all(UNSEEN, []).await? {
            let (id, name, old) = (row.text("id")?, row.text("name")?, row.text("name_key")?);
            let key = name_key(&name);
            adopted.seen += 1;
            if key != old {
                if tx.count(HOLDERS, [Value::Text(&key), Value::Text(&id)]).await? > 0 {
                    adopted.colliding.push(id.as_str().into());
                } else {
                    tx.execute(SET_KEY, [Value::Text(&id), Value::Text(&key)]).await?;
                    adopted.changed += 1;
                }
            }
            tx.execute(SEE, [Value::Text(&id), Value::Text(&name_skeleton(&name))]).await?;
        }
        Ok(adopted)
    }
}

pub(super) struct RenameUser {
    pub id: UserId,
    pub name: AccountName,
    pub audit: AuditEntry,
    pub now: UnixMs,
}

impl Write for RenameUser {
    type Output = RenameOutcome;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<RenameOutcome> {
        lock_named(tx, "new user", self.now).await?;
        let (id, key, skeleton) = (Value::Text(self.id.as_str()), self.name.key(), self.name.skeleton());
        if tx.count(HOLDERS, [Value::Text(key), id]).await? > 0 {
            return Ok(RenameOutcome::NameTaken);
        }
        if is_confusable(tx, &skeleton, &self.id).await? {
            return Ok(RenameOutcome::NameConfusable);
        }
        let values = [id, Value::Text(self.name.as_str()), Value::Text(key), Value::Text(&skeleton)];
        if tx.execute(RENAME, values).await? == 0 {
            return Ok(RenameOutcome::NoUser);
        }
        mark_sessions(tx, &self.id, self.now).await?;
        append(tx, &self.audit).await?;
        Ok(RenameOutcome::Renamed)
    }
}

impl<DB: Backend> SqlStore<DB> {
    /// Updates the names of accounts from an earlier version.
    pub(super) async fn adopt_names(&self) -> Result<()> {
        if self.reads.without_timeout().all(UNSEEN, []).await?.is_empty() {
            return Ok(());
        }
        let Adopted { seen, changed, colliding } = self.write(AdoptNames).await?;
        tracing::info!(seen, changed, "account names now follow the rules of this version");
        for id in colliding {
            tracing::error!(user = %id, "an account shares its name with another one; 'postern doctor' says what to do");
        }
        Ok(())
    }

    pub(super) async fn find_stray_names(&self) -> Result<Vec<UserId>> {
        let mut stray = Vec::new();
        for row in self.reads.without_timeout().all(KEYS, []).await? {
            if name_key(&row.text("name")?) != row.text("name_key")? {
                stray.push(row.text("id")?.into());
            }
        }
        Ok(stray)
    }
}
