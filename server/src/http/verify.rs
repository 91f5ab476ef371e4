//! `GET /api/verify`: reverse proxies ask it about each request to an app.

use super::{ApiError, app_page};
use crate::apps::Told;
use crate::flows::verify::{self, ForApp, Verdict};
use crate::guards::app::{Asked, is_framed, is_page};
use crate::state::AppState;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{IntoResponse, Response};
use domain::app_place::{LONGEST, place, written_out};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use std::net::SocketAddr;
use wire::paths;
use wire::problem::Code;

const USER: HeaderName = HeaderName::from_static("remote-user");
const ROLES: HeaderName = HeaderName::from_static("remote-roles");
const SESSION: HeaderName = HeaderName::from_static("remote-session");
/// Whose `Authorization` it is: `postern`, `app`, or empty where there is none.
const AUTHORIZATION: HeaderName = HeaderName::from_static("remote-authorization");

/// Who looks at an answer that is none of the app's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Viewer {
    /// A script, a picture, a program.
    Nobody,
    Page,
    /// A page within a page.
    Frame,
}

/// 200 with who it is, 401 with the place to sign in, 403 for a role that is missing.
///
/// Asked as `/api/verify?redirect`, 302 stands in the place of 401 where a person looks at the answer: Caddy
/// passes it on, while nginx takes any other code than 401 and 403 for a failure. Asked as `/api/verify?answer`, the
/// answer goes to the client in any case: nginx asks once more so, for what it cannot pass on from the first.
pub async fn verify(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    let asked = Asked::read(&state, peer.ip(), &parts.headers)?;
    let viewer = viewer(&parts.headers);
    let safe = matches!(asked.method, "GET" | "HEAD");
    let verdict = verify::judge(&state, &asked, &parts.headers, viewer == Viewer::Page && safe).await?;
    state.metrics.checked(&verdict);
    let answered = parts.uri.query() == Some("answer");
    Ok(match verdict {
        // A client must not see what is meant for the app. It was refused a moment ago, and may try again.
        Verdict::Pass { .. } if answered => ApiError::wait(Code::Busy, 1000).into_response(),
        Verdict::Pass { told, authorization } => passed(told.as_deref(), authorization),
        Verdict::SignIn => {
            let redirect = answered || parts.uri.query() == Some("redirect");
            sign_in(&state, &asked, viewer, safe, redirect)
        }
        Verdict::Denied if viewer == Viewer::Nobody => ApiError::new(Code::RoleMissing).into_response(),
        Verdict::Denied => app_page::denied(&state, viewer == Viewer::Frame),
    })
}

/// Every header is there: Caddy 2.6 copies one that is missing as the text of its placeholder.
fn passed(told: Option<&Told>, authorization: ForApp) -> Response {
    let mut response = StatusCode::OK.into_response();
    let headers = response.headers_mut();
    let nothing = || HeaderValue::from_static("");
    let value = |of: fn(&Told) -> &HeaderValue| told.map_or_else(nothing, |told| of(told).clone());
    headers.insert(USER, value(|told| &told.user));
    headers.insert(ROLES, value(|told| &told.roles));
    headers.insert(SESSION, value(|told| &told.session));
    let (whose, authorization) = match authorization {
        ForApp::Postern(token) => ("postern", token),
        ForApp::Client(own) => ("app", own),
        ForApp::Nothing => ("", nothing()),
    };
    headers.insert(AUTHORIZATION, HeaderValue::from_static(whose));
    headers.insert(header::AUTHORIZATION, authorization);
    response
}

/// A person is led to sign in, or told how where that cannot be. The script of a page can go nowhere and is told so
/// plainly.
fn sign_in(state: &AppState, asked: &Asked<'_>, viewer: Viewer, safe: bool, redirect: bool) -> Response {
    let nonce = state.keyring.nonce(state.now());
    let mut response = ApiError::new(Code::NoSession).with_nonce(nonce).into_response();
    let target = written_out(asked.target.as_bytes());
    match viewer {
        Viewer::Nobody => response,
        Viewer::Frame => app_page::within(response, app_page::sign_in_beside(state, &target)),
        Viewer::Page if !safe => app_page::within(response, app_page::not_sent(state)),
        Viewer::Page if target.len() > LONGEST => app_page::within(response, app_page::far(state)),
        Viewer::Page => {
            let next = app_page::encoded(place(Some(&target)));
            let start = format!("{}{}?next={next}", asked.app.origin, paths::APP_START);
            if let Ok(start) = HeaderValue::try_from(start) {
                response.headers_mut().insert(header::LOCATION, start);
                if redirect {
                    *response.status_mut() = StatusCode::FOUND;
                }
            }
            response
        }
    }
}

fn viewer(headers: &HeaderMap) -> Viewer {
    match (is_page(headers), is_framed(headers)) {
        (false, _) => Viewer::Nobody,
        (true, false) => Viewer::Page,
        (true, true) => Viewer::Frame,
    }
}
