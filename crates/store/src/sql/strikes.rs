//! Offences, and the number that causes a ban.

use super::backend::{Backend, Value};
use super::ladders::Ladder;
use super::statement::sql;
use super::tx::Tx;
use crate::Result;
use crate::bans::BanContext;
use domain::UnixMs;
use domain::ban::{BanRule, Trigger};
use domain::client_key::ClientKey;

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

/// Writes the offence and returns whether a ban is due. An existing offence counts once.
pub(super) async fn is_due<DB: Backend>(
    tx: &mut Tx<'_, DB>,
    id: &str,
    ladder: &Ladder<'_>,
    rule: &BanRule,
    ban_context: &BanContext,
) -> Result<bool> {
    let client_key = ladder.client_key.to_string();
    let [who, cause, account] = ladder.key(&client_key);
    let kept_for = rule.window_ms.max(ban_context.policy.spray.window_ms);
    let expires_at = Value::Time(ban_context.now + kept_for);
    if tx.execute(ADD, &[Value::Text(id), who, cause, account, Value::Time(ban_context.now), expires_at]).await? == 0 {
        return Ok(false);
    }
    if rule.threshold <= 1 {
        return Ok(true);
    }
    let after = Value::Time(ban_context.now - rule.window_ms);
    Ok(tx.count(WITHIN, &[who, cause, account, after]).await? >= u64::from(rule.threshold))
}

/// Counts the account names that failed from the client key, without forgiven ones.
pub(super) async fn names<DB: Backend>(
    tx: &mut Tx<'_, DB>,
    client_key: ClientKey,
    rule: &BanRule,
    now: UnixMs,
) -> Result<u64> {
    let client_key = client_key.to_string();
    let cause = Value::Text(Trigger::InvalidCredentials.as_str());
    let after = Value::Time(now - rule.window_ms);
    tx.count(NAMES, &[Value::Text(&client_key), cause, after]).await
}

/// Counts the account names that succeeded from the client key within the rule's window.
pub(super) async fn succeeded<DB: Backend>(
    tx: &mut Tx<'_, DB>,
    client_key: ClientKey,
    rule: &BanRule,
    now: UnixMs,
) -> Result<u64> {
    let client_key = client_key.to_string();
    let after = Value::Time(now - rule.window_ms);
    tx.count(SUCCEEDED, &[Value::Text(&client_key), after]).await
}

/// Records a successful name for an address. A known device counts for itself, so this skips it.
pub(super) async fn succeed<DB: Backend>(
    tx: &mut Tx<'_, DB>,
    client_key: ClientKey,
    account: &str,
    now: UnixMs,
) -> Result<()> {
    if matches!(client_key, ClientKey::Device(_)) {
        return Ok(());
    }
    let client_key = client_key.to_string();
    tx.execute(SUCCEED, &[Value::Text(&client_key), Value::Text(account), Value::Time(now)]).await.map(drop)
}
