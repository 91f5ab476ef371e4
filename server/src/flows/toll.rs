//! The paid gate's payments and tokens, for operators. The gate itself is another program that uses the same store.

use super::actor::Actor;
use crate::config::{ConfigError, TollSettings, toll_table};
use domain::UnixMs;
use futures::future::join_all;
use std::cmp::Reverse;
use std::time::Duration;
use store::Store;
use store::audit::AuditEvent;
use store::toll::TokenChange;
use tokio::net::TcpStream;
use tokio::time::timeout;
use toll::pricing::Bundle;
use toll::route::RouteTable;
use toll::upstream::UpstreamAddress;
use wire::toll::Piconero;
use wire::toll_admin::{
    ChainState, Gate, PaymentState, RoutePrice, TokenState, TollDay, TollDays, TollPayment, TollPayments, TollRoute,
    TollRoutes, TollToken, TollTokens,
};

/// Time limit for a connection, longer than a program on the same network needs to accept one.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const DAY_MS: i64 = 24 * 60 * 60_000;
/// Age of the last announcement beyond which a gate counts as stopped. A gate announces itself every few seconds.
const ANNOUNCEMENT_RETENTION_MS: i64 = 30_000;

/// The reason why routes cannot be listed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Returns whether a gate belongs to this site: the settings name paid routes, or a gate shares the database.
///
/// # Errors
/// The store does not answer.
pub async fn is_configured(store: &dyn Store, settings: &TollSettings) -> Result<bool, store::Error> {
    Ok(!settings.routes.is_empty() || !store.gates(UnixMs::EPOCH).await?.is_empty())
}

/// Returns routes and prices as the running gates announce them, and whether their upstreams accept connections now.
/// Without a running gate, returns those of the settings.
///
/// # Errors
/// The settings are invalid, or the store does not answer.
pub async fn routes(store: &dyn Store, settings: &TollSettings, now: UnixMs) -> Result<TollRoutes, Error> {
    let TollRoutes { gates, mut routes } = announced(store, now).await?;
    if gates.is_empty() {
        routes = described(&toll_table(&settings.routes, &RouteTable::default())?);
    }
    Ok(TollRoutes { gates, routes: with_reachability(routes).await })
}

/// Returns the running gates and their routes as they announced them, without a connection to upstreams.
///
/// # Errors
/// The store does not answer.
pub async fn announced(store: &dyn Store, now: UnixMs) -> store::Result<TollRoutes> {
    let announced = store.gates(now - ANNOUNCEMENT_RETENTION_MS).await?;
    let mut listed: Vec<TollRoute> = Vec::new();
    for gate in &announced {
        match serde_json::from_str::<Vec<TollRoute>>(&gate.routes) {
            Ok(routes) => routes.into_iter().for_each(|route| add(&mut listed, route)),
            Err(error) => tracing::warn!(cause = %error, "the routes of a gate of another version cannot be read"),
        }
    }
    Ok(TollRoutes { gates: announced.into_iter().map(running).collect(), routes: listed })
}

/// Adds a route once. Its upstream is up if every gate reaches it.
fn add(listed: &mut Vec<TollRoute>, route: TollRoute) {
    let is_same = |known: &&mut TollRoute| TollRoute { up: route.up, ..(**known).clone() } == route;
    match listed.iter_mut().find(is_same) {
        Some(known) => known.up &= route.up,
        None => listed.push(route),
    }
}

/// Describes the routes of a table, without a connection to their upstreams.
pub fn described(table: &RouteTable) -> Vec<TollRoute> {
    table.iter().map(|listed| route(listed)).collect()
}

/// Returns the newest payments, at most `limit`, including those that arrived too late.
///
/// # Errors
/// The store does not answer.
pub async fn payments(store: &dyn Store, limit: u32) -> store::Result<TollPayments> {
    let mut payments: Vec<_> = store.toll_payments(limit).await?.into_iter().map(payment).collect();
    payments.extend(store.late_payments(limit).await?.into_iter().map(late));
    payments.sort_by_key(|payment| Reverse(payment.seen_at));
    payments.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(TollPayments { payments })
}

/// Returns the newest tokens, at most `limit`.
///
/// # Errors
/// The store fails.
pub async fn tokens(store: &dyn Store, limit: u32, now: UnixMs) -> store::Result<TollTokens> {
    let tokens = store.toll_tokens(limit).await?;
    Ok(TollTokens { tokens: tokens.into_iter().map(|token| shown(token, now)).collect() })
}

/// Returns the last `days` days, including today.
///
/// # Errors
/// The store fails.
pub async fn days(store: &dyn Store, days: u32, now: UnixMs) -> store::Result<TollDays> {
    let since = now.as_millis().div_euclid(DAY_MS) - i64::from(days) + 1;
    let day = |day: store::toll::TollDay| TollDay {
        at: day.day.saturating_mul(DAY_MS),
        route: day.route,
        challenges: day.challenges,
        payments: day.payments,
        piconero: piconero(day.piconero),
    };
    Ok(TollDays { days: store.toll_days(since).await?.into_iter().map(day).collect() })
}

/// Suspends, resumes or revokes a token. `false`: it does not exist or is unchanged.
///
/// # Errors
/// The store fails.
pub async fn change(actor: &Actor<'_>, id: &str, change: TokenChange) -> store::Result<bool> {
    let event = match change {
        TokenChange::Suspend => AuditEvent::TollSuspended,
        TokenChange::Resume => AuditEvent::TollResumed,
        TokenChange::Revoke => AuditEvent::TollRevoked,
    };
    actor.store.change_toll_token(id, change, &actor.entry(event, id)).await
}

fn running(gate: store::gates::Gate) -> Gate {
    let chain = match gate.chain.as_str() {
        "seen" => ChainState::Seen,
        "away" => ChainState::Away,
        _ => ChainState::Unknown,
    };
    Gate { started_at: gate.started_at.as_millis(), heard_at: gate.heard_at.as_millis(), chain }
}

fn route(route: &toll::route::Route) -> TollRoute {
    let bundles = route.pricing.iter().flat_map(|pricing| &pricing.bundles);
    let price =
        |bundle: &Bundle| RoutePrice { piconero: Piconero(bundle.price), quota: bundle.quota, ttl_ms: bundle.ttl_ms };
    TollRoute {
        name: route.name.clone(),
        hosts: route.hosts.clone(),
        methods: route.methods.iter().map(ToString::to_string).collect(),
        path: route.path.to_string(),
        prices: bundles.map(price).collect(),
        upstream: route.upstream.address.as_str().to_owned(),
        up: false,
    }
}

/// Returns the routes with the present state of their upstreams.
pub async fn with_reachability(routes: Vec<TollRoute>) -> Vec<TollRoute> {
    let checked = |route: TollRoute| async {
        let up = match route.upstream.parse() {
            Ok(address) => listens(&address).await,
            Err(_) => false,
        };
        TollRoute { up, ..route }
    };
    join_all(routes.into_iter().map(checked)).await
}

/// Whether a program accepts connections at an address.
pub async fn listens(address: &UpstreamAddress) -> bool {
    let connecting = timeout(CONNECT_TIMEOUT, TcpStream::connect(address.endpoint()));
    matches!(connecting.await, Ok(Ok(_)))
}

fn payment(payment: store::toll::TollPayment) -> TollPayment {
    let state = match (payment.gone_at, payment.settled_at, payment.block) {
        (Some(_), ..) => PaymentState::Gone,
        (None, Some(_), _) => PaymentState::Settled,
        (None, None, Some(_)) => PaymentState::Mined,
        (None, None, None) => PaymentState::Pool,
    };
    TollPayment {
        txid: payment.id.txid,
        account: payment.id.account,
        subaddress: payment.id.subaddress,
        route: payment.route,
        piconero: piconero(payment.piconero),
        state,
        block: payment.block,
        seen_at: payment.seen_at.as_millis(),
        token: payment.challenge,
    }
}

fn late(late: store::gates::LatePayment) -> TollPayment {
    TollPayment {
        txid: late.id.txid,
        account: late.id.account,
        subaddress: late.id.subaddress,
        route: late.route,
        piconero: piconero(late.piconero),
        state: PaymentState::Late,
        block: late.block,
        seen_at: late.seen_at.as_millis(),
        token: late.challenge,
    }
}

fn shown(token: store::toll::TollToken, now: UnixMs) -> TollToken {
    let left = (token.quota - token.used).max(0);
    TollToken {
        state: state(&token, left, now),
        bound: token.jkt.is_some(),
        left,
        id: token.id,
        route: token.route,
        quota: token.quota,
        provisional: token.provisional,
        minted_at: token.minted_at.as_millis(),
        expires_at: token.expires_at.as_millis(),
    }
}

/// Returns the state of a token. If several apply, the one that lasts longest takes precedence.
fn state(token: &store::toll::TollToken, left: i64, now: UnixMs) -> TokenState {
    if token.revoked_at.is_some() {
        TokenState::Revoked
    } else if token.expires_at <= now {
        TokenState::Expired
    } else if left == 0 {
        TokenState::Spent
    } else if token.suspended_at.is_some() {
        TokenState::Suspended
    } else if token.asleep_at.is_some() {
        TokenState::Asleep
    } else {
        TokenState::Open
    }
}

fn piconero(amount: i64) -> Piconero {
    Piconero(u64::try_from(amount).unwrap_or_default())
}
