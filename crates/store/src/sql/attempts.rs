use super::backend::{Backend, Value};
use super::begin::BeginUnlessFull;
use super::second_factors::factors;
use super::statement::sql;
use super::store::SqlStore;
use super::sweep::COUNT_SHORT_KEYS;
use super::users::user;
use crate::Result;
use crate::attempts::{
    Acceptance, Attempt, AttemptRefusal, Attempts, BeginAttempt, BeginOutcome, LoginContext, LoginLookup,
};
use crate::bans::Ban;
use async_trait::async_trait;
use domain::UnixMs;
use domain::account_delay::FailureStreak;
use domain::ban::Trigger;
use domain::second_factor::Factors;

sql! {
    // Always one row, so that known and unknown names take the same time.
    STANDING = "SELECT u.id, u.name, u.password_hash, u.role, u.created_at, u.signed_in_at, u.disabled_at, f.failures, f.last_at,
            (SELECT COUNT(*) FROM strikes WHERE identity = $3 AND cause = $4 AND account = $2)
            + (SELECT COUNT(*) FROM ladders WHERE identity = $3 AND cause = $4 AND account = $2) AS own,
            (SELECT COUNT(*) FROM sessions WHERE user_id = u.id AND address = $5) AS here,
            (SELECT COUNT(*) FROM account_failures WHERE account = $2) AS others,
            (SELECT COUNT(*) FROM totp WHERE user_id = u.id AND confirmed_at IS NOT NULL) AS totp,
            (SELECT COUNT(*) FROM passkeys WHERE user_id = u.id AND relying_party = $7) AS passkeys,
            COALESCE(u.passkey_after_password, 0) AS after_password,
            (SELECT COUNT(*) FROM recovery_codes WHERE user_id = u.id AND used_at IS NULL) AS codes
        FROM (SELECT 1 AS one) AS always
        LEFT JOIN users u ON u.name_key = $1 LEFT JOIN account_failures f ON f.account = $6";
}

#[async_trait]
impl<DB: Backend> Attempts for SqlStore<DB> {
    async fn begin(&self, begin: &BeginAttempt) -> Result<BeginOutcome> {
        let full = self.is_full(begin.now).await?;
        let answer = self.write(BeginUnlessFull { begin: begin.clone(), full }).await?;
        if answer == BeginOutcome::Reserved {
            self.burnt.one_more();
        }
        Ok(answer)
    }

    async fn release(&self, attempt: &Attempt) -> Result<()> {
        self.write(attempt.clone()).await
    }

    async fn refuse(&self, refusal: &AttemptRefusal) -> Result<Vec<Ban>> {
        self.write(refusal.clone()).await
    }

    async fn accept(&self, acceptance: &Acceptance) -> Result<bool> {
        self.write(acceptance.clone()).await
    }

    async fn login_context(&self, lookup: LoginLookup<'_>) -> Result<LoginContext> {
        let client_key = lookup.client_key.to_string();
        let trigger = Value::Text(Trigger::InvalidCredentials.as_str());
        let (name, account) = (Value::Text(lookup.name_key), Value::Text(lookup.account));
        let failures_of = Attempt::failures_of(lookup.client_key, lookup.account);
        let (place, failures_of) = (Value::Text(lookup.place), Value::Text(&failures_of));
        let relying_party = Value::OptText(lookup.relying_party);
        let values = [name, account, Value::Text(&client_key), trigger, place, failures_of, relying_party];
        let Some(row) = self.one(STANDING, &values).await? else {
            let failures = FailureStreak::default();
            let factors = Factors::default();
            return Ok(LoginContext { user: None, failures, forgivable: false, known_network: false, factors });
        };
        let failures = match row.opt_time("last_at")? {
            Some(last_at) => FailureStreak { count: row.u32_column("account_failures", "failures")?, last_at },
            None => FailureStreak::default(),
        };
        let user = if row.opt_text("id")?.is_some() { Some(user(&row)?) } else { None };
        let forgivable = failures.count > 0 || row.int("own")? > 0 || row.int("others")? > 0;
        Ok(LoginContext { user, failures, forgivable, known_network: row.int("here")? > 0, factors: factors(&row)? })
    }

    async fn sweep_attempts(&self, now: UnixMs) -> Result<u64> {
        self.sweep_run_out(now).await
    }
}

impl<DB: Backend> SqlStore<DB> {
    async fn is_full(&self, now: UnixMs) -> Result<bool> {
        if self.burnt.is_due(now) {
            let count = self.count(COUNT_SHORT_KEYS, &[]).await?;
            self.burnt.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        Ok(self.burnt.is_at_cap())
    }
}
