//! `/.postern/...` on an app's host; on the portal `/apps/return` and its API.

use super::app_page;
use super::enrol::{self, PARAMETER};
use super::sign_in_path::sign_in_path;
use super::{ApiError, not_found, pages, render, request};
use crate::client::Client;
use crate::config::App;
use crate::cookies::{self, CookieName};
use crate::flows::{self, app_entry};
use crate::guards::app_cookie;
use crate::guards::forwarded_request::{is_page, of_host};
use crate::guards::signed_in::SignedIn;
use crate::state::{AppState, CoreState, SessionState};
use app::View;
use app::view::EnterView;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Json};
use domain::app_path::safe_path;
use domain::percent::query_value;
use domain::request_initiator::is_own;
use domain::second_factor::Requirement;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use net::single_header;
use serde::Deserialize;
use std::sync::Arc;
use tower_cookies::Cookies;
use wire::apps::{EnterAnswer, EnterRequest};
use wire::paths;
use wire::problem::Code;

/// Time limit for a person's sign-in.
const STATE_MS: i64 = 60 * 60_000;
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

#[derive(Debug, Default, Deserialize)]
struct Start {
    next: Option<String>,
    again: Option<String>,
    factor: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Return {
    app: String,
    state: String,
    next: String,
    again: Option<String>,
    factor: Option<String>,
}

#[derive(Default, Deserialize)]
struct Callback {
    code: Option<String>,
    state: Option<String>,
    next: Option<String>,
    again: Option<String>,
}

impl std::fmt::Debug for Callback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Callback(..)")
    }
}

/// Sets the tab's state cookie on the app's host, and redirects to the portal.
pub(crate) async fn start(
    State(state): State<Arc<CoreState>>,
    cookies: Cookies,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    let app = app_of(&state, &parts.uri, &parts.headers)?;
    let asked: Start = request::query(&parts.uri).unwrap_or_default();
    let begun = app_entry::begin(&state);
    let config = &state.config;
    for old in app_entry::surplus(cookies::each(&parts.headers, config, CookieName::AppState)) {
        cookies::clear_one(&cookies, config, CookieName::AppState, old);
    }
    cookies::set_one(&cookies, config, CookieName::AppState, &begun.key, begun.cookie, STATE_MS);
    let (next, again) = (safe_path(asked.next.as_deref()), asked.again.is_some());
    let factor = asked.factor.as_deref().and_then(Requirement::parse).and_then(enrol::parameter);
    let mut pairs = vec![("app", app.origin.as_str()), ("state", &begun.hash), ("next", next)];
    pairs.extend(factor.map(|factor| (PARAMETER, factor)));
    let query = query(&pairs, again);
    Ok(of_app(&state, Redirect::to(&format!("{}{}{query}", config.origin, paths::APP_RETURN)).into_response()))
}

/// Shows a signed-in person a page on the portal that requests a code and returns to the app. Other people sign in
/// first. The page and not this answer requests the code, because a copied cookie could follow a link but cannot prove
/// the session's key.
pub(crate) async fn continue_sign_in(State(state): State<AppState>, request: Request) -> Response {
    let asked = request::query::<Return>(request.uri()).ok().filter(|asked| app_entry::is_256_bits(&asked.state));
    let found = asked.and_then(|asked| Some((state.config.apps.of_origin(&asked.app)?.name.clone(), asked)));
    let Some((app, asked)) = found else { return not_found::not_found(State(state), request).await };
    let (uri, headers) = (request.uri().clone(), request.headers().clone());
    let client = request.extensions().get::<Client>().cloned();
    match visitor(&state, client.as_ref(), &headers, &asked, &uri).await {
        Ok(Visitor::RequiredPage(path)) => Redirect::to(&path).into_response(),
        Ok(Visitor::SignedIn) => {
            let Return { app: origin, state: hash, next, again, .. } = asked;
            let wanted = EnterRequest { app: origin, state: hash, next, again: again.is_some() };
            let body = serde_json::to_string(&wanted).unwrap_or_default();
            let nonce = state.keyring.nonce(state.now());
            render::document(
                State(state),
                View::Enter(EnterView { app, body, nonce, path: paths::APP_ENTER.to_owned() }),
                request,
            )
            .await
        }
        Ok(Visitor::Stranger) => Redirect::to(&sign_in_path(&state, &headers, &uri)).into_response(),
        Err(error) => pages::broken(state, error, request).await,
    }
}

/// A person on the page that leads to an app.
enum Visitor {
    Stranger,
    /// Needs a second factor first, on this page.
    RequiredPage(String),
    SignedIn,
}

async fn visitor(
    state: &SessionState,
    client: Option<&Client>,
    headers: &HeaderMap,
    asked: &Return,
    here: &Uri,
) -> Result<Visitor, ApiError> {
    let Some(session) = SignedIn::find(state, client, headers).await? else { return Ok(Visitor::Stranger) };
    let app = state.config.apps.of_origin(&asked.app);
    let by_rule = app.map_or(Requirement::Optional, |app| app.rules.judge("GET", &asked.next, false).second_factor);
    let by_request = asked.factor.as_deref().and_then(Requirement::parse).unwrap_or_default();
    let required_page = enrol::required_page_for_app(state, &session, by_rule.max(by_request), here).await?;
    Ok(required_page.map_or(Visitor::SignedIn, Visitor::RequiredPage))
}

/// `POST /api/apps/enter`: issues a code for an app to a session whose key was proven.
pub(crate) async fn enter(
    State(state): State<Arc<CoreState>>,
    signed_in: SignedIn,
    body: Bytes,
) -> Result<Json<EnterAnswer>, ApiError> {
    let request: EnterRequest = request::body(&body)?;
    let app = state.config.apps.of_origin(&request.app).ok_or_else(|| ApiError::new(Code::NoApp))?;
    if !app_entry::is_256_bits(&request.state) {
        return Err(ApiError::new(Code::BadRequest));
    }
    let next = safe_path(Some(&request.next));
    let code = app_entry::code(&state, app, &signed_in.claims.sid, &request.state, next).await?;
    let query = query(&[("code", &code), ("state", &request.state), ("next", next)], request.again);
    // Only to a configured origin.
    Ok(Json(EnterAnswer { location: format!("{}{}{query}", app.origin, paths::APP_CALLBACK) }))
}

/// Exchanges the code for a session of this app, on the app's host. An invalid code is ignored if a session is open,
/// and otherwise requested again.
pub(crate) async fn callback(
    State(state): State<Arc<SessionState>>,
    Extension(client): Extension<Client>,
    cookies: Cookies,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    let app = app_of(&state, &parts.uri, &parts.headers)?;
    let asked: Callback = request::query(&parts.uri).unwrap_or_default();
    let next = safe_path(asked.next.as_deref());
    let config = &state.config;
    let hash = asked.state.filter(|hash| app_entry::is_256_bits(hash)).unwrap_or_default();
    let held = cookies::each(&parts.headers, config, CookieName::AppState)
        .find(|(key, cookie)| *key == app_entry::key(&hash) && app_entry::hash(cookie) == hash);
    let secret = held.map(|(key, cookie)| {
        cookies::clear_one(&cookies, config, CookieName::AppState, key);
        cookie.to_owned()
    });
    let entered = match asked.code.zip(secret) {
        Some((code, secret)) => {
            let (state, app) = (Arc::clone(&state), app.clone());
            let enter = async move { app_entry::enter(&state, &client, &app, code, secret).await };
            flows::run_to_completion(enter).await?
        }
        None => None,
    };
    let to = if let Some(entered) = entered {
        cookies::set(&cookies, config, CookieName::App, entered.cookie, Some(entered.until), state.now());
        entered.place
    } else if app_entry::is_open(&state, app, &parts.headers).await? {
        next.to_owned()
    } else if asked.again.is_none() {
        format!("{}{}", paths::APP_START, query(&[("next", next)], true))
    } else {
        return Ok(of_app(&state, app_page::no_way_in(&state, next)));
    };
    Ok(of_app(&state, Redirect::to(&format!("{}{to}", app.origin)).into_response()))
}

/// On the app's host: continues to the URL that the browser has stored ([`app_page::long_url_page`]).
pub(crate) async fn stored_url_page(
    State(state): State<Arc<CoreState>>,
    request: Request,
) -> Result<Response, ApiError> {
    app_of(&state, request.uri(), request.headers())?;
    Ok(of_app(&state, app_page::stored_url_page(&state)))
}

/// Shows a button on the app's host, because a link alone must not sign out.
pub(crate) async fn ask_to_sign_out(
    State(state): State<Arc<CoreState>>,
    request: Request,
) -> Result<Response, ApiError> {
    app_of(&state, request.uri(), request.headers())?;
    Ok(of_app(&state, app_page::sign_out(&state)))
}

/// Ends the parent session and with it all app sessions, on the app's host. Ending only this app's session would have
/// no effect, because the next page would begin it again.
pub(crate) async fn sign_out(
    State(state): State<Arc<SessionState>>,
    Extension(client): Extension<Client>,
    cookies: Cookies,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    let app = app_of(&state, &parts.uri, &parts.headers)?;
    let own = match single_header(&parts.headers, &FETCH_SITE) {
        Some(site) => site == "same-origin",
        // Browsers do not send it on plain http.
        None => single_header(&parts.headers, &header::ORIGIN)
            .is_some_and(|origin| is_own(origin, app.https, &app.authority)),
    };
    if !own {
        return Err(ApiError::new(Code::CrossSite));
    }
    if let Some(session) = app_cookie::held(&state, app, &parts.headers) {
        let state = state.clone();
        flows::run_to_completion(async move { flows::logout::end(&state, &client, &session.session()).await }).await?;
    }
    cookies::clear(&cookies, &state.config, CookieName::App);
    if !is_page(&parts.headers) {
        return Ok(of_app(&state, StatusCode::NO_CONTENT.into_response()));
    }
    let to = format!("{}{}?why=signed_out", state.config.origin, paths::LOGIN_PAGE);
    Ok(of_app(&state, Redirect::to(&to).into_response()))
}

fn app_of<'a>(state: &'a CoreState, uri: &Uri, headers: &HeaderMap) -> Result<&'a App, ApiError> {
    of_host(state, uri, headers).ok_or_else(|| ApiError::new(Code::NotFound))
}

fn query(pairs: &[(&str, &str)], again: bool) -> String {
    let mut all: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={}", query_value(value))).collect();
    if again {
        all.push("again=1".to_owned());
    }
    format!("?{}", all.join("&"))
}

/// Removes headers for sub-domains, because the app's host is not ours.
fn of_app(state: &CoreState, mut response: Response) -> Response {
    if state.config.https {
        let year = HeaderValue::from_static("max-age=63072000");
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    response
}
