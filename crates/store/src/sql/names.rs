//! Keys and skeletons of account names: look-up by name, and similar names.

use super::audit::append;
use super::backend::{Backend, Value};
use super::named_locks::lock_named;
use super::session_writes::mark_sessions;
use super::statement::sql;
use super::store::SqlStore;
use super::tx::{Record, Tx};
use super::write::Write;
use crate::Result;
use crate::audit::AuditEntry;
use crate::users::{NamedAccount, OddNames, RenameOutcome};
use domain::UnixMs;
use domain::account::{AccountName, has_deceptive_marks, name_key, name_skeleton};
use domain::ids::UserId;

/// Number of rows that are read or written at a time.
const PAGE: i64 = 500;

sql! {
    ALIKE = "SELECT COUNT(*) AS n FROM users WHERE skeleton = $1 AND id <> $2";
    // Rows from before skeletons existed or changed, in the order in which the names were chosen.
    UNSEEN = "SELECT id, name, name_key FROM users WHERE skeleton = '' AND deleted_at IS NULL ORDER BY created_at, id";
    SEE = "UPDATE users SET skeleton = $2 WHERE id = $1";
    HOLDERS = "SELECT COUNT(*) AS n FROM users WHERE name_key = $1 AND id <> $2";
    SET_KEY = "UPDATE users SET name_key = $2 WHERE id = $1";
    RENAME = "UPDATE users SET name = $2, name_key = $3, skeleton = $4 WHERE id = $1 AND deleted_at IS NULL";
    // The names whose key an engine cannot compute: those beyond ASCII, and those whose key is not their lower case.
    KEYS = "SELECT id, name, name_key FROM users
        WHERE id > $1 AND deleted_at IS NULL AND (octet_length(name) <> length(name) OR lower(name) <> name_key)
        ORDER BY id LIMIT $2";
    LOOK_ALIKES = "SELECT id, name, skeleton FROM users WHERE skeleton IN
            (SELECT skeleton FROM users WHERE skeleton > '' GROUP BY skeleton HAVING COUNT(*) > 1)
        ORDER BY skeleton, name_key LIMIT $1";
    // Rows from before display names had keys.
    UNKEYED = "SELECT id, display_name FROM users WHERE display_key IS NULL AND display_name IS NOT NULL LIMIT $1";
    SET_DISPLAY_KEY = "UPDATE users SET display_key = $3 WHERE id = $1 AND display_name = $2";
}

/// Returns whether another account's name looks like this one. The caller holds the lock "new user". Otherwise two
/// similar names could be added at the same time.
pub(super) async fn is_confusable<DB: Backend>(tx: &mut Tx<'_, DB>, skeleton: &str, id: &UserId) -> Result<bool> {
    Ok(tx.count(ALIKE, &[Value::Text(skeleton), Value::Text(id.as_str())]).await? > 0)
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
        lock_named(tx, "new user", UnixMs::EPOCH).await?;
        let mut adopted = Adopted::default();
        for row in tx.all(UNSEEN, &[]).await? {
            let (id, name, old) = (row.text("id")?, row.text("name")?, row.text("name_key")?);
            let key = name_key(&name);
            adopted.seen += 1;
            if key != old {
                if tx.count(HOLDERS, &[Value::Text(&key), Value::Text(&id)]).await? > 0 {
                    adopted.colliding.push(id.as_str().into());
                } else {
                    tx.execute(SET_KEY, &[Value::Text(&id), Value::Text(&key)]).await?;
                    adopted.changed += 1;
                }
            }
            tx.execute(SEE, &[Value::Text(&id), Value::Text(&name_skeleton(&name))]).await?;
        }
        Ok(adopted)
    }
}

/// Writes the missing keys of a number of display names, and returns how many there were.
struct KeyDisplayNames;

impl Write for KeyDisplayNames {
    type Output = usize;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<usize> {
        tx.wait_for_long_statements();
        lock_named(tx, "profiles", UnixMs::EPOCH).await?;
        let rows = tx.all(UNKEYED, &[Value::Int(PAGE)]).await?;
        for row in &rows {
            let (id, name) = (row.text("id")?, row.text("display_name")?);
            let values = [Value::Text(&id), Value::Text(&name), Value::Text(&name_key(&name))];
            tx.execute(SET_DISPLAY_KEY, &values).await?;
        }
        Ok(rows.len())
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
        if tx.count(HOLDERS, &[Value::Text(key), id]).await? > 0 {
            return Ok(RenameOutcome::NameTaken);
        }
        if is_confusable(tx, &skeleton, &self.id).await? {
            return Ok(RenameOutcome::NameConfusable);
        }
        let values = [id, Value::Text(self.name.as_str()), Value::Text(key), Value::Text(&skeleton)];
        if tx.execute(RENAME, &values).await? == 0 {
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
        if self.reads.without_timeout().all(UNSEEN, &[]).await?.is_empty() {
            return Ok(());
        }
        let Adopted { seen, changed, colliding } = self.write(AdoptNames).await?;
        tracing::info!(seen, changed, "account names now follow the rules of this version");
        for id in colliding {
            tracing::error!(user = %id, "an account shares its name with another one; 'postern doctor' says what to do");
        }
        Ok(())
    }

    /// Writes the keys of display names from an earlier version, a part of them in each transaction.
    pub(super) async fn key_display_names(&self) -> Result<()> {
        if self.reads.without_timeout().all(UNKEYED, &[Value::Int(1)]).await?.is_empty() {
            return Ok(());
        }
        let mut keyed = 0;
        loop {
            let now_keyed = self.write(KeyDisplayNames).await?;
            keyed += now_keyed;
            if now_keyed == 0 {
                break;
            }
        }
        tracing::info!(keyed, "the search for accounts now finds display names of an earlier version");
        Ok(())
    }

    /// Examines the names whose key an engine cannot compute. Reads them in parts, so that the memory does not depend on
    /// their number.
    pub(super) async fn find_odd_names(&self) -> Result<OddNames> {
        let (mut found, mut after) = (OddNames::default(), String::new());
        loop {
            let rows = self.reads.without_timeout().all(KEYS, &[Value::Text(&after), Value::Int(PAGE)]).await?;
            let Some(last) = rows.last() else { return Ok(found) };
            after = last.text("id")?;
            for row in &rows {
                let account = named(row)?;
                if has_deceptive_marks(&account.name) {
                    found.marked.push(account.clone());
                }
                if name_key(&account.name) != row.text("name_key")? {
                    found.stray.push(account);
                }
            }
        }
    }

    /// Returns groups of accounts whose names look alike, with at most `limit` accounts.
    pub(super) async fn find_look_alikes(&self, limit: u32) -> Result<Vec<Vec<NamedAccount>>> {
        let mut groups: Vec<Vec<NamedAccount>> = Vec::new();
        let mut skeleton = String::new();
        for row in self.reads.without_timeout().all(LOOK_ALIKES, &[Value::Int(limit.into())]).await? {
            let own = row.text("skeleton")?;
            if own != skeleton {
                groups.push(Vec::new());
                skeleton = own;
            }
            if let Some(group) = groups.last_mut() {
                group.push(named(&row)?);
            }
        }
        Ok(groups)
    }
}

fn named<DB: Backend>(row: &Record<DB>) -> Result<NamedAccount> {
    Ok(NamedAccount { id: row.text("id")?.into(), name: row.text("name")? })
}
