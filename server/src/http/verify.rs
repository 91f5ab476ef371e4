//! `GET /api/verify`: reverse proxies ask it about each request to an app.

use super::{ApiError, app_page};
use crate::apps::Told;
use crate::flows::verify::{self, Verdict};
use crate::guards::app::{Asked, once};
use crate::state::AppState;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use std::net::SocketAddr;
use wire::paths;
use wire::problem::Code;

const USER: HeaderName = HeaderName::from_static("remote-user");
const ROLES: HeaderName = HeaderName::from_static("remote-roles");
const SESSION: HeaderName = HeaderName::from_static("remote-session");
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// 200 with who it is, 401 with the place to sign in, 403 for a role that is missing.
///
/// Asked as `/api/verify?redirect`, 302 stands in the place of 401 where a person looks at the answer: Caddy
/// passes it on, while nginx takes any other code than 401 and 403 for a failure.
pub async fn verify(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    let asked = Asked::read(&state, peer.ip(), &parts.headers)?;
    let navigation = is_navigation(asked.method, &parts.headers);
    let verdict = verify::judge(&state, &asked, &parts.headers, navigation).await?;
    state.metrics.checked(&verdict);
    Ok(match verdict {
        Verdict::Pass(told) => {
            let mut response = StatusCode::OK.into_response();
            let headers = response.headers_mut();
            // Empty values for nobody: Caddy 2.6 copies a header that is missing as the text of its placeholder.
            let value = |of: fn(&Told) -> &HeaderValue| {
                told.as_deref().map_or(HeaderValue::from_static(""), |told| of(told).clone())
            };
            headers.insert(USER, value(|told| &told.user));
            headers.insert(ROLES, value(|told| &told.roles));
            headers.insert(SESSION, value(|told| &told.session));
            headers.insert(header::AUTHORIZATION, value(|told| &told.authorization));
            response
        }
        Verdict::SignIn => {
            let next = app_page::encoded(domain::app::place(Some(asked.target)));
            let start = format!("{}{}?next={next}", asked.app.origin, paths::APP_START);
            sign_in(&state, navigation.then_some(start), parts.uri.query() == Some("redirect"))
        }
        Verdict::Denied if navigation => app_page::denied(&state),
        Verdict::Denied => ApiError::new(Code::RoleMissing).into_response(),
    })
}

/// `start`: where a person goes. The script of a page can go nowhere and is told so plainly.
fn sign_in(state: &AppState, start: Option<String>, redirect: bool) -> Response {
    let nonce = crate::dpop::nonce(&state.keyring.macs.nonce, state.now());
    let mut response = ApiError::new(Code::NoSession).with_nonce(nonce).into_response();
    if let Some(start) = start.and_then(|start| HeaderValue::try_from(start).ok()) {
        response.headers_mut().insert(header::LOCATION, start);
        if redirect {
            *response.status_mut() = StatusCode::FOUND;
        }
    }
    response
}

/// Whether a person looks at the answer: not a script, a picture, a socket. Older browsers tell by what they
/// accept.
fn is_navigation(method: &str, headers: &HeaderMap) -> bool {
    let accepts = || once(headers, &header::ACCEPT).is_some_and(|accept| accept.contains("text/html"));
    let goes = once(headers, &FETCH_MODE).map_or_else(accepts, |mode| mode == "navigate");
    goes && matches!(method, "GET" | "HEAD")
}
