use super::audit::append;
use super::backend::{Backend, Value};
use super::ban_rows::{SEQUENCE, insert_ban};
use super::ladders::{Ladder, climb, hold};
use super::statement::sql;
use super::store::SqlStore;
use super::turns::take_turn;
use super::tx::{Record, Tx};
use super::write::Write;
use super::{refusals, sequences, strikes};
use crate::Result;
use crate::audit::Entry;
use crate::bans::Sentence;
use crate::bans::{Ban, Bans, Changes, Cursor, Held, Lifting, Search};
use async_trait::async_trait;
use domain::UnixMs;
use domain::ban::{GRACE_MS, Rung, Scope, Trigger};
use domain::identity::Identity;

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

/// The name of the sequence of changes to bans.

/// Returns the longest ban on the identity, of any scope.
pub async fn active_ban<DB: Backend>(tx: &mut Tx<'_, DB>, identity: &str, now: UnixMs) -> Result<Option<Ban>> {
    tx.one(ACTIVE_OF, [Value::Text(identity), Value::Int(now)]).await?.as_ref().map(ban).transpose()
}

/// Whether an operator has just lifted the identity's bans.
pub async fn lifted_lately<DB: Backend>(tx: &mut Tx<'_, DB>, identity: Identity, now: UnixMs) -> Result<bool> {
    let identity = identity.to_string();
    let after = Value::Int(now.saturating_sub(GRACE_MS));
    Ok(tx.count(LIFTED, [Value::Text(&identity), after]).await? > 0)
}

struct Strike {
    identity: Identity,
    trigger: Trigger,
    evidence: String,
    sentence: Sentence,
}

impl Write for Strike {
    type Output = Option<Ban>;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<Option<Ban>> {
        let ban = if self.sentence.exempt { None } else { self.judge(tx).await? };
        refusals::count(tx, self.trigger, self.sentence.now).await?;
        Ok(ban)
    }
}

impl Strike {
    async fn judge<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<Option<Ban>> {
        let Some(rule) = self.sentence.policy.rule(self.trigger) else {
            return Ok(None);
        };
        let ladder = Ladder { identity: self.identity, trigger: self.trigger, account: "" };
        let held = hold(tx, &ladder, self.sentence.now).await?;
        // Requests in flight when the ban was imposed belong to the same offence. A page that opens a hundred
        // connections has offended once.
        if held.rung.is_some_and(|rung| rung.until > self.sentence.now) {
            return tx.one(BY_ID, [Value::Text(&held.ban)]).await?.as_ref().map(ban).transpose();
        }
        if !strikes::is_due(tx, &self.sentence.ban_id, &ladder, rule, &self.sentence).await? {
            return Ok(None);
        }
        climb(tx, &ladder, &held, rule, self.sentence.first(), &self.evidence).await.map(Some)
    }
}

struct Make {
    ban: Ban,
    audit: Entry,
}

impl Write for Make {
    type Output = ();

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<()> {
        insert_ban(tx, &self.ban).await?;
        append(tx, &self.audit).await
    }
}

struct Lift {
    identity: String,
    lifting: Lifting,
}

impl Write for Lift {
    type Output = Vec<Ban>;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<Vec<Ban>> {
        let identity = Value::Text(&self.identity);
        let Lifting { by, reason, audit, now } = &self.lifting;
        // Takes locks in the same order as `refuse`, one lift at a time, to avoid deadlock.
        take_turn(tx, "lift", *now).await?;
        tx.execute(FORGET_LADDERS, [identity]).await?;
        tx.execute(FORGET_SPRAY, [identity]).await?;
        tx.execute(FORGET_STRIKES, [identity]).await?;
        let seq = Value::Int(sequences::next(tx, SEQUENCE).await?);
        let lifted = tx.all(LIFT, [identity, Value::Int(*now), Value::Text(by), Value::Text(reason), seq]).await?;
        if !lifted.is_empty() {
            append(tx, audit).await?;
        }
        lifted.iter().map(ban).collect()
    }
}

#[async_trait]
impl<DB: Backend> Bans for SqlStore<DB> {
    async fn strike(
        &self,
        identity: Identity,
        trigger: Trigger,
        evidence: &str,
        sentence: &Sentence,
    ) -> Result<Option<Ban>> {
        let (evidence, sentence) = (evidence.to_owned(), sentence.clone());
        self.write(Strike { identity, trigger, evidence, sentence }).await
    }

    async fn ban(&self, ban: &Ban, audit: &Entry) -> Result<()> {
        self.write(Make { ban: ban.clone(), audit: audit.clone() }).await
    }

    async fn ban_by_id(&self, id: &str) -> Result<Option<Ban>> {
        self.one(BY_ID, [Value::Text(id)]).await?.as_ref().map(ban).transpose()
    }

    async fn active_bans(&self, now: UnixMs) -> Result<Vec<Ban>> {
        self.all(ACTIVE, [Value::Int(now)]).await?.iter().map(ban).collect()
    }

    async fn last_ban_change(&self) -> Result<i64> {
        let row = self.one(LAST, [Value::Text(SEQUENCE)]).await?;
        row.map_or(Ok(0), |row| row.int("n"))
    }

    async fn bans_changed(&self, after: &Cursor, limit: u32) -> Result<Changes> {
        let values = [Value::Int(after.seq), Value::Text(&after.id), Value::Int(limit.into())];
        let rows = self.all(CHANGED, values).await?;
        let bans: Vec<Ban> = rows.iter().map(ban).collect::<Result<_>>()?;
        let next = match (rows.last(), bans.last()) {
            (Some(row), Some(ban)) => Cursor { seq: row.int("seq")?, id: ban.id.clone() },
            _ => after.clone(),
        };
        Ok(Changes { bans, next })
    }

    async fn search_bans(&self, search: &Search) -> Result<Vec<Ban>> {
        let state = match search.in_force {
            Some(true) => "in force",
            Some(false) => "over",
            None => "",
        };
        let trigger = Value::Text(search.trigger.map_or("", Trigger::as_str));
        let before = Value::Text(search.before.as_deref().unwrap_or(""));
        let (state, now) = (Value::Text(state), Value::Int(search.now));
        let limit = Value::Int(search.limit.into());
        let rows = match &search.word {
            Some(word) => self.all(FOUND_BY_WORD, [trigger, before, state, now, limit, Value::Text(word)]).await?,
            None => self.all(FOUND, [trigger, before, state, now, limit]).await?,
        };
        rows.iter().map(ban).collect()
    }

    async fn held_against(&self, identity: Identity, now: UnixMs) -> Result<Held> {
        let identity = identity.to_string();
        let values = [Value::Text(&identity), Value::Int(now)];
        let bans = self.all(ALL_ACTIVE_OF, values).await?;
        let (rungs, strikes) = (self.all(RUNGS, values).await?, self.all(STRIKES, values).await?);
        let rung = |row: &Record<DB>| {
            let rung = Rung { step: row.small("ladders", "step")?, until: row.int("until")? };
            Ok((row.word("ladders", "cause", Trigger::parse)?, rung))
        };
        let strike = |row: &Record<DB>| Ok((row.word("strikes", "cause", Trigger::parse)?, row.int("at")?));
        Ok(Held {
            bans: bans.iter().map(ban).collect::<Result<_>>()?,
            rungs: rungs.iter().map(rung).collect::<Result<_>>()?,
            strikes: strikes.iter().map(strike).collect::<Result<_>>()?,
        })
    }

    async fn lift(&self, identity: Identity, lifting: &Lifting) -> Result<Vec<Ban>> {
        self.write(Lift { identity: identity.to_string(), lifting: lifting.clone() }).await
    }

    async fn sweep_bans(&self, before: UnixMs) -> Result<u64> {
        self.sweep_bans_before(before).await
    }
}

fn ban<DB: Backend>(row: &Record<DB>) -> Result<Ban> {
    Ok(Ban {
        id: row.text("id")?,
        incident: row.text("incident")?,
        identity: row.word("bans", "identity", |text| text.parse().ok())?,
        scope: row.word("bans", "scope", Scope::parse)?,
        trigger: row.word("bans", "cause", Trigger::parse)?,
        reason: row.text("reason")?,
        evidence: row.text("evidence")?,
        since: row.int("since")?,
        until: row.int("until")?,
        made_by: row.text("made_by")?,
        lifted_at: row.opt_int("lifted_at")?,
        lifted_by: row.opt_text("lifted_by")?,
        lift_reason: row.opt_text("lift_reason")?,
    })
}
