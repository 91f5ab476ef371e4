//! A client key's rung on a ladder, and the ban of the next rung.

use super::backend::{Backend, Value};
use super::ban_rows::{insert_ban, reason};
use super::statement::sql;
use super::tx::Tx;
use crate::Result;
use crate::bans::BanContext;
use crate::bans::{Ban, ENGINE};
use domain::UnixMs;
use domain::ban::{BanRule, Rung, Trigger};
use domain::client_key::ClientKey;
use domain::ids::BanId;

sql! {
    // No-op upsert: locks the row and returns its latest committed value. On PostgreSQL, a second transaction then
    // climbs from the rung that the first one reached.
    HOLD = "INSERT INTO ladders (identity, cause, account, step, until, ban, expires_at)
        VALUES ($1, $2, $3, 0, 0, '', $4)
        ON CONFLICT (identity, cause, account) DO UPDATE SET step = ladders.step RETURNING step, until, ban";
    CLIMB = "UPDATE ladders SET step = $4, until = $5, ban = $6, expires_at = $7
        WHERE identity = $1 AND cause = $2 AND account = $3";
}

#[derive(Debug)]
pub(super) struct Ladder<'a> {
    pub client_key: ClientKey,
    pub trigger: Trigger,
    /// Empty except for invalid credentials.
    pub account: &'a str,
}

impl Ladder<'_> {
    pub(super) fn key<'v>(&'v self, client_key: &'v str) -> [Value<'v>; 3] {
        [Value::Text(client_key), Value::Text(self.trigger.as_str()), Value::Text(self.account)]
    }
}

/// A ladder that is locked until this transaction ends.
#[derive(Debug)]
pub(super) struct LockedLadder {
    pub rung: Option<Rung>,
    /// The last ban, if any.
    pub ban: Option<BanId>,
}

/// The ids of a ban that may be due.
#[derive(Debug)]
pub(super) struct DueBan<'a> {
    pub id: &'a BanId,
    pub incident: &'a str,
    pub jitter: u16,
    pub now: UnixMs,
}

impl BanContext {
    pub(super) fn first(&self) -> DueBan<'_> {
        DueBan { id: &self.ban_id, incident: &self.incident, jitter: self.jitter, now: self.now }
    }

    pub(super) fn second(&self) -> DueBan<'_> {
        DueBan { id: &self.spray_id, incident: &self.spray_incident, jitter: self.jitter, now: self.now }
    }
}

pub(super) async fn lock_ladder<DB: Backend>(
    tx: &mut Tx<'_, DB>,
    ladder: &Ladder<'_>,
    now: UnixMs,
) -> Result<LockedLadder> {
    let client_key = ladder.client_key.to_string();
    let [who, cause, account] = ladder.key(&client_key);
    let row = tx.one(HOLD, &[who, cause, account, Value::Time(now)]).await?;
    let Some(row) = row else {
        return Ok(LockedLadder { rung: None, ban: None });
    };
    let rung = Rung { step: row.u32_column("ladders", "step")?, until: row.time("until")? };
    Ok(LockedLadder {
        rung: (rung.step > 0).then_some(rung),
        ban: Some(row.text("ban")?).filter(|id| !id.is_empty()).map(Into::into),
    })
}

/// Climbs one rung: writes the ban and the new position.
pub(super) async fn climb<DB: Backend>(
    tx: &mut Tx<'_, DB>,
    ladder: &Ladder<'_>,
    held: &LockedLadder,
    rule: &BanRule,
    due: DueBan<'_>,
    evidence: &str,
) -> Result<Ban> {
    let rung = rule.climb(held.rung, ladder.client_key, due.jitter, due.now);
    let ban = Ban {
        id: due.id.to_owned(),
        incident: due.incident.to_owned(),
        client_key: ladder.client_key,
        scope: rule.scope,
        trigger: ladder.trigger,
        reason: reason(ladder.trigger).to_owned(),
        evidence: evidence.to_owned(),
        since: due.now,
        until: rung.until,
        made_by: ENGINE.to_owned(),
        lifted_at: None,
        lifted_by: None,
        lift_reason: None,
    };
    insert_ban(tx, &ban).await?;
    let client_key = ladder.client_key.to_string();
    let [who, cause, account] = ladder.key(&client_key);
    let quiet = rule.quiet_ms.saturating_mul(rung.step.into());
    let numbers = [Value::Int(rung.step.into()), Value::Time(rung.until)];
    let [step, until] = numbers;
    let expires_at = Value::Time(rung.until + quiet);
    tx.execute(CLIMB, &[who, cause, account, step, until, Value::Text(ban.id.as_str()), expires_at]).await?;
    Ok(ban)
}
