use super::audit::append;
use super::backend::{Backend, Value};
use super::fresh_proofs::{CountProof, GIVEN, Renew};
use super::recovery_codes::{FORGET_CODES, FORGET_CODES_OF_NOTHING, IS_CODE, SetRecoveryCodes, replace_codes};
use super::remembered_devices::forget_all;
use super::reservations::release;
use super::sealed::may_be_written;
use super::statement::sql;
use super::store::SqlStore;
use super::tx::{Record, Tx};
use super::write::Write;
use crate::Result;
use crate::audit::AuditEntry;
use crate::given_codes::UsedCode;
use crate::second_factors::{
    AdministratorFactors, ConfirmIdentity, ConfirmOutcome, ConfirmTotp, NewPendingSignIn, PasskeyAfterPassword,
    PendingSignIn, SecondFactors, Totp,
};
use crate::user::PasswordHash;
use crate::user_keys::SealedKey;
use async_trait::async_trait;
use domain::UnixMs;
use domain::account_delay::FailureStreak;
use domain::authentication::{Authentication, Method};
use domain::ids::{SessionId, UserId};
use domain::second_factor::{Factors, PENDING_TRIES};

sql! {
    FACTORS = "SELECT (SELECT COUNT(*) FROM totp WHERE user_id = $1 AND confirmed_at IS NOT NULL) AS totp,
        (SELECT COUNT(*) FROM passkeys WHERE user_id = $1 AND relying_party = $2) AS passkeys,
        (SELECT COUNT(*) FROM users WHERE id = $1 AND passkey_after_password = 1) AS after_password,
        (SELECT COUNT(*) FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL) AS codes";
    IN_USE = "SELECT id, user_id, sealed, last_step, drift, created_at, confirmed_at, used_at FROM totp
        WHERE user_id = $1 AND confirmed_at IS NOT NULL";
    WAITING = "SELECT id, user_id, sealed, last_step, drift, created_at, confirmed_at, used_at FROM totp
        WHERE user_id = $1 AND confirmed_at IS NULL ORDER BY created_at DESC LIMIT 1";
    FORGET_WAITING = "DELETE FROM totp WHERE user_id = $1 AND confirmed_at IS NULL";
    BEGIN = "INSERT INTO totp (id, user_id, sealed, created_at) VALUES ($1, $2, $3, $4)";
    CLAIM = "UPDATE totp SET last_step = $3, drift = $4, used_at = $5
        WHERE id = $1 AND user_id = $2 AND confirmed_at IS NULL AND created_at >= $6";
    REMOVE = "DELETE FROM totp WHERE user_id = $1 AND confirmed_at IS NOT NULL";
    CONFIRM = "UPDATE totp SET confirmed_at = $2 WHERE id = $1";
    WISH = "UPDATE users SET passkey_after_password = 1 WHERE id = $1 AND passkey_after_password = 0
        AND EXISTS (SELECT 1 FROM passkeys WHERE user_id = $1 AND relying_party = $2)";
    NO_WISH = "UPDATE users SET passkey_after_password = 0 WHERE id = $1 AND passkey_after_password = 1";
    WISH_WITHOUT_PASSKEY = "UPDATE users SET passkey_after_password = 0 WHERE id = $1 AND passkey_after_password = 1
        AND NOT EXISTS (SELECT 1 FROM passkeys WHERE user_id = $1)";
    REMOVE_PASSKEYS = "DELETE FROM passkeys WHERE user_id = $1";
    ADD_PENDING = "INSERT INTO pending_sign_ins (id, user_id, judged_by, jkt, expires_at) VALUES ($1, $2, $3, $4, $5)";
    TRY_PENDING = "UPDATE pending_sign_ins SET tries = tries + 1 WHERE id = $1 AND expires_at > $2 AND tries < $3
        RETURNING id, user_id, judged_by, jkt, expires_at";
    FINISH_PENDING = "DELETE FROM pending_sign_ins WHERE id = $1 AND expires_at > $2";
    ADMINISTRATORS = "SELECT id, name,
            (SELECT COUNT(*) FROM totp t WHERE t.user_id = u.id AND t.confirmed_at IS NOT NULL) AS totp,
            (SELECT COUNT(*) FROM passkeys p WHERE p.user_id = u.id AND p.relying_party = $1) AS passkeys,
            (SELECT COUNT(*) FROM users w WHERE w.id = u.id AND w.passkey_after_password = 1) AS after_password,
            (SELECT COUNT(*) FROM recovery_codes c WHERE c.user_id = u.id AND c.used_at IS NULL) AS codes
        FROM users u WHERE role = 'administrator' AND disabled_at IS NULL AND deleted_at IS NULL ORDER BY name";
    ERASE_PENDING = "DELETE FROM pending_sign_ins WHERE user_id = $1";
    ERASE_TOTP = "DELETE FROM totp WHERE user_id = $1";
}

/// Deletes the second factors of a deleted account.
pub(super) async fn erase_second_factors<DB: Backend>(tx: &mut Tx<'_, DB>, user: &UserId) -> Result<()> {
    for sql in [ERASE_TOTP, FORGET_CODES, ERASE_PENDING] {
        tx.execute(sql, &[Value::Text(user.as_str())]).await?;
    }
    Ok(())
}

/// Ends a pending sign-in. `false`: it has expired, or another request has finished it.
pub(super) async fn finish_pending<DB: Backend>(tx: &mut Tx<'_, DB>, id: &str, now: UnixMs) -> Result<bool> {
    Ok(tx.execute(FINISH_PENDING, &[Value::Text(id), Value::Time(now)]).await? == 1)
}

/// Returns the factors from a row with their numbers.
pub(super) fn factors<DB: Backend>(row: &Record<DB>) -> Result<Factors> {
    let count = |column| Ok::<_, crate::Error>(u32::try_from(row.int(column)?).unwrap_or(u32::MAX));
    Ok(Factors {
        totp: row.int("totp")? > 0,
        passkeys: count("passkeys")?,
        passkey_after_password: row.int("after_password")? > 0,
        recovery_codes: count("codes")?,
    })
}

struct BeginTotp {
    user: UserId,
    id: String,
    secret: SealedKey,
    now: UnixMs,
}

impl Write for BeginTotp {
    type Output = ();

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<()> {
        may_be_written(tx, &self.secret.0, self.now).await?;
        tx.execute(FORGET_WAITING, &[Value::Text(self.user.as_str())]).await?;
        let values = [
            Value::Text(&self.id),
            Value::Text(self.user.as_str()),
            Value::Text(&self.secret.0),
            Value::Time(self.now),
        ];
        tx.execute(BEGIN, &values).await.map(drop)
    }
}

impl Write for ConfirmTotp {
    type Output = bool;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let UsedCode { id, user, step, drift, now } = &self.code;
        let (id, user, now) = (Value::Text(id), Value::Text(user.as_str()), Value::Time(*now));
        let values = [id, user, Value::Int(*step), Value::Int(*drift), now, Value::Time(self.since)];
        if tx.execute(CLAIM, &values).await? == 0 {
            return Ok(false);
        }
        tx.execute(REMOVE, &[user]).await?;
        tx.execute(CONFIRM, &[id, now]).await?;
        forget_all(tx, &self.code.user).await?;
        if !self.recovery_codes.is_empty() {
            replace_codes(tx, &self.code.user, &self.recovery_codes, self.code.now).await?;
        }
        append(tx, &self.audit).await?;
        Ok(true)
    }
}

struct RemoveTotp {
    user: UserId,
    audit: AuditEntry,
}

impl Write for RemoveTotp {
    type Output = bool;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        if tx.execute(REMOVE, &[Value::Text(self.user.as_str())]).await? == 0 {
            return Ok(false);
        }
        factor_removed(tx, &self.user).await?;
        append(tx, &self.audit).await?;
        Ok(true)
    }
}

/// Forgets the remembered devices, the requirement of a passkey that no longer exists, and without any factor the
/// recovery codes.
pub(super) async fn factor_removed<DB: Backend>(tx: &mut Tx<'_, DB>, user: &UserId) -> Result<()> {
    forget_all(tx, user).await?;
    for sql in [WISH_WITHOUT_PASSKEY, FORGET_CODES_OF_NOTHING] {
        tx.execute(sql, &[Value::Text(user.as_str())]).await?;
    }
    Ok(())
}

impl Write for PasskeyAfterPassword {
    type Output = bool;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let user = Value::Text(self.user.as_str());
        let changed = match &self.wanted {
            Some(host) => tx.execute(WISH, &[user, Value::Text(host)]).await?,
            None => tx.execute(NO_WISH, &[user]).await?,
        };
        if changed == 0 {
            return Ok(false);
        }
        factor_removed(tx, &self.user).await?;
        if !self.recovery_codes.is_empty() {
            replace_codes(tx, &self.user, &self.recovery_codes, self.now).await?;
        }
        append(tx, &self.audit).await?;
        Ok(true)
    }
}

struct RemoveFactors {
    user: UserId,
    audit: AuditEntry,
}

impl Write for RemoveFactors {
    type Output = bool;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let user = [Value::Text(self.user.as_str())];
        // One that waits for its first code too: a thief may have begun it, and would put it into use afterwards.
        let removed = tx.execute(ERASE_TOTP, &user).await? + tx.execute(REMOVE_PASSKEYS, &user).await?;
        if removed == 0 {
            return Ok(false);
        }
        tx.execute(ERASE_PENDING, &user).await?;
        factor_removed(tx, &self.user).await?;
        append(tx, &self.audit).await?;
        Ok(true)
    }
}

impl Write for NewPendingSignIn {
    type Output = ();

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<()> {
        release(tx, &self.attempt).await?;
        let PendingSignIn { id, user, judged_by, jkt, expires_at } = &self.pending;
        let jkt = jkt.map(|jkt| jkt.to_string());
        let (id, user, jkt) = (Value::Text(id), Value::Text(user.as_str()), Value::OptText(jkt.as_deref()));
        tx.execute(ADD_PENDING, &[id, user, Value::Text(&judged_by.0), jkt, Value::Time(*expires_at)]).await?;
        append(tx, &self.audit).await
    }
}

struct TryPending {
    id: String,
    now: UnixMs,
}

impl Write for TryPending {
    type Output = Option<PendingSignIn>;
    const ONE_STATEMENT: bool = true;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<Option<PendingSignIn>> {
        let values = [Value::Text(&self.id), Value::Time(self.now), Value::Int(PENDING_TRIES)];
        let row = tx.one(TRY_PENDING, &values).await?;
        row.map(|row| {
            Ok(PendingSignIn {
                id: row.text("id")?,
                user: row.text("user_id")?.into(),
                judged_by: PasswordHash(row.text("judged_by")?),
                jkt: row.opt_thumbprint("pending_sign_ins")?,
                expires_at: row.time("expires_at")?,
            })
        })
        .transpose()
    }
}

#[async_trait]
impl<DB: Backend> SecondFactors for SqlStore<DB> {
    async fn factors(&self, user: &UserId, relying_party: Option<&str>) -> Result<Factors> {
        let row = self.one(FACTORS, &[Value::Text(user.as_str()), Value::OptText(relying_party)]).await?;
        row.as_ref().map_or(Ok(Factors::default()), factors)
    }

    async fn totp(&self, user: &UserId, confirmed: bool) -> Result<Option<Totp>> {
        let sql = if confirmed { IN_USE } else { WAITING };
        self.one(sql, &[Value::Text(user.as_str())]).await?.as_ref().map(totp).transpose()
    }

    async fn begin_totp(&self, user: &UserId, id: &str, secret: &SealedKey, now: UnixMs) -> Result<()> {
        let (user, id) = (user.to_owned(), id.to_owned());
        self.write(BeginTotp { user, id, secret: secret.clone(), now }).await
    }

    async fn confirm_totp(&self, confirm: &ConfirmTotp) -> Result<bool> {
        self.write(confirm.clone()).await
    }

    async fn remove_totp(&self, user: &UserId, audit: &AuditEntry) -> Result<bool> {
        self.write(RemoveTotp { user: user.to_owned(), audit: audit.clone() }).await
    }

    async fn set_passkey_after_password(&self, request: &PasskeyAfterPassword) -> Result<bool> {
        self.write(request.clone()).await
    }

    async fn remove_factors(&self, user: &UserId, audit: &AuditEntry) -> Result<bool> {
        self.write(RemoveFactors { user: user.to_owned(), audit: audit.clone() }).await
    }

    async fn set_recovery_codes(
        &self,
        user: &UserId,
        hashes: &[String],
        audit: &AuditEntry,
        now: UnixMs,
    ) -> Result<()> {
        let (user, hashes) = (user.to_owned(), hashes.to_vec());
        self.write(SetRecoveryCodes { user, hashes, audit: audit.clone(), now }).await
    }

    async fn has_recovery_code(&self, user: &UserId, code_hash: &str) -> Result<bool> {
        Ok(self.count(IS_CODE, &[Value::Text(user.as_str()), Value::Text(code_hash)]).await? > 0)
    }

    async fn add_pending(&self, new: &NewPendingSignIn) -> Result<()> {
        self.write(new.clone()).await
    }

    async fn try_pending(&self, id: &str, now: UnixMs) -> Result<Option<PendingSignIn>> {
        self.write(TryPending { id: id.to_owned(), now }).await
    }

    async fn renew_authentication(
        &self,
        session: &SessionId,
        proven: Method,
        now: UnixMs,
    ) -> Result<Option<Authentication>> {
        self.write(Renew { session: session.to_owned(), proven, now }).await
    }

    async fn given_proofs(&self, session: &SessionId, now: UnixMs) -> Result<Option<FailureStreak>> {
        let row = self.one(GIVEN, &[Value::Text(session.as_str()), Value::Time(now)]).await?;
        let given = |row: Record<DB>| {
            Ok(FailureStreak { count: row.u32_column("sessions", "proofs")?, last_at: row.time("proof_at")? })
        };
        row.map(given).transpose()
    }

    async fn count_proof(&self, session: &SessionId, before: u32, now: UnixMs) -> Result<bool> {
        self.write(CountProof { session: session.to_owned(), before, now }).await
    }

    async fn confirm_identity(&self, confirm: &ConfirmIdentity) -> Result<ConfirmOutcome> {
        self.write(confirm.clone()).await
    }

    async fn administrators(&self, relying_party: Option<&str>) -> Result<Vec<AdministratorFactors>> {
        let rows = self.all(ADMINISTRATORS, &[Value::OptText(relying_party)]).await?;
        let of = |row: &Record<DB>| {
            Ok(AdministratorFactors { user: row.text("id")?.into(), name: row.text("name")?, factors: factors(row)? })
        };
        rows.iter().map(of).collect()
    }

    async fn sweep_second_factors(&self, now: UnixMs, old: UnixMs) -> Result<u64> {
        self.sweep_pending_before(now, old).await
    }
}

fn totp<DB: Backend>(row: &Record<DB>) -> Result<Totp> {
    Ok(Totp {
        id: row.text("id")?,
        user: row.text("user_id")?.into(),
        secret: SealedKey(row.text("sealed")?),
        last_step: row.int("last_step")?,
        drift: row.int("drift")?,
        created_at: row.time("created_at")?,
        confirmed_at: row.opt_time("confirmed_at")?,
        used_at: row.opt_time("used_at")?,
    })
}
