//! The second listener: loopback by default, without checks, and without secrets.

use super::{health, metrics};
use crate::config::{ListenSetting, OpsListenerSettings};
use crate::state::AppState;
use axum::Router;
use axum::routing::get;
use net::{ConnectionLimits, ConnectionSettings, HttpSettings, MinimumRate, RequestBody};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower::Service;

/// Maximum number of connections. Probes and a metrics collector need few.
const CONNECTIONS: usize = 64;
const HEADER_TIME: Duration = Duration::from_secs(5);

/// Opens the listener; `None` if it is off.
///
/// # Errors
/// The address is in use or not ours; the error says what to set.
pub async fn bind(settings: &OpsListenerSettings) -> Result<Option<TcpListener>, String> {
    bind_as("operator.listen", settings.listen).await
}

/// Opens the listener of another setting.
///
/// # Errors
/// As [`bind`].
pub async fn bind_as(setting: &str, listen: ListenSetting) -> Result<Option<TcpListener>, String> {
    let Some(address) = listen.0 else { return Ok(None) };
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("{setting} {address}: {error}. Set {setting} to a free address, or to \"off\""))?;
    Ok(Some(listener))
}

pub fn router(state: AppState) -> Router {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .with_state(state.clone())
        .route("/metrics", get(metrics::text).with_state(metrics::registry(&state)))
}

/// Serves until the task is ended, so that probes are answered while the server stops.
pub async fn serve(listener: TcpListener, router: Router) {
    let limits =
        ConnectionSettings { max: CONNECTIONS, per_address: None, v6_prefix: 64, minimum_rate: MinimumRate::default() };
    let http = HttpSettings::plain(ConnectionLimits::new(limits, Box::new(|_| false)), HEADER_TIME);
    let answer = move |_: SocketAddr, request: http::Request<RequestBody>| {
        let mut router = router.clone();
        async move {
            // A router is always ready and never fails.
            let Ok(response) = Service::call(&mut router, request).await;
            response
        }
    };
    // The sender is kept until this function ends: only ending the task stops it.
    let (_go_on, stop) = watch::channel(false);
    net::serve(listener, http, answer, stop).await;
}
