//! Requests that prove a live session or a known device. They count by themselves, and a ban that strangers caused at
//! their address does not apply to them.
//!
//! Nothing here reads the database. A device cookie or an app's cookie costs one HMAC. A token costs a look-up in the
//! cache of verified ones. The number of unknown ones that are verified for an address is limited, so that a banned
//! address cannot make the server work.

use super::forwarded_request::{self, ForwardedRequest};
use super::token::PresentedToken;
use super::{app_cookie, known_device};
use crate::client::Client;
use crate::config::{App, Preset};
use crate::cookies::{self, CookieName};
use crate::state::AppState;
use axum::extract::{ConnectInfo, Request};
use domain::client_key::ClientKey;
use domain::known_device::session_bucket;
use http::HeaderMap;
use std::net::SocketAddr;
use wire::paths;

/// Finds the client's own bucket. The strict preset has none.
pub fn find(state: &AppState, client: &mut Client, request: &Request) {
    if state.config.settings.ban.preset == Preset::Strict {
        return;
    }
    let headers = request.headers();
    client.known = known_device::find(state, headers);
    client.session = match request.uri().path() {
        // With a session's bucket, the owner of one account could guess at others.
        paths::LOGIN
        | paths::PASSKEY_LOGIN
        | paths::AUTHENTICATE
        | paths::SECOND_FACTOR
        | paths::SIGNUP
        | paths::RESET => None,
        _ => of_app(state, client, request).or_else(|| of_portal(state, client, headers)),
    };
}

/// Finds a session by a token from Postern. It may be expired, because the following refresh is from the same person.
fn of_portal(state: &AppState, client: &Client, headers: &HeaderMap) -> Option<ClientKey> {
    let shown = PresentedToken::read(state, headers).ok()??;
    of_token(state, client, &shown, &state.config.origin)
}

fn of_token(state: &AppState, client: &Client, shown: &PresentedToken, audience: &str) -> Option<ClientKey> {
    let now = state.now();
    let may_check = || state.rate_limiter.may_check_token(client.client_key, now);
    let claims = state.tokens.known_or(&shown.token, now, may_check)?;
    if claims.aud != audience || (claims.cnf.is_some() && !shown.fits_unproven(&claims) && !shown.is_dpop()) {
        return None;
    }
    let in_time = now < claims.exp.saturating_mul(1000);
    state.sessions.seems_live(&claims.sid, in_time, now).then(|| bucket(&claims.sub))
}

/// Finds an app's session, on the app's own host or in a proxy's question about a request.
fn of_app(state: &AppState, client: &Client, request: &Request) -> Option<ClientKey> {
    let headers = request.headers();
    let app: &App = match request.uri().path() {
        paths::VERIFY => {
            let ConnectInfo(peer) = request.extensions().get::<ConnectInfo<SocketAddr>>()?;
            ForwardedRequest::read(state, peer.ip(), headers).ok()?.app
        }
        path if path.starts_with("/.postern/") => forwarded_request::of_host(state, request.uri(), headers)?,
        _ => return None,
    };
    let by_cookie = || {
        let cookie = cookies::get(headers, &state.config, CookieName::App)?;
        let session = app_cookie::read(state, app, &cookie)?.session();
        state.sessions.seems_live(&session, true, state.now()).then(|| bucket(&session))
    };
    let by_header = || of_token(state, client, &PresentedToken::read(state, headers).ok()??, &app.origin);
    by_cookie().or_else(by_header)
}

fn bucket(name: &str) -> ClientKey {
    ClientKey::Device(session_bucket(name))
}
