//! `GET /api/verify`: reverse proxies call it for each request to an app.

use super::enrol::{PARAMETER, parameter};
use super::{ApiError, app_page};
use crate::apps::IdentityHeaders;
use crate::client::Client;
use crate::flows::verify::{self, AppAuthorization, ForwardAuthVerdict};
use crate::guards::factor_policy::MissingFactor;
use crate::guards::forwarded_request::{ForwardedRequest, is_framed, is_page};
use crate::state::{KeyState, SessionState};
use axum::Extension;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{IntoResponse, Response};
use domain::app_path::{LONGEST, safe_path, written_out};
use domain::percent::query_value;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use std::net::SocketAddr;
use std::sync::Arc;
use wire::paths;
use wire::problem::Code;

const USER: HeaderName = HeaderName::from_static("remote-user");
const ROLES: HeaderName = HeaderName::from_static("remote-roles");
const GROUPS: HeaderName = HeaderName::from_static("remote-groups");
const NAME: HeaderName = HeaderName::from_static("remote-name");
const EMAIL: HeaderName = HeaderName::from_static("remote-email");
const SESSION: HeaderName = HeaderName::from_static("remote-session");
/// The source of `Authorization`: `postern`, `app`, or empty without one.
const AUTHORIZATION: HeaderName = HeaderName::from_static("remote-authorization");

/// The viewer of an answer that is not the app's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ResponseViewer {
    /// A script, an image, a program.
    Nobody,
    Page,
    /// A framed page.
    Frame,
}

/// Answers 200 with the identity headers, 401 with the location of sign-in, or 403 for a missing role.
///
/// With `/api/verify?redirect`, a person gets 302 instead of 401. Caddy forwards that, while nginx treats other
/// statuses than 401 and 403 as a failure. With `/api/verify?answer` the answer always goes to the client: nginx asks
/// again in this way for answers that it cannot forward from the first.
pub(crate) async fn verify(
    State(state): State<Arc<SessionState>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Extension(client): Extension<Client>,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    let viewer = viewer(&parts.headers);
    let asked = match ForwardedRequest::read(&state, peer.ip(), &parts.headers) {
        Err(error) if error.code() == Code::Forbidden && viewer != ResponseViewer::Nobody => {
            return Ok(app_page::within(error.into_response(), app_page::only_proxies(&state)));
        }
        asked => asked?,
    };
    let safe = matches!(asked.method, "GET" | "HEAD");
    let verdict =
        verify::judge(&state, &client, &asked, &parts.headers, viewer == ResponseViewer::Page && safe).await?;
    state.metrics.checked(verdict.as_str());
    let answered = parts.uri.query() == Some("answer");
    Ok(match verdict {
        // The client must not see the identity headers. It was refused a moment ago, and may try again.
        ForwardAuthVerdict::Pass { .. } if answered => ApiError::wait(Code::Busy, 1000).into_response(),
        ForwardAuthVerdict::Pass { identity, authorization } => passed(identity.as_deref(), authorization),
        ForwardAuthVerdict::SignIn => {
            let redirect = answered || parts.uri.query() == Some("redirect");
            sign_in(&state, &asked, viewer, safe, redirect, None)
        }
        ForwardAuthVerdict::StepUp(missing) => {
            let redirect = answered || parts.uri.query() == Some("redirect");
            sign_in(&state, &asked, viewer, safe, redirect, Some(missing))
        }
        ForwardAuthVerdict::Denied if viewer == ResponseViewer::Nobody => {
            ApiError::new(Code::RoleMissing).into_response()
        }
        ForwardAuthVerdict::Denied => app_page::denied(&state, viewer == ResponseViewer::Frame),
    })
}

/// Sends every header, because Caddy 2.6 copies a missing one as the text of its placeholder.
fn passed(identity: Option<&IdentityHeaders>, authorization: AppAuthorization) -> Response {
    let mut response = StatusCode::OK.into_response();
    let headers = response.headers_mut();
    let nothing = || HeaderValue::from_static("");
    let value =
        |of: fn(&IdentityHeaders) -> &HeaderValue| identity.map_or_else(nothing, |identity| of(identity).clone());
    headers.insert(USER, value(|identity| &identity.user));
    headers.insert(ROLES, value(|identity| &identity.roles));
    headers.insert(GROUPS, value(|identity| &identity.groups));
    headers.insert(NAME, value(|identity| &identity.name));
    headers.insert(EMAIL, value(|identity| &identity.email));
    headers.insert(SESSION, value(|identity| &identity.session));
    let (whose, authorization) = match authorization {
        AppAuthorization::Postern(token) => ("postern", token),
        AppAuthorization::Client(own) => ("app", own),
        AppAuthorization::Nothing => ("", nothing()),
    };
    headers.insert(AUTHORIZATION, HeaderValue::from_static(whose));
    headers.insert(header::AUTHORIZATION, authorization);
    response
}

/// Redirects a person to sign-in or to the proof of a second factor, or explains it if that is not possible. A script
/// gets a plain 401.
fn sign_in(
    state: &KeyState,
    asked: &ForwardedRequest<'_>,
    viewer: ResponseViewer,
    safe: bool,
    redirect: bool,
    missing: Option<MissingFactor>,
) -> Response {
    let nonce = state.keyring.nonce(state.now());
    let error = missing.map_or_else(|| ApiError::new(Code::NoSession), |missing| missing.refusal(state));
    let mut response = error.with_nonce(nonce).into_response();
    let target = written_out(asked.target.as_bytes());
    match viewer {
        ResponseViewer::Nobody => response,
        ResponseViewer::Frame => app_page::within(response, app_page::sign_in_beside(state, &target)),
        ResponseViewer::Page if !safe => app_page::within(response, app_page::not_sent(state)),
        ResponseViewer::Page if target.len() > LONGEST => app_page::within(response, app_page::long_url_page(state)),
        ResponseViewer::Page => {
            let next = query_value(safe_path(Some(&target)));
            // The portal decides by the path alone. The requirement of this request makes it at least as strict,
            // because otherwise the person could be redirected in a loop.
            let factor = missing.and_then(|missing| parameter(missing.required));
            let factor = factor.map(|factor| format!("&{PARAMETER}={factor}")).unwrap_or_default();
            let start = format!("{}{}?next={next}{factor}", asked.app.origin, paths::APP_START);
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

fn viewer(headers: &HeaderMap) -> ResponseViewer {
    match (is_page(headers), is_framed(headers)) {
        (false, _) => ResponseViewer::Nobody,
        (true, false) => ResponseViewer::Page,
        (true, true) => ResponseViewer::Frame,
    }
}
