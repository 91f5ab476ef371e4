//! Rows of bans, as every trigger writes them.

use super::backend::{Backend, Value};
use super::sequences::{self, Sequence};
use super::statement::sql;
use super::tx::Tx;
use crate::Result;
use crate::bans::Ban;
use domain::ban::Trigger;

sql! {
    INSERT = "INSERT INTO bans
            (id, incident, identity, scope, cause, reason, evidence, since, until, made_by, changed_at, seq)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $8, $11)";
}

/// Writes a new ban.
pub(super) async fn insert_ban<DB: Backend>(tx: &mut Tx<'_, DB>, ban: &Ban) -> Result<()> {
    let client_key = ban.client_key.to_string();
    let values = [
        Value::Text(ban.id.as_str()),
        Value::Text(&ban.incident),
        Value::Text(&client_key),
        Value::Text(ban.scope.as_str()),
        Value::Text(ban.trigger.as_str()),
        Value::Text(&ban.reason),
        Value::Text(&ban.evidence),
        Value::Time(ban.since),
        Value::Time(ban.until),
        Value::Text(&ban.made_by),
        Value::Int(sequences::next(tx, Sequence::Bans).await?),
    ];
    tx.execute(INSERT, &values).await.map(drop)
}

/// Returns the explanation for the banned person.
pub(super) fn reason(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::InvalidCredentials => "A name and a password did not fit.",
        Trigger::Spray => "Several account names were tried, and none succeeded.",
        Trigger::ForgedShortKey => "A sign-in was sent under a short_key that was not made here.",
        Trigger::ReplayedShortKey => "A sign-in was sent a second time.",
        Trigger::ExpiredShortKey => "A sign-in was sent after its short_key had run out.",
        Trigger::WrongSecondFactor => "Wrong codes were sent after the right password of an account.",
        Trigger::BadEnvelope => "Sealed messages were sent that cannot be opened.",
        Trigger::Flood => "Too many requests.",
        Trigger::Manual => "An administrator has closed this address.",
    }
}
