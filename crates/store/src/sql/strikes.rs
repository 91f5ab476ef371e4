//! Offences, and the number that causes a ban.

use super::backend::{Backend, Value};
use super::ladders::Ladder;
use super::statement::sql;
use super::tx::Tx;
use crate::Result;
use crate::bans::Sentence;
use domain::UnixMs;
use domain::ban::{Rule, Trigger};
use domain::identity::Identity;

sql! {
    ADD = "INSERT INTO strikes (id, identity, cause, account, at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (id) DO NOTHING";
    WITHIN = "SELECT COUNT(*) AS n FROM strikes WHERE identity = $1 AND cause = $2 AND account = $3 AND at > $4";
    NAMES = "SELECT COUNT(DISTINCT account) AS n FROM strikes
        WHERE identity = $1 AND cause = $2 AND account <> '' AND at > $3";
    SUCCEEDED = "SELECT COUNT(*) AS n FROM sign_ins WHERE identity = $1 AND at > $2";
    SUCCEED = "INSERT INTO sign_ins (identity, account, at) VALUES ($1, $2, $3)
        ON CONFLICT (identity, account) DO UPDATE SET at = excluded.at";
}

/// Writes the strike and returns whether a ban is due. An existing strike counts once.
pub async fn is_due<DB: Backend>(
    tx: &mut Tx<'_, DB>,
    id: &str,
    ladder: &Ladder<'_>,
    rule: &Rule,
    sentence: &Sentence,
) -> Result<bool> {
    let identity = ladder.identity.to_string();
    let [who, cause, account] = ladder.key(&identity);
    let kept_for = rule.window_ms.max(sentence.policy.spray.window_ms);
    let expires_at = Value::Int(sentence.now.saturating_add(kept_for));
    if tx.execute(ADD, [Value::Text(id), who, cause, account, Value::Int(sentence.now), expires_at]).await? == 0 {
        return Ok(false);
    }
    if rule.threshold <= 1 {
        return Ok(true);
    }
    let after = Value::Int(sentence.now.saturating_sub(rule.window_ms));
    Ok(tx.count(WITHIN, [who, cause, account, after]).await? >= u64::from(rule.threshold))
}

/// Counts the account names that failed from the identity, without forgiven ones.
pub async fn names<DB: Backend>(tx: &mut Tx<'_, DB>, identity: Identity, rule: &Rule, now: UnixMs) -> Result<u64> {
    let identity = identity.to_string();
    let cause = Value::Text(Trigger::InvalidCredentials.as_str());
    let after = Value::Int(now.saturating_sub(rule.window_ms));
    tx.count(NAMES, [Value::Text(&identity), cause, after]).await
}

/// Counts the account names that succeeded from the identity within the rule's window.
pub async fn succeeded<DB: Backend>(tx: &mut Tx<'_, DB>, identity: Identity, rule: &Rule, now: UnixMs) -> Result<u64> {
    let identity = identity.to_string();
    let after = Value::Int(now.saturating_sub(rule.window_ms));
    tx.count(SUCCEEDED, [Value::Text(&identity), after]).await
}

/// Records a successful name for an address. A known device is judged by itself, so this skips it.
pub async fn succeed<DB: Backend>(tx: &mut Tx<'_, DB>, identity: Identity, account: &str, now: UnixMs) -> Result<()> {
    if matches!(identity, Identity::Device(_)) {
        return Ok(());
    }
    let identity = identity.to_string();
    tx.execute(SUCCEED, [Value::Text(&identity), Value::Text(account), Value::Int(now)]).await.map(drop)
}
