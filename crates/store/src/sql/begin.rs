//! The start of an attempt: reservation, bans, and burning the `short_key`.

use super::backend::{Backend, Value};
use super::bans::active_ban;
use super::reservations::release;
use super::statement::sql;
use super::tx::Tx;
use super::write::Write;
use crate::Result;
use crate::attempts::{BeginAttempt, BeginOutcome, RESEND_MS, RESERVATION_MS};
use domain::{CLOCK_TOLERANCE_MS, UnixMs};

sql! {
    RESERVE = "INSERT INTO reservations (identity, attempt, until) VALUES ($1, $2, $3)
        ON CONFLICT (identity) DO UPDATE SET attempt = excluded.attempt, until = excluded.until
        WHERE reservations.until <= $4 OR reservations.until > $5";
    BURN = "INSERT INTO short_keys (id, identity, body, burnt_at, expires_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (id) DO NOTHING";
    RESEND = "UPDATE short_keys SET resent_at = $4
        WHERE id = $1 AND identity = $2 AND body = $3 AND resent_at IS NULL AND burnt_at >= $5";
}

pub(super) struct BeginUnlessFull {
    pub begin: BeginAttempt,
    pub full: bool,
}

impl Write for BeginUnlessFull {
    type Output = BeginOutcome;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<BeginOutcome> {
        let BeginAttempt { attempt, now, .. } = &self.begin;
        let client_key = attempt.client_key.to_string();
        let until = *now + RESERVATION_MS;
        // A later end was written before a clock was set back. It would block its client until the clock reaches it.
        let latest = until + CLOCK_TOLERANCE_MS;
        let [until, now, latest] = [until, *now, latest].map(Value::Time);
        let values = [Value::Text(&client_key), Value::Text(&attempt.id), until, now, latest];
        if tx.execute(RESERVE, &values).await? == 0 {
            return Ok(BeginOutcome::Busy);
        }
        let begun = self.judge(tx, &client_key).await?;
        if begun != BeginOutcome::Reserved {
            release(tx, attempt).await?;
        }
        Ok(begun)
    }
}

/// Uses up a `short_key` outside an attempt. `false`: it was used before.
pub(super) async fn burn<DB: Backend>(
    tx: &mut Tx<'_, DB>,
    id: &str,
    holder: &str,
    now: UnixMs,
    expires_at: UnixMs,
) -> Result<bool> {
    let values = [Value::Text(id), Value::Text(holder), Value::Text(""), Value::Time(now), Value::Time(expires_at)];
    Ok(tx.execute(BURN, &values).await? == 1)
}

impl BeginUnlessFull {
    async fn judge<DB: Backend>(&self, tx: &mut Tx<'_, DB>, client_key: &str) -> Result<BeginOutcome> {
        let begin = &self.begin;
        if !begin.exempt
            && let Some(ban) = active_ban(tx, client_key, begin.now).await?
        {
            return Ok(BeginOutcome::Banned(Box::new(ban)));
        }
        if self.full {
            return Ok(BeginOutcome::Full);
        }
        let (id, body) = (Value::Text(&begin.short_key), Value::Text(&begin.body));
        let (who, now) = (Value::Text(client_key), Value::Time(begin.now));
        if tx.execute(BURN, &[id, who, body, now, Value::Time(begin.short_key_expires_at)]).await? == 1 {
            return Ok(BeginOutcome::Reserved);
        }
        let earliest = Value::Time(begin.now - RESEND_MS);
        let resent = tx.execute(RESEND, &[id, who, body, now, earliest]).await? == 1;
        Ok(if resent { BeginOutcome::Resent } else { BeginOutcome::Replayed })
    }
}
