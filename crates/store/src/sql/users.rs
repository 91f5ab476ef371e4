use super::backend::{Backend, Value};
use super::named_locks::lock_named;
use super::names::{RenameUser, is_confusable};
use super::profiles::{is_email_taken, write_profile};
use super::session_writes::insert_session;
use super::statement::sql;
use super::store::SqlStore;
use super::tx::{Record, Tx};
use super::user_changes::{SetDisabled, SetRole, UpgradePassword};
use super::write::Write;
use super::{audit, invitations, reservations, user_keys};
use crate::Result;
use crate::audit::AuditEntry;
use crate::users::{
    AddUserOutcome, ChangeOutcome, DeleteUser, NamedAccount, NewPassword, NewUser, OddNames, PasswordHash,
    RenameOutcome, SetPassword, User, Users,
};
use async_trait::async_trait;
use domain::UnixMs;
use domain::account::{AccountName, Role};
use domain::ids::{SessionId, UserId};
use domain::profile::{Email, EmailAddress, EmailState};

/// The part of a PHC string before salt and output, which have a fixed length: $, 16 bytes, $, 32 bytes.
macro_rules! parameters {
    () => {
        "substr(password_hash, 1, CASE WHEN length(password_hash) > 67 THEN length(password_hash) - 67 ELSE 0 END)"
    };
}

/// A number of characters that no searched field exceeds. SQLite fails on much longer patterns.
const LONGEST_FIELD: usize = 1000;

sql! {
    COUNT = "SELECT COUNT(*) AS n FROM users WHERE deleted_at IS NULL";
    ANY = "SELECT 1 AS n FROM users WHERE deleted_at IS NULL LIMIT 1";
    BY_KEY = "SELECT id, name, password_hash, role, created_at, signed_in_at, disabled_at FROM users WHERE name_key = $1";
    BY_ID = "SELECT id, name, password_hash, role, created_at, signed_in_at, disabled_at FROM users WHERE id = $1 AND deleted_at IS NULL";
    ALL = "SELECT id, name, name_key, password_hash, role, created_at, signed_in_at, disabled_at FROM users
        WHERE deleted_at IS NULL";
    PAGE = "SELECT id, name, password_hash, role, created_at, signed_in_at, disabled_at FROM users
        WHERE deleted_at IS NULL AND name_key > COALESCE((SELECT name_key FROM users WHERE id = $1), '')
        ORDER BY name_key LIMIT $2";
    // The inner statement reads an index alone, and the outer one the rows of one page. No membership is read if no
    // group's name matches.
    SEARCH = "SELECT id, name, password_hash, role, created_at, signed_in_at, disabled_at FROM users
        WHERE id IN (SELECT id FROM users
            WHERE deleted_at IS NULL
                AND name_key > COALESCE((SELECT name_key FROM users WHERE id = $1 AND deleted_at IS NULL), '')
                AND (name_key LIKE $2 ESCAPE '\\' OR email_key LIKE $2 ESCAPE '\\' OR display_key LIKE $2 ESCAPE '\\'
                    OR id IN (SELECT user_id FROM group_members WHERE group_id IN
                        (SELECT id FROM user_groups WHERE name_key LIKE $2 ESCAPE '\\')))
            ORDER BY name_key LIMIT $3)
        ORDER BY name_key";
    // Steps from one value to the next by the index on the expression. A DISTINCT would read every account.
    PARAMETERS = concat!(
        "WITH RECURSIVE used(parameters) AS (
            SELECT MIN(", parameters!(), ") FROM users
            UNION ALL
            SELECT (SELECT MIN(", parameters!(), ") FROM users WHERE ", parameters!(), " > used.parameters)
            FROM used WHERE used.parameters IS NOT NULL
        )
        SELECT parameters FROM used WHERE parameters <> ''"
    );
    // Those of imported hashes, in the same way.
    IMPORTED_PARAMETERS = "WITH RECURSIVE used(parameters) AS (
            SELECT MIN(imported_parameters) FROM users WHERE imported_parameters IS NOT NULL
            UNION ALL
            SELECT (SELECT MIN(imported_parameters) FROM users WHERE imported_parameters > used.parameters)
            FROM used WHERE used.parameters IS NOT NULL
        )
        SELECT parameters FROM used WHERE parameters IS NOT NULL";
    // Deletes only a row that the same transaction has just inserted.
    TAKE_BACK = "DELETE FROM users WHERE id = $1";
    ADD = "INSERT INTO users (id, name, name_key, password_hash, role, created_at, key_version, skeleton)
        VALUES ($1, $2, $3, $4, $5, $6, 1, $7) ON CONFLICT (name_key) DO NOTHING";
}

impl Write for NewUser {
    type Output = AddUserOutcome;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<AddUserOutcome> {
        if let Some(attempt) = &self.attempt {
            reservations::release(tx, attempt).await?;
        }
        // Every new user takes this lock, so that a set-up cannot run beside an ordinary first user.
        lock_named(tx, "new user", self.now).await?;
        if self.only_first && tx.one(ANY, &[]).await?.is_some() {
            return Ok(AddUserOutcome::NotFirst);
        }
        let skeleton = self.name.skeleton();
        let values = [
            Value::Text(self.id.as_str()),
            Value::Text(self.name.as_str()),
            Value::Text(self.name.key()),
            Value::Text(&self.password_hash.0),
            Value::Text(self.role.as_str()),
            Value::Time(self.now),
            Value::Text(&skeleton),
        ];
        // Checked first and under the lock: of two similar names added at the same time, one is refused.
        let alike = is_confusable(tx, &skeleton, &self.id).await?;
        if tx.execute(ADD, &values).await? == 0 {
            return Ok(AddUserOutcome::NameTaken);
        }
        if alike {
            tx.execute(TAKE_BACK, &[Value::Text(self.id.as_str())]).await?;
            return Ok(AddUserOutcome::NameConfusable);
        }
        if let Some(invitation) = &self.invitation {
            let address = invitations::address(tx, invitation).await?;
            if !invitations::use_up(tx, invitation, &self.id, self.now).await? {
                tx.execute(TAKE_BACK, &[Value::Text(self.id.as_str())]).await?;
                return Ok(AddUserOutcome::NotInvited);
            }
            if let Some(address) = address {
                self.take_address(tx, address).await?;
            }
        }
        user_keys::insert(tx, &self.id, 1, &self.key, None, self.now).await?;
        if let Some(session) = &self.session {
            insert_session(tx, session).await?;
        }
        audit::append(tx, &self.audit).await?;
        Ok(AddUserOutcome::Added)
    }
}

impl NewUser {
    /// Gives the account the address that an administrator mailed its invitation to, unless another account has it by now.
    async fn take_address<DB: Backend>(&self, tx: &mut Tx<'_, DB>, address: EmailAddress) -> Result<()> {
        // After the lock "new user", as an import takes them.
        lock_named(tx, "profiles", self.now).await?;
        if !is_email_taken(tx, &address, &self.id).await? {
            let email = Email { address, state: EmailState::VouchedFor };
            write_profile(tx, &self.id, None, Some(&email)).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl<DB: Backend> Users for SqlStore<DB> {
    async fn user_count(&self) -> Result<u64> {
        self.count(COUNT, &[]).await
    }

    async fn has_users(&self) -> Result<bool> {
        Ok(self.one(ANY, &[]).await?.is_some())
    }

    async fn user_by_key(&self, key: &str) -> Result<Option<User>> {
        self.one(BY_KEY, &[Value::Text(key)]).await?.as_ref().map(user).transpose()
    }

    async fn user_by_id(&self, id: &UserId) -> Result<Option<User>> {
        self.one(BY_ID, &[Value::Text(id.as_str())]).await?.as_ref().map(user).transpose()
    }

    async fn users(&self) -> Result<Vec<User>> {
        let mut named = Vec::new();
        for row in self.all(ALL, &[]).await? {
            named.push((row.text("name_key")?, user(&row)?));
        }
        // Sorted here, because engines and locales sort differently.
        named.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(named.into_iter().map(|(_, user)| user).collect())
    }

    async fn users_after(&self, after: &str, limit: u32) -> Result<Vec<User>> {
        self.all(PAGE, &[Value::Text(after), Value::Int(limit.into())]).await?.iter().map(user).collect()
    }

    async fn search_users(&self, word: &str, after: &str, limit: u32) -> Result<Vec<User>> {
        if word.chars().nth(LONGEST_FIELD).is_some() {
            return Ok(Vec::new());
        }
        let pattern = containing(word);
        let values = [Value::Text(after), Value::Text(&pattern), Value::Int(limit.into())];
        self.all(SEARCH, &values).await?.iter().map(user).collect()
    }

    async fn password_parameters(&self) -> Result<Vec<String>> {
        let mut parameters = Vec::new();
        for sql in [PARAMETERS, IMPORTED_PARAMETERS] {
            for row in self.all(sql, &[]).await? {
                parameters.push(row.text("parameters")?);
            }
        }
        Ok(parameters)
    }

    async fn add_user(&self, user: &NewUser) -> Result<AddUserOutcome> {
        self.write(user.clone()).await
    }

    async fn set_password(&self, password: &SetPassword) -> Result<bool> {
        self.write(password.clone()).await
    }

    async fn change_password(&self, password: &NewPassword) -> Result<Option<Vec<SessionId>>> {
        self.write(password.clone()).await
    }

    async fn upgrade_password(&self, id: &UserId, old: &PasswordHash, new: &PasswordHash) -> Result<bool> {
        self.write(UpgradePassword { id: id.to_owned(), old: old.clone(), new: new.clone() }).await
    }

    async fn set_disabled(
        &self,
        id: &UserId,
        disabled: bool,
        audit: &AuditEntry,
        now: UnixMs,
    ) -> Result<ChangeOutcome> {
        self.write(SetDisabled { id: id.to_owned(), disabled, audit: audit.clone(), now }).await
    }

    async fn set_role(&self, id: &UserId, role: Role, audit: &AuditEntry, now: UnixMs) -> Result<ChangeOutcome> {
        self.write(SetRole { id: id.to_owned(), role, audit: audit.clone(), now }).await
    }

    async fn delete_user(&self, deletion: &DeleteUser) -> Result<ChangeOutcome> {
        self.write(deletion.clone()).await
    }

    async fn rename_user(
        &self,
        id: &UserId,
        name: &AccountName,
        audit: &AuditEntry,
        now: UnixMs,
    ) -> Result<RenameOutcome> {
        self.write(RenameUser { id: id.to_owned(), name: name.clone(), audit: audit.clone(), now }).await
    }

    async fn odd_names(&self) -> Result<OddNames> {
        self.find_odd_names().await
    }

    async fn look_alikes(&self, limit: u32) -> Result<Vec<Vec<NamedAccount>>> {
        self.find_look_alikes(limit).await
    }

    async fn sweep_users(&self, before: UnixMs) -> Result<u64> {
        self.sweep_deleted(before).await
    }
}

/// Returns the pattern of `LIKE` for texts that contain this one, in which no character has a meaning.
fn containing(word: &str) -> String {
    let mut pattern = String::from("%");
    for character in word.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

pub(super) fn user<DB: Backend>(row: &Record<DB>) -> Result<User> {
    Ok(User {
        id: row.text("id")?.into(),
        name: row.text("name")?,
        password_hash: PasswordHash(row.text("password_hash")?),
        role: row.enum_column("users", "role", Role::parse)?,
        created_at: row.time("created_at")?,
        signed_in_at: row.opt_time("signed_in_at")?,
        disabled_at: row.opt_time("disabled_at")?,
    })
}
