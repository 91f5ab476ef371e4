//! The paid gate's books, as operators read and change them. The gate itself is another program, which
//! reads the same store.

use super::operator::Operator;
use crate::config::{ConfigError, Toll, toll_table};
use domain::UnixMs;
use futures::future::join_all;
use std::time::Duration;
use store::Store;
use store::audit::Event;
use store::toll::TokenChange;
use tokio::net::TcpStream;
use tokio::time::timeout;
use toll::route::Table;
use toll::terms::Bundle;
use toll::upstream::Address;
use wire::toll::Piconero;
use wire::toll_books::{Day, Days, Payment, PaymentState, Payments, Price, Route, Routes, Token, TokenState, Tokens};

/// Longer than a program on the same network takes to accept.
const KNOCK: Duration = Duration::from_secs(1);
const DAY_MS: i64 = 24 * 60 * 60_000;

/// Routes and prices of the settings, and who answers behind them now.
///
/// # Errors
/// The settings cannot stand.
pub async fn routes(settings: &Toll) -> Result<Routes, ConfigError> {
    let table = toll_table(&settings.routes, &Table::default())?;
    Ok(Routes { routes: join_all(table.iter().map(|listed| route(listed))).await })
}

/// The newest payments, at most `limit`.
///
/// # Errors
/// The store does not answer.
pub async fn payments(store: &dyn Store, limit: u32) -> store::Result<Payments> {
    Ok(Payments { payments: store.toll_payments(limit).await?.into_iter().map(payment).collect() })
}

/// The newest tokens, at most `limit`.
///
/// # Errors
/// The store does not answer.
pub async fn tokens(store: &dyn Store, limit: u32, now: UnixMs) -> store::Result<Tokens> {
    let tokens = store.toll_tokens(limit).await?;
    Ok(Tokens { tokens: tokens.into_iter().map(|token| shown(token, now)).collect() })
}

/// The last `days` days, today included.
///
/// # Errors
/// The store does not answer.
pub async fn days(store: &dyn Store, days: u32, now: UnixMs) -> store::Result<Days> {
    let since = now.div_euclid(DAY_MS) - i64::from(days) + 1;
    let day = |day: store::toll::TollDay| Day {
        at: day.day.saturating_mul(DAY_MS),
        route: day.route,
        challenges: day.challenges,
        payments: day.payments,
        piconero: piconero(day.piconero),
    };
    Ok(Days { days: store.toll_days(since).await?.into_iter().map(day).collect() })
}

/// Suspends, resumes or revokes a token. `false`: there is none, or it was so before.
///
/// # Errors
/// The store does not answer.
pub async fn change(operator: &Operator<'_>, id: &str, change: TokenChange) -> store::Result<bool> {
    let event = match change {
        TokenChange::Suspend => Event::TollSuspended,
        TokenChange::Resume => Event::TollResumed,
        TokenChange::Revoke => Event::TollRevoked,
    };
    operator.store.change_toll_token(id, change, &operator.entry(event, id)).await
}

async fn route(route: &toll::route::Route) -> Route {
    let bundles = route.terms.iter().flat_map(|terms| &terms.bundles);
    let price =
        |bundle: &Bundle| Price { piconero: Piconero(bundle.price), quota: bundle.quota, ttl_ms: bundle.ttl_ms };
    Route {
        name: route.name.clone(),
        hosts: route.hosts.clone(),
        methods: route.methods.iter().map(ToString::to_string).collect(),
        path: route.path.to_string(),
        prices: bundles.map(price).collect(),
        upstream: route.upstream.address.as_str().to_owned(),
        up: listens(&route.upstream.address).await,
    }
}

async fn listens(address: &Address) -> bool {
    let knocking = timeout(KNOCK, TcpStream::connect(address.endpoint()));
    matches!(knocking.await, Ok(Ok(_)))
}

fn payment(payment: store::toll::Payment) -> Payment {
    let state = match (payment.gone_at, payment.settled_at, payment.block) {
        (Some(_), ..) => PaymentState::Gone,
        (None, Some(_), _) => PaymentState::Settled,
        (None, None, Some(_)) => PaymentState::Mined,
        (None, None, None) => PaymentState::Pool,
    };
    Payment {
        txid: payment.id.txid,
        account: payment.id.account,
        subaddress: payment.id.subaddress,
        route: payment.route,
        piconero: piconero(payment.piconero),
        state,
        block: payment.block,
        seen_at: payment.seen_at,
        token: payment.challenge,
    }
}

fn shown(token: store::toll::Token, now: UnixMs) -> Token {
    let left = (token.quota - token.used).max(0);
    Token {
        state: state(&token, left, now),
        bound: !token.jkt.is_empty(),
        left,
        id: token.id,
        route: token.route,
        quota: token.quota,
        provisional: token.provisional,
        minted_at: token.minted_at,
        expires_at: token.expires_at,
    }
}

/// What holds it closed for longest comes first.
fn state(token: &store::toll::Token, left: i64, now: UnixMs) -> TokenState {
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
