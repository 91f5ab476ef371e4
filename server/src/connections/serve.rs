//! The main listener.

use super::Tls;
use crate::config::{ClientAddress, Config, TrustedProxies};
use axum::extract::ConnectInfo;
use axum::response::Response;
use net::{ConnectionLimits, ConnectionSettings, HttpSettings, RequestBody};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower::Service;

/// Time limit for a request's headers, a PROXY header, and the TLS handshake.
const HEADER_TIME: Duration = Duration::from_secs(5);

/// The parameters of the main listener.
#[derive(Debug)]
pub struct MainListener {
    /// Limits with fair shares for each address. Trusted proxies carry many people's connections and are exempt from
    /// those.
    limits: ConnectionSettings,
    proxies: Arc<TrustedProxies>,
    tls: Option<Tls>,
}

impl MainListener {
    pub fn new(config: &Config, tls: Option<Tls>) -> Self {
        let connections = &config.settings.connections;
        let limits = ConnectionSettings {
            max: connections.max,
            per_address: Some(connections.max_per_address),
            v6_prefix: config.settings.ipv6_prefix,
            minimum_rate: connections.minimum_rate(),
        };
        Self { limits, proxies: Arc::clone(&config.proxies), tls }
    }

    /// Limits the number of connections to `most`.
    #[must_use]
    pub fn at_most(mut self, most: usize) -> Self {
        self.limits.max = self.limits.max.min(most);
        self
    }

    fn http(self) -> HttpSettings {
        let (exempt, proxies) = (Arc::clone(&self.proxies), self.proxies);
        let says_first = proxies.client_address == ClientAddress::ProxyProtocol;
        HttpSettings {
            connections: ConnectionLimits::new(self.limits, Box::new(move |peer| exempt.trusts(peer))),
            header_time: HEADER_TIME,
            http2_in_clear: false,
            speaks_proxy: Box::new(move |peer| says_first && proxies.trusts(peer)),
            tls: self.tls,
            when_full: b"",
            // A request that nobody waits for must not take the place of another in the queue of sign-ins.
            half_close: false,
        }
    }
}

/// Serves until `stop` is set, then finishes running requests. A connection that cannot be accepted is logged and
/// skipped.
pub async fn serve<S: HttpService>(
    listener: TcpListener,
    service: S,
    main_listener: MainListener,
    stop: watch::Receiver<bool>,
) {
    let answer = move |peer, mut request: http::Request<RequestBody>| {
        request.extensions_mut().insert(ConnectInfo::<std::net::SocketAddr>(peer));
        let mut service = service.clone();
        async move {
            // The service is always ready and never fails.
            let Ok(response) = service.call(request).await;
            response
        }
    };
    net::serve(listener, main_listener.http(), answer, stop).await;
}

/// A service that answers requests: an axum router, or the chain before it.
pub trait HttpService:
    Service<http::Request<RequestBody>, Response = Response, Error = Infallible, Future: Send>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> HttpService for S where
    S: Service<http::Request<RequestBody>, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}
