//! The second listener: loopback by default, no guard in front, nothing secret behind it.

use super::{health, metrics};
use crate::config::Operator;
use crate::state::AppState;
use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;

/// `None` where the settings want none.
///
/// # Errors
/// The address is taken or not ours: a sentence that says what to set.
pub async fn bind(settings: &Operator) -> Result<Option<TcpListener>, String> {
    let Some(address) = settings.listen.0 else { return Ok(None) };
    let listener = TcpListener::bind(address).await.map_err(|error| {
        format!("operator.listen {address}: {error}. Set operator.listen to a free address, or to \"off\"")
    })?;
    Ok(Some(listener))
}

pub fn router(state: AppState) -> Router {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .with_state(state.clone())
        .route("/metrics", get(metrics::text).with_state(metrics::registry(&state)))
}

/// Serves until the task is ended: probes are answered while the server stops.
pub async fn serve(listener: TcpListener, state: AppState) {
    if let Err(error) = axum::serve(listener, router(state)).await {
        tracing::error!(%error, "the operator listener ended");
    }
}
