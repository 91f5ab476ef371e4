use super::audit::append;
use super::backend::{Backend, Value};
use super::ban_rows::insert_ban;
use super::ladders::{Ladder, climb, lock_ladder};
use super::named_locks::lock_named;
use super::sequences::{self, Sequence};
use super::statement::sql;
use super::store::SqlStore;
use super::tx::{Record, Tx};
use super::write::Write;
use super::{refusals, strikes};
use crate::Result;
use crate::audit::AuditEntry;
use crate::bans::BanContext;
use crate::bans::{Ban, BanChanges, BanCursor, BanLift, BanRecord, BanSearch, Bans};
use async_trait::async_trait;
use domain::UnixMs;
use domain::ban::{GRACE_MS, Rung, Scope, Trigger};
use domain::client_key::ClientKey;
use domain::ids::BanId;

macro_rules! select_with {
    ($first:literal, $rest:expr) => {
        concat!(
            "SELECT ",
            $first,
            "id, incident, identity, scope, cause, reason, evidence, since, until, made_by, lifted_at, lifted_by,
                lift_reason
            FROM bans WHERE ",
            $rest
        )
    };
}

macro_rules! select {
    ($rest:expr) => {
        select_with!("", $rest)
    };
}

macro_rules! found {
    ($first:literal) => {
        select!(concat!(
            $first,
            "($1 = '' OR cause = $1) AND ($2 = '' OR id < $2)
            AND ($3 <> 'in force' OR (lifted_at IS NULL AND until > $4))
            AND ($3 <> 'over' OR lifted_at IS NOT NULL OR until <= $4)
            ORDER BY id DESC LIMIT $5"
        ))
    };
}

sql! {
    BY_ID = select!("id = $1");
    ACTIVE_OF = select!("identity = $1 AND lifted_at IS NULL AND until > $2 ORDER BY until DESC LIMIT 1");
    ACTIVE = select!("lifted_at IS NULL AND until > $1");
    CHANGED = select_with!("seq, ", "seq > $1 OR (seq = $1 AND id > $2) ORDER BY seq, id LIMIT $3");
    LAST = "SELECT COALESCE(MAX(value), 0) AS n FROM sequences WHERE name = $1";
    FOUND = found!("");
    FOUND_BY_WORD = found!("(identity = $6 OR incident = $6) AND ");
    ALL_ACTIVE_OF = select!("identity = $1 AND lifted_at IS NULL AND until > $2 ORDER BY until DESC");
    RUNGS = "SELECT cause, step, until FROM ladders WHERE identity = $1 AND step > 0 AND expires_at > $2
        ORDER BY cause, step DESC";
    STRIKES = "SELECT cause, at FROM strikes WHERE identity = $1 AND expires_at > $2 ORDER BY at";
    LIFTED = "SELECT COUNT(*) AS n FROM bans WHERE identity = $1 AND lifted_at > $2";
    LIFT = "UPDATE bans SET lifted_at = $2, lifted_by = $3, lift_reason = $4, changed_at = $2, seq = $5
        WHERE identity = $1 AND lifted_at IS NULL AND until > $2
        RETURNING id, incident, identity, scope, cause, reason, evidence, since, until, made_by, lifted_at, lifted_by,
            lift_reason";
    FORGET_LADDERS = "DELETE FROM ladders WHERE identity = $1 AND cause <> 'spray'";
    FORGET_SPRAY = "DELETE FROM ladders WHERE identity = $1 AND cause = 'spray'";
    FORGET_STRIKES = "DELETE FROM strikes WHERE identity = $1";
}

/// Returns the longest ban on the client key, of any scope.
pub(super) async fn active_ban<DB: Backend>(tx: &mut Tx<'_, DB>, client_key: &str, now: UnixMs) -> Result<Option<Ban>> {
    tx.one(ACTIVE_OF, &[Value::Text(client_key), Value::Time(now)]).await?.as_ref().map(ban).transpose()
}

/// Whether an operator has just lifted the client key's bans.
pub(super) async fn recently_lifted<DB: Backend>(
    tx: &mut Tx<'_, DB>,
    client_key: ClientKey,
    now: UnixMs,
) -> Result<bool> {
    let client_key = client_key.to_string();
    let after = Value::Time(now - GRACE_MS);
    Ok(tx.count(LIFTED, &[Value::Text(&client_key), after]).await? > 0)
}

struct RecordOffence {
    client_key: ClientKey,
    trigger: Trigger,
    evidence: String,
    ban_context: BanContext,
}

impl Write for RecordOffence {
    type Output = Option<Ban>;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<Option<Ban>> {
        let ban = if self.ban_context.exempt { None } else { self.judge(tx).await? };
        refusals::count(tx, self.trigger, self.ban_context.now).await?;
        Ok(ban)
    }
}

impl RecordOffence {
    async fn judge<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<Option<Ban>> {
        let Some(rule) = self.ban_context.policy.rule(self.trigger) else {
            return Ok(None);
        };
        let ladder = Ladder { client_key: self.client_key, trigger: self.trigger, account: "" };
        let held = lock_ladder(tx, &ladder, self.ban_context.now).await?;
        // Requests in flight when the ban was imposed belong to the same offence. A page that opens a hundred
        // connections has offended once.
        if held.rung.is_some_and(|rung| rung.until > self.ban_context.now) {
            let id = Value::Text(held.ban.as_ref().map_or("", BanId::as_str));
            return tx.one(BY_ID, &[id]).await?.as_ref().map(ban).transpose();
        }
        if !strikes::is_due(tx, self.ban_context.ban_id.as_str(), &ladder, rule, &self.ban_context).await? {
            return Ok(None);
        }
        climb(tx, &ladder, &held, rule, self.ban_context.first(), &self.evidence).await.map(Some)
    }
}

struct MakeBan {
    ban: Ban,
    audit: AuditEntry,
}

impl Write for MakeBan {
    type Output = ();

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<()> {
        insert_ban(tx, &self.ban).await?;
        append(tx, &self.audit).await
    }
}

struct LiftBan {
    client_key: String,
    lifting: BanLift,
}

impl Write for LiftBan {
    type Output = Vec<Ban>;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.lifting.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<Vec<Ban>> {
        let client_key = Value::Text(&self.client_key);
        let BanLift { by, reason, audit, now } = &self.lifting;
        // Takes locks in the same order as `refuse`, one lift at a time, to avoid deadlock.
        lock_named(tx, "lift", *now).await?;
        tx.execute(FORGET_LADDERS, &[client_key]).await?;
        tx.execute(FORGET_SPRAY, &[client_key]).await?;
        tx.execute(FORGET_STRIKES, &[client_key]).await?;
        let seq = Value::Int(sequences::next(tx, Sequence::Bans).await?);
        let lifted = tx.all(LIFT, &[client_key, Value::Time(*now), Value::Text(by), Value::Text(reason), seq]).await?;
        if !lifted.is_empty() {
            append(tx, audit).await?;
        }
        lifted.iter().map(ban).collect()
    }
}

#[async_trait]
impl<DB: Backend> Bans for SqlStore<DB> {
    async fn record_offence(
        &self,
        client_key: ClientKey,
        trigger: Trigger,
        evidence: &str,
        ban_context: &BanContext,
    ) -> Result<Option<Ban>> {
        let (evidence, ban_context) = (evidence.to_owned(), ban_context.clone());
        self.write(RecordOffence { client_key, trigger, evidence, ban_context }).await
    }

    async fn ban(&self, ban: &Ban, audit: &AuditEntry) -> Result<()> {
        self.write(MakeBan { ban: ban.clone(), audit: audit.clone() }).await
    }

    async fn ban_by_id(&self, id: &BanId) -> Result<Option<Ban>> {
        self.one(BY_ID, &[Value::Text(id.as_str())]).await?.as_ref().map(ban).transpose()
    }

    async fn active_bans(&self, now: UnixMs) -> Result<Vec<Ban>> {
        self.all(ACTIVE, &[Value::Time(now)]).await?.iter().map(ban).collect()
    }

    async fn bans_on(&self, client_key: ClientKey, now: UnixMs) -> Result<Vec<Ban>> {
        self.all(ALL_ACTIVE_OF, &[Value::Text(&client_key.to_string()), Value::Time(now)])
            .await?
            .iter()
            .map(ban)
            .collect()
    }

    async fn last_ban_change(&self) -> Result<i64> {
        let row = self.one(LAST, &[Value::Text(Sequence::Bans.as_str())]).await?;
        row.map_or(Ok(0), |row| row.int("n"))
    }

    async fn bans_changed(&self, after: &BanCursor, limit: u32) -> Result<BanChanges> {
        let values = [Value::Int(after.seq), Value::Text(after.id.as_str()), Value::Int(limit.into())];
        let rows = self.all(CHANGED, &values).await?;
        let bans: Vec<Ban> = rows.iter().map(ban).collect::<Result<_>>()?;
        let next = match (rows.last(), bans.last()) {
            (Some(row), Some(ban)) => BanCursor { seq: row.int("seq")?, id: ban.id.clone() },
            _ => after.clone(),
        };
        Ok(BanChanges { bans, next })
    }

    async fn search_bans(&self, search: &BanSearch) -> Result<Vec<Ban>> {
        let state = match search.in_force {
            Some(true) => "in force",
            Some(false) => "over",
            None => "",
        };
        let trigger = Value::Text(search.trigger.map_or("", Trigger::as_str));
        let before = Value::Text(search.before.as_ref().map_or("", BanId::as_str));
        let (state, now) = (Value::Text(state), Value::Time(search.now));
        let limit = Value::Int(search.limit.into());
        let rows = match &search.word {
            Some(word) => self.all(FOUND_BY_WORD, &[trigger, before, state, now, limit, Value::Text(word)]).await?,
            None => self.all(FOUND, &[trigger, before, state, now, limit]).await?,
        };
        rows.iter().map(ban).collect()
    }

    async fn ban_record(&self, client_key: ClientKey, now: UnixMs) -> Result<BanRecord> {
        let bans = self.bans_on(client_key, now).await?;
        let client_key = client_key.to_string();
        let values = [Value::Text(&client_key), Value::Time(now)];
        let (rungs, strikes) = (self.all(RUNGS, &values).await?, self.all(STRIKES, &values).await?);
        let rung = |row: &Record<DB>| {
            let rung = Rung { step: row.u32_column("ladders", "step")?, until: row.time("until")? };
            Ok((row.enum_column("ladders", "cause", Trigger::parse)?, rung))
        };
        let strike = |row: &Record<DB>| Ok((row.enum_column("strikes", "cause", Trigger::parse)?, row.time("at")?));
        Ok(BanRecord {
            bans,
            rungs: rungs.iter().map(rung).collect::<Result<_>>()?,
            strikes: strikes.iter().map(strike).collect::<Result<_>>()?,
        })
    }

    async fn lift(&self, client_key: ClientKey, lifting: &BanLift) -> Result<Vec<Ban>> {
        self.write(LiftBan { client_key: client_key.to_string(), lifting: lifting.clone() }).await
    }

    async fn sweep_bans(&self, before: UnixMs) -> Result<u64> {
        self.sweep_bans_before(before).await
    }
}

fn ban<DB: Backend>(row: &Record<DB>) -> Result<Ban> {
    Ok(Ban {
        id: row.text("id")?.into(),
        incident: row.text("incident")?,
        client_key: row.enum_column("bans", "identity", |text| text.parse().ok())?,
        scope: row.enum_column("bans", "scope", Scope::parse)?,
        trigger: row.enum_column("bans", "cause", Trigger::parse)?,
        reason: row.text("reason")?,
        evidence: row.text("evidence")?,
        since: row.time("since")?,
        until: row.time("until")?,
        made_by: row.text("made_by")?,
        lifted_at: row.opt_time("lifted_at")?,
        lifted_by: row.opt_text("lifted_by")?,
        lift_reason: row.opt_text("lift_reason")?,
    })
}
