//! A plain http listener that redirects to https and does nothing else.

use crate::config::Config;
use axum::body::Body;
use axum::response::Response;
use http::header::{ALLOW, LOCATION};
use http::{HeaderValue, Method, Request, StatusCode};
use net::{ConnectionLimits, ConnectionSettings, HttpSettings, RequestBody};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Maximum number of connections. A redirect is quick, so few are enough.
const CONNECTIONS: usize = 256;
const PER_ADDRESS: usize = 32;
const HEADER_TIME: Duration = Duration::from_secs(5);

/// Opens the listener of `tls.redirect_http`, if it is set.
///
/// # Errors
/// The address is in use or not ours; the error says what to set.
pub async fn bind(config: &Config) -> Result<Option<TcpListener>, String> {
    let Some(address) = config.settings.tls.redirect_http else { return Ok(None) };
    let listener = TcpListener::bind(address).await;
    listener.map(Some).map_err(|error| format!("tls.redirect_http {address}: {error}"))
}

/// Redirects every page to the same path of the public URL until `stop` is set.
pub async fn serve(listener: TcpListener, config: &Config, stop: watch::Receiver<bool>) {
    let limits = ConnectionSettings {
        max: CONNECTIONS,
        per_address: Some(PER_ADDRESS),
        v6_prefix: config.settings.ipv6_prefix,
        minimum_rate: config.settings.connections.minimum_rate(),
    };
    let http = HttpSettings::plain(ConnectionLimits::new(limits, Box::new(|_| false)), HEADER_TIME);
    let origin: Arc<str> = config.origin.as_str().into();
    let answer = move |_: SocketAddr, request: Request<RequestBody>| {
        let response = redirect_or_refuse(&origin, &request);
        async move { response }
    };
    net::serve(listener, http, answer, stop).await;
}

/// Redirects a page. Refuses a form that was sent in plain text, because its content was exposed already and somebody
/// must notice.
fn redirect_or_refuse<B>(origin: &str, request: &Request<B>) -> Response {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let mut response = Response::new(Body::empty());
    match HeaderValue::from_str(&format!("{origin}{path}")) {
        Ok(location) if matches!(*request.method(), Method::GET | Method::HEAD) => {
            *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
            response.headers_mut().insert(LOCATION, location);
        }
        Ok(_) => {
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        Err(_) => *response.status_mut() = StatusCode::BAD_REQUEST,
    }
    response
}
