//! The client of a request, and whether it is banned: the first check, without the database.

use super::forwarded;
use super::headers::page_policies;
use crate::api_error::ApiError;
use crate::bans::ActiveBan;
use crate::state::{AppState, CoreState};

use axum::extract::{ConnectInfo, Request};
use axum::response::{Html, IntoResponse, Response};
use domain::ban::Scope;
use domain::encoding::base64url;
use http::{HeaderValue, Method, StatusCode, header};
use std::net::SocketAddr;
use wire::problem::Code;

pub use crate::client::Client;

/// A request without the address of its connection, which the listener must provide.
#[derive(Debug, thiserror::Error)]
#[error("a request has no connection address")]
pub struct MissingPeer;

/// Returns the client of a request: the connection's address, or the one from a trusted proxy.
///
/// # Errors
/// `bad_request`: a trusted proxy sends none. `unavailable`: the connection has no address.
pub fn of(state: &CoreState, request: &Request) -> Result<Client, ApiError> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().ok_or(MissingPeer).map_err(ApiError::broken)?;
    let address = forwarded::client(&state.config.proxies, peer.0.ip(), request.headers())
        .map_err(|unreadable| ApiError::explained(Code::BadRequest, format!("{unreadable}.")))?;
    let mut client = Client::new(address, state.config.settings.ipv6_prefix, request.headers());
    client.is_proxy = state.config.proxies.trusts(address);
    Ok(client)
}

/// Whether the connection itself comes from a trusted proxy.
pub fn peer_is_proxy(state: &CoreState, request: &Request) -> bool {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    peer.is_some_and(|ConnectInfo(peer)| state.config.proxies.trusts(peer.ip()))
}

/// Builds the answer for an address that is banned from everything. `spared`: only a manual ban counts.
pub fn refused(state: &AppState, client: &Client, request: &Request, spared: bool) -> Option<Response> {
    let scope = Scope::Everything;
    let closed = if spared { client.manual_ban(&state.defence, scope) } else { client.closed(&state.defence, scope) };
    closed.map(|closed| refuse(state, closed, request))
}

fn refuse(state: &AppState, closed: ActiveBan, request: &Request) -> Response {
    let now = state.now();
    if !wants_page(request) {
        return ApiError::banned(closed, now).into_response();
    }
    let nonce = base64url(&state.entropy.bytes::<16>());
    let left = u64::try_from(closed.until - now).unwrap_or_default().div_ceil(1000);
    let (site, css) = (&state.config.settings.site.name, &state.assets.css);
    let page = app::banned::page(site, css, &nonce, closed.until.as_millis(), left, &closed.incident);
    let mut response = (StatusCode::FORBIDDEN, Html(page)).into_response();
    response.extensions_mut().insert(Code::Banned);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(left));
    response.headers_mut().extend(page_policies(&nonce, None));
    response
}

fn wants_page(request: &Request) -> bool {
    let accepts = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    request.method() == Method::GET && accepts.contains("text/html")
}
