//! Fresh proofs of the person of a live session.

use super::audit::append;
use super::backend::{Backend, Value};
use super::given_codes::{lock_given, use_given};
use super::reservations::release;
use super::statement::sql;
use super::tx::Tx;
use super::write::Write;
use crate::Result;
use crate::passkeys::UsedPasskey;
use crate::second_factors::{ConfirmIdentity, ConfirmOutcome};
use domain::UnixMs;
use domain::authentication::{Authentication, Method, Methods};
use domain::ids::SessionId;

sql! {
    // The counter only rises, or is zero forever: of two uses at the same time, none may lower what the other has stored.
    USE_PASSKEY = "UPDATE passkeys SET backup_eligible = $2, backed_up = $3, sign_count = $4, used_at = $5
        WHERE id = $1 AND user_id = $6 AND relying_party = $7
            AND (sign_count < $4 OR (sign_count = 0 AND $4 = 0))
            AND EXISTS (SELECT 1 FROM users WHERE users.id = passkeys.user_id AND users.disabled_at IS NULL)";
    // Locks the row, so that of two proofs at the same time neither loses the other's method.
    RENEW = "UPDATE sessions SET auth_time = $2, changed_at = $2, proofs = 0
        WHERE id = $1 AND revoked_at IS NULL AND idle_at > $2 AND ends_at > $2 RETURNING methods";
    SET_METHODS = "UPDATE sessions SET methods = $2 WHERE id = $1";
    GIVEN = "SELECT proofs, proof_at FROM sessions WHERE id = $1 AND revoked_at IS NULL AND idle_at > $2 AND ends_at > $2";
    // Only if the number is unchanged: of proofs that arrive together, each is counted, and each sees the others' delay.
    COUNT = "UPDATE sessions SET proofs = proofs + 1, proof_at = $3
        WHERE id = $1 AND proofs = $2 AND revoked_at IS NULL AND idle_at > $3 AND ends_at > $3";
    FORGIVE = "UPDATE sessions SET proofs = 0 WHERE id = $1";
}

pub(super) struct CountProof {
    pub(super) session: SessionId,
    pub(super) before: u32,
    pub(super) now: UnixMs,
}

impl Write for CountProof {
    type Output = bool;
    const ONE_STATEMENT: bool = true;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let values = [Value::Text(self.session.as_str()), Value::Int(self.before.into()), Value::Time(self.now)];
        Ok(tx.execute(COUNT, &values).await? == 1)
    }
}

/// Forgets the proofs that a session gave, because the last one was right.
pub(super) async fn forgive_proofs<DB: Backend>(tx: &mut Tx<'_, DB>, session: &SessionId) -> Result<()> {
    tx.execute(FORGIVE, &[Value::Text(session.as_str())]).await.map(drop)
}

pub(super) struct Renew {
    pub(super) session: SessionId,
    pub(super) proven: Method,
    pub(super) now: UnixMs,
}

impl Write for Renew {
    type Output = Option<Authentication>;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<Option<Authentication>> {
        renew(tx, &self.session, self.proven, self.now).await
    }
}

/// Adds a method to a live session. `None`: the session has ended.
async fn renew<DB: Backend>(
    tx: &mut Tx<'_, DB>,
    session: &SessionId,
    proven: Method,
    now: UnixMs,
) -> Result<Option<Authentication>> {
    let session = Value::Text(session.as_str());
    let Some(row) = tx.one(RENEW, &[session, Value::Time(now)]).await? else { return Ok(None) };
    let before = row.enum_column("sessions", "methods", Methods::parse)?;
    let new = Authentication { methods: before.with(proven), at: now };
    if new.methods != before {
        tx.execute(SET_METHODS, &[session, Value::Text(&new.methods.to_string())]).await?;
    }
    Ok(Some(new))
}

/// Stores the new state of a passkey. `false`: it does not exist, its counter does not rise, or its account is disabled.
pub(super) async fn use_passkey<DB: Backend>(tx: &mut Tx<'_, DB>, used: &UsedPasskey) -> Result<bool> {
    let values = [
        Value::Text(&used.id),
        Value::Int(used.state.backup_eligible.into()),
        Value::Int(used.state.backed_up.into()),
        Value::Int(used.state.sign_count.into()),
        Value::Time(used.now),
        Value::Text(used.user.as_str()),
        Value::Text(&used.relying_party),
    ];
    Ok(tx.execute(USE_PASSKEY, &values).await? == 1)
}

impl Write for ConfirmIdentity {
    type Output = ConfirmOutcome;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<ConfirmOutcome> {
        if let Some(code) = &self.code
            && !lock_given(tx, code).await?
        {
            return Ok(ConfirmOutcome::ProofGone);
        }
        if let Some(passkey) = &self.passkey
            && !use_passkey(tx, passkey).await?
        {
            return Ok(ConfirmOutcome::ProofGone);
        }
        let Some(new) = renew(tx, &self.session, self.proven, self.now).await? else {
            return Ok(ConfirmOutcome::SessionOver);
        };
        if let Some(code) = &self.code {
            use_given(tx, code).await?;
        }
        for entry in &self.audit {
            append(tx, entry).await?;
        }
        release(tx, &self.attempt).await?;
        Ok(ConfirmOutcome::Confirmed(new))
    }
}
