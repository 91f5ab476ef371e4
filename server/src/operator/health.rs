//! `/healthz` and `/readyz`

use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use std::time::Duration;

/// A store that takes longer than this is no help to anybody who signs in.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// What a load balancer needs to know, and for people the part that is to blame.
#[derive(Debug, Serialize)]
pub struct Ready {
    status: &'static str,
    store: &'static str,
    sync: &'static str,
}

/// The process answers. A restart cures what this does not say.
pub async fn alive() -> &'static str {
    "alive\n"
}

/// Whether the store answers and news from other nodes arrive. Why a part fails is in the log: the job that
/// failed wrote it there. That writing works is not tried: it would write at every probe.
pub async fn ready(State(state): State<AppState>) -> (StatusCode, Json<Ready>) {
    let answers = matches!(tokio::time::timeout(PATIENCE, state.store.ping()).await, Ok(Ok(())));
    let fresh = !state.sync.is_stale(state.now());
    let code = if answers && fresh { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let ready = Ready {
        status: if answers && fresh { "ready" } else { "not ready" },
        store: if answers { "answers" } else { "does not answer" },
        sync: if fresh { "fresh" } else { "stale" },
    };
    (code, Json(ready))
}
