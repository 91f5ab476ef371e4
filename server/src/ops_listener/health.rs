//! `/healthz` and `/readyz`

use crate::state::SessionState;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// Time limit for the store. A slower one is of no use to people who sign in.
pub const TIMEOUT: Duration = Duration::from_secs(2);

/// The state for a load balancer, and for people the failing part.
#[derive(Debug, Serialize)]
pub struct Ready {
    status: &'static str,
    store: &'static str,
    sync: &'static str,
    /// This node's clock, compared with the database's.
    clock: &'static str,
}

/// Returns the router of a program that needs no readiness.
pub fn router() -> Router {
    Router::new().route("/healthz", get(alive))
}

/// Answers while the process runs. If this fails, a restart helps.
pub async fn alive() -> &'static str {
    "alive\n"
}

/// Answers whether the store answers, changes from other nodes arrive, and the clock is near the database's. The
/// failing job logs the cause. Writing is not tried, because every probe would write.
pub async fn ready(State(state): State<Arc<SessionState>>) -> (StatusCode, Json<Ready>) {
    let answers = matches!(tokio::time::timeout(TIMEOUT, state.store.ping()).await, Ok(Ok(())));
    let fresh = !state.sync.is_stale(state.moment());
    let agrees = !state.sync.clocks_differ();
    let is_ready = answers && fresh && agrees;
    let code = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let ready = Ready {
        status: if is_ready { "ready" } else { "not ready" },
        store: if answers { "answers" } else { "does not answer" },
        sync: if fresh { "fresh" } else { "stale" },
        clock: if agrees { "agrees" } else { "differs" },
    };
    (code, Json(ready))
}
