use super::accept::FAILURES;
use super::backend::{Backend, Value};
use super::begin::BeginUnlessFull;
use super::catalogue::sql;
use super::store::SqlStore;
use super::tx::Tx;
use super::write::Write;
use crate::Result;
use crate::attempts::{Acceptance, Attempt, Attempts, Begin, Begun, Refusal};
use crate::bans::Ban;
use async_trait::async_trait;
use domain::UnixMs;
use domain::account_delay::Failures;

sql! {
    RELEASE = "DELETE FROM reservations WHERE identity = $1 AND attempt = $2";
}

/// Ends the attempt's reservation, if it still has it.
pub async fn release<DB: Backend>(tx: &mut Tx<'_, DB>, attempt: &Attempt) -> Result<()> {
    let identity = attempt.identity.to_string();
    tx.execute(RELEASE, [Value::Text(&identity), Value::Text(&attempt.id)]).await.map(drop)
}

impl Write for Attempt {
    type Output = ();

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<()> {
        release(tx, self).await
    }
}

#[async_trait]
impl<DB: Backend> Attempts for SqlStore<DB> {
    async fn begin(&self, begin: &Begin) -> Result<Begun> {
        let full = self.is_full(begin.now).await?;
        let answer = self.write(BeginUnlessFull { begin: begin.clone(), full }).await?;
        if answer == Begun::Reserved {
            self.burnt.one_more();
        }
        Ok(answer)
    }

    async fn release(&self, attempt: &Attempt) -> Result<()> {
        self.write(attempt.clone()).await
    }

    async fn refuse(&self, refusal: &Refusal) -> Result<Vec<Ban>> {
        self.write(refusal.clone()).await
    }

    async fn accept(&self, acceptance: &Acceptance) -> Result<bool> {
        self.write(acceptance.clone()).await
    }

    async fn failures(&self, account: &str) -> Result<Failures> {
        let Some(row) = self.one(FAILURES, [Value::Text(account)]).await? else {
            return Ok(Failures::default());
        };
        Ok(Failures { count: row.small("account_failures", "failures")?, last_at: row.int("last_at")? })
    }

    async fn sweep_attempts(&self, now: UnixMs) -> Result<u64> {
        self.sweep_run_out(now).await
    }
}
