//! Who asks, and whether this address is closed: the first guard of all. It asks no database.

use super::forwarded;
use crate::http::ApiError;
use crate::state::AppState;
use crate::{bans::Closed, device};
use axum::extract::{ConnectInfo, Request};
use axum::response::{Html, IntoResponse, Response};
use domain::ban::Scope;
use domain::encoding::base64url;
use domain::identity::Identity;
use domain::known_device::{KnownDevice, bucket_at};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use std::net::{IpAddr, SocketAddr};
use wire::problem::Code;

/// The client of a request.
#[derive(Debug, Clone)]
pub struct Client {
    pub address: IpAddr,
    pub identity: Identity,
    /// A browser that has signed in before, in the default preset.
    pub known: Option<KnownDevice>,
    /// What a live session that the request proves is counted by, in the default preset.
    pub session: Option<Identity>,
    /// Whether this request proves the key that its session is bound to. A cookie alone may be a copy.
    pub proven: bool,
    /// The request is a trusted proxy's own, on behalf of no client.
    pub is_proxy: bool,
    /// As it was sent: most requests never read it.
    user_agent: Option<HeaderValue>,
}

impl Client {
    pub fn new(address: IpAddr, v6_prefix: u8, headers: &HeaderMap) -> Self {
        Self {
            address: address.to_canonical(),
            identity: Identity::of(address, v6_prefix),
            known: None,
            session: None,
            proven: false,
            is_proxy: false,
            user_agent: headers.get(header::USER_AGENT).cloned(),
        }
    }

    /// Returns what admits the request and what its turn, its share and its wrong passwords count by: a known device
    /// or a live session by itself, all others by address.
    pub fn judged(&self) -> Identity {
        self.known.as_ref().map(KnownDevice::identity).or(self.session).unwrap_or(self.identity)
    }

    /// Returns what an offence counts against: the own bucket if this request proved its key, else the address.
    ///
    /// A copied cookie with one forged message would ban the owner wherever the owner is.
    pub fn offender(&self) -> Identity {
        if self.proven { self.judged() } else { self.identity }
    }

    /// Returns what the limits count by. A bucket of its own has a count for each address, so a copy of the cookie
    /// elsewhere does not make the owner wait.
    pub fn limited(&self) -> Identity {
        let judged = self.judged();
        if judged == self.identity { judged } else { Identity::Device(bucket_at(judged, self.identity)) }
    }

    /// Whether it is judged by itself and not by its address.
    pub fn has_own_bucket(&self) -> bool {
        self.judged() != self.identity
    }

    /// The ban that closes this scope to the client. A ban that an operator made on the address closes it to
    /// everybody; one that the engine made leaves those in who are judged by themselves.
    pub fn closed(&self, state: &AppState, scope: Scope) -> Option<Closed> {
        let now = state.now();
        let judged = self.judged();
        let own = state.bans.closed(judged, scope, now);
        // The list is walked only where there is a ban.
        let listed = |_: &Closed| state.allowlist.covers(self.address, now);
        if judged == self.identity {
            return own.filter(|closed| !self.is_proxy && !listed(closed));
        }
        own.or_else(|| state.bans.closed_by_hand(self.identity, scope, now).filter(|closed| !listed(closed)))
    }

    /// Whether nothing is held against `judged`: it is the address and on the allowlist, or a trusted proxy. A bucket
    /// of its own is never exempt: guesses on a known device are slowed down at every address.
    pub fn exempt(&self, judged: Identity, state: &AppState) -> bool {
        self.is_proxy || (judged == self.identity && state.allowlist.covers(self.address, state.now()))
    }

    /// "Firefox on Linux"
    pub fn device(&self) -> String {
        device::name(self.user_agent.as_ref().and_then(|agent| agent.to_str().ok()))
    }
}

/// A request without the address of its connection: the listener must name it.
#[derive(Debug, thiserror::Error)]
#[error("a request came without the address of its connection")]
pub struct MissingPeer;

/// Returns the client of a request: the address of the connection, or the one that a trusted proxy tells.
///
/// # Errors
/// `bad_request`: a trusted proxy tells none. `unavailable`: the connection has no address.
pub fn of(state: &AppState, request: &Request) -> Result<Client, ApiError> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().ok_or(MissingPeer).map_err(ApiError::broken)?;
    let address = forwarded::client(&state.config.proxies, peer.0.ip(), request.headers())
        .map_err(|unreadable| ApiError::explained(Code::BadRequest, format!("{unreadable}.")))?;
    let mut client = Client::new(address, state.config.settings.ipv6_prefix, request.headers());
    client.is_proxy = state.config.proxies.trusts(address);
    Ok(client)
}

/// Whether the connection itself comes from a trusted proxy.
pub fn peer_is_proxy(state: &AppState, request: &Request) -> bool {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    peer.is_some_and(|ConnectInfo(peer)| state.config.proxies.trusts(peer.ip()))
}

/// The answer to an address that is closed for everything.
pub fn refused(state: &AppState, client: &Client, request: &Request) -> Option<Response> {
    client.closed(state, Scope::Everything).map(|closed| refuse(state, closed, request))
}

fn refuse(state: &AppState, closed: Closed, request: &Request) -> Response {
    let now = state.now();
    if !wants_page(request) {
        return ApiError::banned(closed, now).into_response();
    }
    let nonce = base64url(&state.entropy.bytes::<16>());
    let left = u64::try_from(closed.until - now).unwrap_or_default().div_ceil(1000);
    let (site, css) = (&state.config.settings.site.name, &state.assets.css);
    let page = app::banned::page(site, css, &nonce, closed.until, left, &closed.incident);
    let mut response = (StatusCode::FORBIDDEN, Html(page)).into_response();
    response.extensions_mut().insert(Code::Banned);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(left));
    super::headers::set_page_policy(response.headers_mut(), &nonce);
    response
}

fn wants_page(request: &Request) -> bool {
    let accepts = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    request.method() == Method::GET && accepts.contains("text/html")
}
