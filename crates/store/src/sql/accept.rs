//! Accepts an attempt.

use super::audit::append;
use super::backend::{Backend, Value};
use super::reservations::release;
use super::second_factors::finish_pending;
use super::session_writes::insert_session;
use super::statement::sql;
use super::strikes;
use super::tx::Tx;
use super::write::Write;
use crate::Result;
use crate::attempts::{Acceptance, Attempt};
use domain::ban::Trigger;

sql! {
    FORGIVE_STRIKES = "DELETE FROM strikes WHERE identity = $1 AND cause = $2 AND account = $3";
    FORGIVE_LADDER = "DELETE FROM ladders WHERE identity = $1 AND cause = $2 AND account = $3";
    FORGET_FAILURES = "DELETE FROM account_failures WHERE account = $1";
}

impl Write for Acceptance {
    type Output = bool;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        release(tx, &self.attempt).await?;
        if let Some(pending) = &self.pending
            && !finish_pending(tx, pending, self.now).await?
        {
            return Ok(false);
        }
        if !insert_session(tx, &self.session).await? {
            return Ok(false);
        }
        if self.forgive {
            self.forgive(tx).await?;
        }
        strikes::succeed(tx, self.attempt.client_key, &self.account, self.now).await?;
        append(tx, &self.audit).await?;
        Ok(true)
    }
}

impl Acceptance {
    async fn forgive<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<()> {
        let client_key = self.attempt.client_key.to_string();
        let trigger = Trigger::InvalidCredentials.as_str();
        let ladder = [Value::Text(&client_key), Value::Text(trigger), Value::Text(&self.account)];
        tx.execute(FORGIVE_STRIKES, ladder).await?;
        tx.execute(FORGIVE_LADDER, ladder).await?;
        let failed = Attempt::failures_of(self.attempt.client_key, &self.account);
        if failed != self.account {
            forget_failures(tx, &failed).await?;
        }
        forget_failures(tx, &self.account).await
    }
}

/// Deletes the account's failures in a row.
pub(super) async fn forget_failures<DB: Backend>(tx: &mut Tx<'_, DB>, account: &str) -> Result<()> {
    tx.execute(FORGET_FAILURES, [Value::Text(account)]).await.map(drop)
}
