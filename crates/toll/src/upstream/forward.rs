//! Forwards requests and streams the answers.

use super::body_limit::limited;
use super::body_progress::{WaitingFor, observed};
use super::{CircuitBreaker, UpstreamAddress};
use crate::gate_problem::GateProblem;
use axum::body::Body;
use axum_reverse_proxy::{HostBehaviour, ProxyError, ProxyPolicy, ReverseProxy, XForwardedFor};
use domain::UnixMs;
use http::{Request, Response, StatusCode, header};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::fmt;
use std::time::Duration;

const CONNECT_TIME: Duration = Duration::from_secs(3);
/// Period that idle connections are kept.
const IDLE: Duration = Duration::from_secs(30);
/// Our name in `Via` (RFC 9110, section 7.6.3). A request that returns with it is refused.
const VIA_NAME: &str = "postern-toll";

/// The settings of forwarding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForwardSettings {
    /// Time limit for the start of an upstream's answer, after the request has arrived. Also the longest pause in a
    /// request's body.
    pub answer_within: Duration,
    /// Maximum length of a request body, in bytes.
    pub max_body: u64,
    /// Whether to forward the client's `Host` instead of the upstream's name.
    pub preserve_host: bool,
    /// Whether the upstream supports HTTP/2 with prior knowledge (RFC 9113, section 3.3).
    pub http2: bool,
}

impl Default for ForwardSettings {
    fn default() -> Self {
        let answer_within = Duration::from_secs(30);
        Self { answer_within, max_body: 64 * 1024 * 1024, preserve_host: false, http2: false }
    }
}

/// One upstream with its connections and its health.
pub struct Upstream {
    pub address: UpstreamAddress,
    pub forward: ForwardSettings,
    pub breaker: CircuitBreaker,
    proxy: ReverseProxy<HttpConnector>,
}

impl Upstream {
    pub fn new(address: UpstreamAddress, forward: &ForwardSettings) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIME));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .http2_only(forward.http2)
            .build(connector);
        let host = if forward.preserve_host { HostBehaviour::Preserve } else { HostBehaviour::Replace };
        let policy = ProxyPolicy::new()
            .with_host_behaviour(host)
            // Our own code has set these headers.
            .with_x_forwarded_for(XForwardedFor::Preserve)
            .with_via(VIA_NAME);
        let proxy = ReverseProxy::new_with_client("", address.as_str(), client).with_policy(policy);
        Self { address, forward: forward.clone(), breaker: CircuitBreaker::default(), proxy }
    }

    /// Forwards the request and streams the answer. If the upstream gave none, returns an error of the gate.
    pub async fn send(&self, request: Request<Body>, now: impl Fn() -> UnixMs) -> Response<Body> {
        if let Err(left) = self.breaker.ask(now()) {
            let seconds = u64::try_from(left).unwrap_or_default().div_ceil(1000);
            return GateProblem::upstream(StatusCode::SERVICE_UNAVAILABLE, seconds).answer();
        }
        if is_longer(&request, self.forward.max_body) {
            return GateProblem::too_large().answer();
        }
        let (parts, body) = request.into_parts();
        let (body, over) = limited(body, self.forward.max_body);
        let (body, progress) = observed(body);
        let forwarded = self.proxy.proxy_request(Request::from_parts(parts, body));
        let Ok(response) = tokio::select! {
            response = forwarded => response,
            side = progress.stalled(self.forward.answer_within) => return self.timed_out(side, now()),
        };
        let Some(error) = response.extensions().get::<ProxyError>() else {
            return self.record_response(response);
        };
        if over.is() {
            return GateProblem::too_large().answer();
        }
        tracing::debug!(upstream = self.address.as_str(), cause = error.message(), "an upstream did not answer");
        // A client that disconnects during its body says nothing about the upstream.
        if error.is_connect() {
            self.breaker.failed(now());
        }
        GateProblem::upstream(response.status(), 1).answer()
    }

    /// Answers a request that has waited too long. A slow client says nothing about the upstream.
    fn timed_out(&self, side: WaitingFor, now: UnixMs) -> Response<Body> {
        match side {
            WaitingFor::Client => GateProblem::slow_body().answer(),
            WaitingFor::Upstream => {
                self.breaker.failed(now);
                GateProblem::upstream(StatusCode::GATEWAY_TIMEOUT, 1).answer()
            }
        }
    }

    fn record_response(&self, response: Response<Body>) -> Response<Body> {
        // The proxy library made this answer before it sent anything.
        if response.status() == StatusCode::LOOP_DETECTED && response.headers().is_empty() {
            return GateProblem::looped().answer();
        }
        self.breaker.answered();
        response
    }
}

/// Whether a request declares a body over the limit.
fn is_longer(request: &Request<Body>, limit: u64) -> bool {
    let announced =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    announced.is_some_and(|announced| announced > limit)
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Upstream({})", self.address.as_str())
    }
}
