use super::accept::forgive;
use super::audit::append;
use super::backend::{Backend, Value};
use super::begin::burn;
use super::fresh_proofs::use_passkey;
use super::recovery_codes::replace_codes;
use super::reservations::release;
use super::second_factors::{factor_removed, finish_pending};
use super::session_writes::insert_session;
use super::statement::sql;
use super::store::SqlStore;
use super::strikes;
use super::tx::{Record, Tx};
use super::users::user;
use super::write::Write;
use crate::Result;
use crate::audit::AuditEntry;
use crate::passkeys::{AddPasskeyOutcome, NewPasskey, Passkey, PasskeyAcceptance, PasskeyOwner, Passkeys};
use async_trait::async_trait;
use domain::ids::UserId;
use domain::passkey::PasskeyState;

macro_rules! columns {
    () => {
        "p.id AS passkey_id, p.credential_id, p.user_id, p.relying_party, p.public_key, p.aaguid, p.transports,
            p.user_verified, p.backup_eligible, p.backed_up, p.sign_count, p.label, p.created_at AS registered_at,
            p.used_at"
    };
}

sql! {
    OF_USER = concat!("SELECT ", columns!(), " FROM passkeys p WHERE p.user_id = $1 ORDER BY p.id");
    OWNER = concat!(
        "SELECT ", columns!(), ", h.handle, u.id, u.name, u.password_hash, u.role, u.created_at, u.signed_in_at,
            u.disabled_at
        FROM passkeys p JOIN users u ON u.id = p.user_id JOIN passkey_handles h ON h.user_id = p.user_id
        WHERE p.credential_id = $1 AND u.deleted_at IS NULL"
    );
    HANDLE = "SELECT handle FROM passkey_handles WHERE user_id = $1";
    SET_HANDLE = "INSERT INTO passkey_handles (user_id, handle) VALUES ($1, $2) ON CONFLICT (user_id) DO NOTHING";
    LOCK = "UPDATE passkey_handles SET handle = handle WHERE user_id = $1";
    // Only for an account that may sign in.
    ADD = "INSERT INTO passkeys (id, credential_id, user_id, relying_party, public_key, aaguid, transports,
            user_verified, backup_eligible, backed_up, sign_count, label, created_at)
        SELECT $1, $2, u.id, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13 FROM users u
        WHERE u.id = $3 AND u.disabled_at IS NULL AND u.deleted_at IS NULL
            AND (SELECT COUNT(*) FROM passkeys WHERE user_id = $3) < $14
        ON CONFLICT (credential_id) DO NOTHING";
    IS_TAKEN = "SELECT COUNT(*) AS n FROM passkeys WHERE credential_id = $1";
    RENAME = "UPDATE passkeys SET label = $3 WHERE user_id = $1 AND id = $2";
    REMOVE = "DELETE FROM passkeys WHERE user_id = $1 AND id = $2";
    HOSTS = "SELECT relying_party, COUNT(*) AS n FROM passkeys GROUP BY relying_party ORDER BY relying_party";
}

impl Write for NewPasskey {
    type Output = AddPasskeyOutcome;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<AddPasskeyOutcome> {
        let Passkey { id, credential_id, user, state, created_at, .. } = &self.passkey;
        // Every registration of an account changes this row first, so that two of them count one after the other.
        if tx.execute(LOCK, &[Value::Text(user.as_str())]).await? == 0 {
            return Ok(AddPasskeyOutcome::Full);
        }
        if !burn(tx, &self.short_key, user.as_str(), *created_at, self.short_key_expires_at).await? {
            return Ok(AddPasskeyOutcome::Replayed);
        }
        let values = [
            Value::Text(id),
            Value::Text(credential_id),
            Value::Text(user.as_str()),
            Value::Text(&self.passkey.relying_party),
            Value::Text(&self.passkey.public_key),
            Value::Text(&self.passkey.aaguid),
            Value::Text(&self.passkey.transports),
            Value::Int(self.passkey.user_verified.into()),
            Value::Int(state.backup_eligible.into()),
            Value::Int(state.backed_up.into()),
            Value::Int(state.sign_count.into()),
            Value::Text(&self.passkey.label),
            Value::Time(*created_at),
            Value::Int(self.most.into()),
        ];
        if tx.execute(ADD, &values).await? == 1 {
            if !self.recovery_codes.is_empty() {
                replace_codes(tx, user, &self.recovery_codes, *created_at).await?;
            }
            append(tx, &self.audit).await?;
            return Ok(AddPasskeyOutcome::Added);
        }
        let taken = tx.count(IS_TAKEN, &[Value::Text(credential_id)]).await? > 0;
        Ok(if taken { AddPasskeyOutcome::Taken } else { AddPasskeyOutcome::Full })
    }
}

struct SetHandle {
    user: UserId,
    fresh: String,
}

impl Write for SetHandle {
    type Output = String;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<String> {
        tx.execute(SET_HANDLE, &[Value::Text(self.user.as_str()), Value::Text(&self.fresh)]).await?;
        let row = tx.one(HANDLE, &[Value::Text(self.user.as_str())]).await?;
        row.map_or_else(|| Ok(self.fresh.clone()), |row| row.text("handle"))
    }
}

struct RenamePasskey {
    user: UserId,
    id: String,
    label: String,
    audit: AuditEntry,
}

impl Write for RenamePasskey {
    type Output = bool;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let values = [Value::Text(self.user.as_str()), Value::Text(&self.id), Value::Text(&self.label)];
        let renamed = tx.execute(RENAME, &values).await? == 1;
        if renamed {
            append(tx, &self.audit).await?;
        }
        Ok(renamed)
    }
}

struct RemovePasskey {
    user: UserId,
    id: String,
    audit: AuditEntry,
}

impl Write for RemovePasskey {
    type Output = bool;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let removed = tx.execute(REMOVE, &[Value::Text(self.user.as_str()), Value::Text(&self.id)]).await? == 1;
        if removed {
            factor_removed(tx, &self.user).await?;
            append(tx, &self.audit).await?;
        }
        Ok(removed)
    }
}

impl Write for PasskeyAcceptance {
    type Output = bool;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        release(tx, &self.attempt).await?;
        if let Some(pending) = &self.pending
            && !finish_pending(tx, pending, self.now).await?
        {
            return Ok(false);
        }
        let own = self.passkey.user == self.session.user;
        if !own || !use_passkey(tx, &self.passkey).await? || !insert_session(tx, &self.session).await? {
            return Ok(false);
        }
        if self.forgive {
            forgive(tx, self.client_key, &self.account).await?;
        }
        strikes::succeed(tx, self.client_key, &self.account, self.now).await?;
        for entry in &self.audit {
            append(tx, entry).await?;
        }
        Ok(true)
    }
}

#[async_trait]
impl<DB: Backend> Passkeys for SqlStore<DB> {
    async fn passkeys(&self, user: &UserId) -> Result<Vec<Passkey>> {
        self.all(OF_USER, &[Value::Text(user.as_str())]).await?.iter().map(passkey).collect()
    }

    async fn passkey_handle(&self, user: &UserId) -> Result<Option<String>> {
        self.one(HANDLE, &[Value::Text(user.as_str())]).await?.map(|row| row.text("handle")).transpose()
    }

    async fn ensure_passkey_handle(&self, user: &UserId, fresh: &str) -> Result<String> {
        if let Some(handle) = self.passkey_handle(user).await? {
            return Ok(handle);
        }
        self.write(SetHandle { user: user.to_owned(), fresh: fresh.to_owned() }).await
    }

    async fn passkey_owner(&self, credential_id: &str) -> Result<Option<PasskeyOwner>> {
        let Some(row) = self.one(OWNER, &[Value::Text(credential_id)]).await? else { return Ok(None) };
        Ok(Some(PasskeyOwner { passkey: passkey(&row)?, user: user(&row)?, handle: row.text("handle")? }))
    }

    async fn add_passkey(&self, new: &NewPasskey) -> Result<AddPasskeyOutcome> {
        self.write(new.clone()).await
    }

    async fn rename_passkey(&self, user: &UserId, id: &str, label: &str, audit: &AuditEntry) -> Result<bool> {
        let (user, id, label) = (user.to_owned(), id.to_owned(), label.to_owned());
        self.write(RenamePasskey { user, id, label, audit: audit.clone() }).await
    }

    async fn remove_passkey(&self, user: &UserId, id: &str, audit: &AuditEntry) -> Result<bool> {
        self.write(RemovePasskey { user: user.to_owned(), id: id.to_owned(), audit: audit.clone() }).await
    }

    async fn accept_passkey(&self, acceptance: &PasskeyAcceptance) -> Result<bool> {
        self.write(acceptance.clone()).await
    }

    async fn passkey_hosts(&self) -> Result<Vec<(String, u64)>> {
        let count = |row: &Record<DB>| Ok((row.text("relying_party")?, row.int("n")?.unsigned_abs()));
        self.all(HOSTS, &[]).await?.iter().map(count).collect()
    }
}

fn passkey<DB: Backend>(row: &Record<DB>) -> Result<Passkey> {
    Ok(Passkey {
        id: row.text("passkey_id")?,
        credential_id: row.text("credential_id")?,
        user: row.text("user_id")?.into(),
        relying_party: row.text("relying_party")?,
        public_key: row.text("public_key")?,
        aaguid: row.text("aaguid")?,
        transports: row.text("transports")?,
        user_verified: row.int("user_verified")? != 0,
        state: PasskeyState {
            backup_eligible: row.int("backup_eligible")? != 0,
            backed_up: row.int("backed_up")? != 0,
            sign_count: row.u32_column("passkeys", "sign_count")?,
        },
        label: row.text("label")?,
        created_at: row.time("registered_at")?,
        used_at: row.opt_time("used_at")?,
    })
}
