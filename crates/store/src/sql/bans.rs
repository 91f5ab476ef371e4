use super::backend::{Backend, Value};
use super::catalogue::sql;
use super::ladders::{Ladder, climb, hold};
use super::store::SqlStore;
use super::strikes;
use super::tx::{Record, Tx};
use super::write::Write;
use crate::Result;
use crate::attempts::Sentence;
use crate::bans::{Ban, Bans};
use async_trait::async_trait;
use domain::UnixMs;
use domain::ban::{Scope, Trigger};
use domain::identity::Identity;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, incident, identity, scope, cause, reason, evidence, since, until, made_by, lifted_at, lifted_by
            FROM bans WHERE ",
            $rest
        )
    };
}

sql! {
    INSERT = "INSERT INTO bans
            (id, incident, identity, scope, cause, reason, evidence, since, until, made_by, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $8)";
    BY_ID = select!("id = $1");
    ACTIVE_OF = select!("identity = $1 AND lifted_at IS NULL AND until > $2 ORDER BY until DESC LIMIT 1");
    ACTIVE = select!("lifted_at IS NULL AND until > $1");
    CHANGED = select!("changed_at >= $1");
    LIFT = "UPDATE bans SET lifted_at = $2, lifted_by = $3, changed_at = $2
        WHERE identity = $1 AND lifted_at IS NULL AND until > $2
        RETURNING id, incident, identity, scope, cause, reason, evidence, since, until, made_by, lifted_at, lifted_by";
    FORGET_LADDERS = "DELETE FROM ladders WHERE identity = $1";
    FORGET_STRIKES = "DELETE FROM strikes WHERE identity = $1";
}

/// The ban of the identity that lasts longest, whatever it closes.
pub async fn active_ban<DB: Backend>(tx: &mut Tx<'_, DB>, identity: &str, now: UnixMs) -> Result<Option<Ban>> {
    tx.one(ACTIVE_OF, [Value::Text(identity), Value::Int(now)]).await?.as_ref().map(ban).transpose()
}

pub async fn insert_ban<DB: Backend>(tx: &mut Tx<'_, DB>, ban: &Ban) -> Result<()> {
    let identity = ban.identity.to_string();
    let values = [
        Value::Text(&ban.id),
        Value::Text(&ban.incident),
        Value::Text(&identity),
        Value::Text(ban.scope.as_str()),
        Value::Text(ban.trigger.as_str()),
        Value::Text(&ban.reason),
        Value::Text(&ban.evidence),
        Value::Int(ban.since),
        Value::Int(ban.until),
        Value::Text(&ban.made_by),
    ];
    tx.execute(INSERT, values).await.map(drop)
}

/// What a person who is banned reads.
pub fn reason(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::InvalidCredentials => "A name and a password did not fit.",
        Trigger::Spray => "Several account names were tried, and none succeeded.",
        Trigger::ForgedShortKey => "A sign-in was sent under a short_key that was not made here.",
        Trigger::ReplayedShortKey => "A sign-in was sent a second time.",
        Trigger::ExpiredShortKey => "A sign-in was sent after its short_key had run out.",
        Trigger::BadEnvelope => "Sealed messages were sent that cannot be opened.",
        Trigger::Flood => "Too many requests.",
        Trigger::Manual => "An administrator has closed this address.",
    }
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
        let Some(rule) = self.sentence.policy.rule(self.trigger) else {
            return Ok(None);
        };
        let ladder = Ladder { identity: self.identity, trigger: self.trigger, account: "" };
        let held = hold(tx, &ladder, self.sentence.now).await?;
        // What was on its way when the ban was made belongs to the offence that made it. A page that
        // opens a hundred connections has offended once, not a hundred times.
        if held.rung.is_some_and(|rung| rung.until > self.sentence.now) {
            return tx.one(BY_ID, [Value::Text(&held.ban)]).await?.as_ref().map(ban).transpose();
        }
        if !strikes::is_due(tx, &self.sentence.ban_id, &ladder, rule, &self.sentence).await? {
            return Ok(None);
        }
        climb(tx, &ladder, &held, rule, self.sentence.first(), &self.evidence).await.map(Some)
    }
}

struct Lift {
    identity: String,
    by: String,
    now: UnixMs,
}

impl Write for Lift {
    type Output = Vec<Ban>;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<Vec<Ban>> {
        let identity = Value::Text(&self.identity);
        tx.execute(FORGET_LADDERS, [identity]).await?;
        tx.execute(FORGET_STRIKES, [identity]).await?;
        tx.all(LIFT, [identity, Value::Int(self.now), Value::Text(&self.by)]).await?.iter().map(ban).collect()
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

    async fn active_bans(&self, now: UnixMs) -> Result<Vec<Ban>> {
        self.all(ACTIVE, [Value::Int(now)]).await?.iter().map(ban).collect()
    }

    async fn bans_changed(&self, since: UnixMs) -> Result<Vec<Ban>> {
        self.all(CHANGED, [Value::Int(since)]).await?.iter().map(ban).collect()
    }

    async fn lift(&self, identity: Identity, by: &str, now: UnixMs) -> Result<Vec<Ban>> {
        self.write(Lift { identity: identity.to_string(), by: by.to_owned(), now }).await
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
    })
}
