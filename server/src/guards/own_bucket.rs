//! Requests that prove a live session, a known device or an OAuth client. They count by themselves, and a ban that
//! strangers caused at their address does not apply to them.
//!
//! Almost nothing here reads the database. A device cookie, an app's cookie or a client's secret costs one hash. A token
//! costs a look-up in the cache of verified ones. The number of unknown ones that are verified for an address is
//! limited, so that a banned address cannot make the server work.

use super::forwarded_request::{self, ForwardedRequest};
use super::oauth_client::{ProvenClient, ProvenForm};
use super::token::{PresentedToken, SeenToken};
use super::{app_cookie, body, known_device, oauth_client, rate_limit};
use crate::api_error::ApiError;
use crate::client::Client;
use crate::config::{App, Preset};
use crate::keyring::MacKeys;
use crate::rate_limiter::RequestClass;
use crate::state::{AppState, KeyState};
use crate::tokens::AccessTokenClaims;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request};
use domain::client_key::ClientKey;
use domain::encoding::{base64url, sha256};
use domain::known_device::{bucket_at, session_bucket};
use domain::refresh_token::RefreshToken;
use http::{HeaderMap, Method, header};
use oidc::Params;
use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use wire::paths;

/// Finds the client's own bucket. The strict preset has none. Credentials of an OAuth client may be in the body, which is
/// read here.
///
/// # Errors
/// That body is too long, incomplete or too slow.
pub async fn find(state: &AppState, client: &mut Client, mut request: Request) -> Result<Request, ApiError> {
    if state.config.settings.ban.preset == Preset::Strict {
        return Ok(request);
    }
    if authenticates_clients(&request) {
        return of_oauth_client(state, client, request).await;
    }
    let headers = request.headers();
    let path = request.uri().path();
    let signs_in = matches!(path, paths::LOGIN | paths::PASSKEY_LOGIN | paths::AUTHENTICATE | paths::SECOND_FACTOR);
    client.known = known_device::find(state, headers, signs_in);
    client.session = match path {
        paths::OAUTH_USERINFO => of_grant(state, client, headers),
        // With a session's bucket, the owner of one account could guess at others.
        paths::LOGIN
        | paths::PASSKEY_LOGIN
        | paths::AUTHENTICATE
        | paths::SECOND_FACTOR
        | paths::SIGNUP
        | paths::RESET => None,
        _ => match of_app(state, client, &request) {
            Some(key) => Some(key),
            None => match of_portal(state, client, headers) {
                Some((key, seen)) => {
                    // The handler need not verify it again.
                    request.extensions_mut().insert(seen);
                    Some(key)
                }
                None => None,
            },
        },
    };
    Ok(request)
}

/// Whether OAuth clients authenticate here (RFC 6749, section 2.3).
fn authenticates_clients(request: &Request) -> bool {
    let path = request.uri().path();
    let taken = matches!(
        path,
        paths::OAUTH_TOKEN | paths::OAUTH_INTROSPECT | paths::OAUTH_REVOKE | paths::OAUTH_PAR | paths::OAUTH_DEVICE
    );
    taken && *request.method() == Method::POST
}

/// Finds an OAuth client that proves its secret or its key. The server of an app may share its address with an
/// attacker.
async fn of_oauth_client(state: &AppState, client: &mut Client, request: Request) -> Result<Request, ApiError> {
    let request = match body::read(request).await {
        Ok(request) => request,
        Err(error) => {
            // Such a request counts as every other one.
            let _counted = rate_limit::enter(&state.defence, client, RequestClass::Other).await?;
            return Err(error);
        }
    };
    let (mut parts, body) = request.into_parts();
    // The body is in memory and within the limit.
    let bytes = to_bytes(body, body::LIMIT).await.map_err(ApiError::broken)?;
    let text = String::from_utf8_lossy(&bytes);
    let params = Params::parse(&text);
    let address = client.client_key;
    let may_check = |id: &str| {
        let key = ClientKey::Device(bucket_at(client_bucket(id), address));
        state.defence.rate_limiter.may_check_token(key, state.now())
    };
    let proven = oauth_client::proves(state, &parts.headers, &params, may_check).await?;
    let Some(proven) = proven else {
        client.known = known_device::find(state, &parts.headers, false);
        let by_refresh = of_refresh_token(state, &params);
        let by_token = || of_portal(state, client, &parts.headers).map(|(key, _)| key);
        client.session = by_refresh.or_else(by_token);
        return Ok(Request::from_parts(parts, Body::from(bytes)));
    };
    client.proven = true;
    let (ProvenClient::BySecret(own) | ProvenClient::ByAssertion(own)) = &proven;
    client.session = Some(client_bucket(own.id()));
    // The handler refuses a form that is not UTF-8 and a second header, whatever else the request proves.
    let is_one = matches!(text, Cow::Borrowed(_)) && parts.headers.get_all(header::AUTHORIZATION).iter().count() < 2;
    if let (ProvenClient::BySecret(client), true) = (proven, is_one) {
        parts.extensions.insert(ProvenForm { client, params });
    }
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

fn client_bucket(id: &str) -> ClientKey {
    bucket(&format!("client {id}"))
}

/// Finds a grant by the access token that an app shows for its user. Whether the grant is live is checked later.
fn of_grant(state: &AppState, client: &Client, headers: &HeaderMap) -> Option<ClientKey> {
    let (_, token) = verify::presented(headers).ok()??;
    let now = state.now();
    if let Some(known) = state.recent_tokens.genuine(&sha256(token.as_bytes()), state.keyring.changes(), now) {
        return Some(*known.bucket.get_or_init(|| grant_bucket(&known.live.grant.id)));
    }
    // An opaque token costs one HMAC, a JWT a signature.
    let may_check = !token.contains('.') || state.defence.rate_limiter.may_check_token(client.client_key, now);
    let read = if may_check { state.client_tokens.read(token, now) } else { None };
    read.map(|token| grant_bucket(&token.grant))
}

/// Finds the grant of a refresh token that a client without a secret shows.
fn of_refresh_token(state: &KeyState, params: &Params) -> Option<ClientKey> {
    let text = params.get("refresh_token").or_else(|| params.get("token"))?;
    let read = |macs: &MacKeys| RefreshToken::authenticate(&macs.oauth_refresh, text);
    let token = state.keyring.authentic(state.now(), read)?;
    Some(grant_bucket(&base64url(&token.session())))
}

fn grant_bucket(id: &str) -> ClientKey {
    bucket(&format!("grant {id}"))
}

/// Finds a session by a token from Postern. It may be expired, because the following refresh is from the same person.
fn of_portal(state: &AppState, client: &Client, headers: &HeaderMap) -> Option<(ClientKey, SeenToken)> {
    let shown = PresentedToken::read(state, headers).ok()??;
    let (key, claims) = of_token(state, client, &shown, &state.config.origin)?;
    Some((key, SeenToken { shown, claims }))
}

fn of_token(
    state: &AppState,
    client: &Client,
    shown: &PresentedToken,
    audience: &str,
) -> Option<(ClientKey, Arc<AccessTokenClaims>)> {
    let now = state.now();
    let may_check = || state.defence.rate_limiter.may_check_token(client.client_key, now);
    let claims = state.tokens.known_or(&shown.token, now, may_check)?;
    if claims.aud != audience || (claims.cnf.is_some() && !shown.fits_unproven(&claims) && !shown.is_dpop()) {
        return None;
    }
    let in_time = now < claims.exp.to_millis();
    state.sessions.seems_live(&claims.sid, in_time, now).then(|| (bucket(claims.sub.as_str()), claims))
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
        let session = app_cookie::held(state, app, headers)?.session();
        state.sessions.seems_live(&session, true, state.now()).then(|| bucket(session.as_str()))
    };
    let by_header = || of_token(state, client, &PresentedToken::read(state, headers).ok()??, &app.origin);
    by_cookie().or_else(|| by_header().map(|(key, _)| key))
}

fn bucket(name: &str) -> ClientKey {
    ClientKey::Device(session_bucket(name))
}
