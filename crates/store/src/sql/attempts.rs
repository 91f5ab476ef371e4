use super::backend::{Backend, Value};
use super::begin::BeginUnlessFull;
use super::statement::sql;
use super::store::SqlStore;
use super::sweep::COUNT_SHORT_KEYS;
use super::users::user;
use crate::Result;
use crate::attempts::{Acceptance, Asked, Attempt, Attempts, Begin, Begun, Refusal, Standing};
use crate::bans::Ban;
use async_trait::async_trait;
use domain::UnixMs;
use domain::account_delay::Failures;
use domain::ban::Trigger;

sql! {
    // Always one row, so that known and unknown names take the same time.
    STANDING = "SELECT u.id, u.name, u.password_hash, u.role, u.created_at, u.signed_in_at, u.disabled_at, f.failures, f.last_at,
            (SELECT COUNT(*) FROM strikes WHERE identity = $3 AND cause = $4 AND account = $2)
            + (SELECT COUNT(*) FROM ladders WHERE identity = $3 AND cause = $4 AND account = $2) AS own,
            (SELECT COUNT(*) FROM sessions WHERE user_id = u.id AND address = $5) AS here,
            (SELECT COUNT(*) FROM account_failures WHERE account = $2) AS others
        FROM (SELECT 1 AS one) AS always
        LEFT JOIN users u ON u.name_key = $1 LEFT JOIN account_failures f ON f.account = $6";
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

    async fn standing(&self, asked: Asked<'_>) -> Result<Standing> {
        let identity = asked.identity.to_string();
        let trigger = Value::Text(Trigger::InvalidCredentials.as_str());
        let (name, account) = (Value::Text(asked.name_key), Value::Text(asked.account));
        let failures_of = Attempt::failures_of(asked.identity, asked.account);
        let (place, failures_of) = (Value::Text(asked.place), Value::Text(&failures_of));
        let values = [name, account, Value::Text(&identity), trigger, place, failures_of];
        let Some(row) = self.one(STANDING, values).await? else {
            let failures = Failures::default();
            return Ok(Standing { user: None, failures, forgivable: false, known_place: false });
        };
        let failures = match row.opt_int("last_at")? {
            Some(last_at) => Failures { count: row.small("account_failures", "failures")?, last_at },
            None => Failures::default(),
        };
        let user = if row.opt_text("id")?.is_some() { Some(user(&row)?) } else { None };
        let forgivable = failures.count > 0 || row.int("own")? > 0 || row.int("others")? > 0;
        Ok(Standing { user, failures, forgivable, known_place: row.int("here")? > 0 })
    }

    async fn sweep_attempts(&self, now: UnixMs) -> Result<u64> {
        self.sweep_run_out(now).await
    }
}

impl<DB: Backend> SqlStore<DB> {
    async fn is_full(&self, now: UnixMs) -> Result<bool> {
        if self.burnt.is_due(now) {
            let count = self.count(COUNT_SHORT_KEYS, []).await?;
            self.burnt.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        Ok(self.burnt.is_at_cap())
    }
}
