//! Accepts connections with HTTP/1.1 and HTTP/2, by the crate `net`.

use crate::gate::Gate;
use axum::body::Body;
use net::{ConnectionLimits, HttpSettings, MinimumRate};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Time limit for receiving the headers of a request.
const HEADER_TIME: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy)]
pub struct GateLimits {
    /// Maximum number of connections.
    pub connections: usize,
}

/// Serves until `stop` is set, then finishes running requests.
pub async fn serve(listener: TcpListener, gate: Arc<Gate>, limits: GateLimits, stop: watch::Receiver<bool>) {
    serve_with(listener, gate, http(limits, MinimumRate::default(), |_| false), stop).await;
}

/// Configures how connections are accepted. `exempt`: peers that carry many people's connections.
pub fn http(
    limits: GateLimits,
    minimum_rate: MinimumRate,
    exempt: impl Fn(IpAddr) -> bool + Send + Sync + 'static,
) -> HttpSettings {
    let limits = net::ConnectionSettings { max: limits.connections, per_address: None, v6_prefix: 64, minimum_rate };
    HttpSettings {
        connections: ConnectionLimits::new(limits, Box::new(exempt)),
        header_time: HEADER_TIME,
        http2_in_clear: true,
        speaks_proxy: Box::new(|_| false),
        tls: None,
        when_full: b"",
        // A paid stream must end when its client hangs up: it costs a request for each minute.
        half_close: false,
    }
}

/// Serves like [`serve`], with other limits.
pub async fn serve_with(listener: TcpListener, gate: Arc<Gate>, http: HttpSettings, stop: watch::Receiver<bool>) {
    let answer = move |peer: SocketAddr, request: http::Request<net::RequestBody>| {
        let gate = Arc::clone(&gate);
        async move { gate.answer(peer.ip(), request.map(Body::new)).await }
    };
    net::serve(listener, http, answer, stop).await;
}
