//! Refuses an attempt.

use super::audit::append;
use super::backend::{Backend, Value};
use super::bans::recently_lifted;
use super::ladders::{Ladder, climb, lock_ladder};
use super::reservations::release;
use super::statement::sql;
use super::tx::Tx;
use super::write::Write;
use super::{refusals, strikes};
use crate::Result;
use crate::attempts::{Attempt, AttemptRefusal};
use crate::bans::Ban;
use domain::ban::{Trigger, spray_threshold};

sql! {
    COUNT_FAILURE = "INSERT INTO account_failures (account, failures, last_at) VALUES ($1, 1, $2)
        ON CONFLICT (account) DO UPDATE SET failures = account_failures.failures + 1, last_at = excluded.last_at";
}

impl Write for AttemptRefusal {
    type Output = Vec<Ban>;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<Vec<Ban>> {
        release(tx, &self.attempt).await?;
        let mut bans = Vec::new();
        if !self.ban_context.exempt {
            bans.extend(self.record_offence(tx).await?);
            bans.extend(self.spray(tx).await?);
        }
        if let (true, Some(account)) = (self.counts_as_failure, &self.account) {
            let failed = Attempt::failures_of(self.attempt.client_key, account);
            tx.execute(COUNT_FAILURE, &[Value::Text(&failed), Value::Time(self.ban_context.now)]).await?;
        }
        refusals::count(tx, self.trigger, self.ban_context.now).await?;
        append(tx, &self.audit).await?;
        Ok(bans)
    }
}

impl AttemptRefusal {
    async fn record_offence<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<Option<Ban>> {
        let Some(rule) = self.ban_context.policy.rule(self.trigger) else {
            return Ok(None);
        };
        let account = match self.trigger {
            Trigger::InvalidCredentials | Trigger::WrongSecondFactor => self.account.as_deref().unwrap_or(""),
            _ => "",
        };
        let ladder = Ladder { client_key: self.offender, trigger: self.trigger, account };
        let held = lock_ladder(tx, &ladder, self.ban_context.now).await?;
        // A cookie can admit a request to a banned address. Its offence there must not prolong the ban of everybody
        // else.
        if self.offender != self.attempt.client_key && held.rung.is_some_and(|rung| rung.until > self.ban_context.now) {
            return Ok(None);
        }
        if !strikes::is_due(tx, &self.attempt.id, &ladder, rule, &self.ban_context).await? {
            return Ok(None);
        }
        // An operator has just lifted the bans. A typo must not ban again at once.
        let slip = self.trigger == Trigger::InvalidCredentials;
        if slip && recently_lifted(tx, ladder.client_key, self.ban_context.now).await? {
            return Ok(None);
        }
        climb(tx, &ladder, &held, rule, self.ban_context.first(), &self.evidence).await.map(Some)
    }

    async fn spray<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<Option<Ban>> {
        let rule = &self.ban_context.policy.spray;
        let client_key = self.offender;
        if self.trigger != Trigger::InvalidCredentials {
            return Ok(None);
        }
        let names = strikes::names(tx, client_key, rule, self.ban_context.now).await?;
        // Successes are counted only if they can change the result.
        if names < u64::from(rule.threshold)
            || names < spray_threshold(rule, strikes::succeeded(tx, client_key, rule, self.ban_context.now).await?)
        {
            return Ok(None);
        }
        let ladder = Ladder { client_key, trigger: Trigger::Spray, account: "" };
        let held = lock_ladder(tx, &ladder, self.ban_context.now).await?;
        climb(tx, &ladder, &held, rule, self.ban_context.second(), &self.evidence).await.map(Some)
    }
}
