//! `/.postern/...` on an app's own host, and `/apps/return` here.

use super::app_page::{self, encoded};
use super::{ApiError, not_found, pages, request};
use crate::cookies::{self, Name};
use crate::flows::{self, app_entry};
use crate::guards::app::{of_host, once};
use crate::guards::client::Client;
use crate::guards::signed_in::SignedIn;
use crate::state::AppState;
use axum::Extension;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::app::place;
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Deserialize;
use tower_cookies::Cookies;
use wire::paths;
use wire::problem::Code;

/// How long a person may take to sign in.
const STATE_MS: i64 = 60 * 60_000;
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

#[derive(Debug, Default, Deserialize)]
struct Start {
    next: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Return {
    app: String,
    state: String,
    next: String,
}

#[derive(Debug, Default, Deserialize)]
struct Callback {
    code: Option<String>,
}

/// On the app's host: remembers the browser and goes to the portal. Tabs that start at once share a state.
pub async fn start(State(state): State<AppState>, cookies: Cookies, request: Request) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    let app = of_host(&state, &parts.uri, &parts.headers).ok_or_else(|| ApiError::new(Code::NotFound))?;
    let asked: Start = request::query(&parts.uri).unwrap_or_default();
    let held = cookies::get(&parts.headers, &state.config, Name::AppState).filter(|held| app_entry::is_256_bits(held));
    let secret = held.unwrap_or_else(|| state.entropy.secret());
    let here = [encoded(&app.origin), app_entry::hash(&secret), encoded(place(asked.next.as_deref()))];
    let now = state.now();
    cookies::set(&cookies, &state.config, Name::AppState, secret, Some(now + STATE_MS), now);
    let [app, hash, next] = here;
    let to = format!("{}{}?app={app}&state={hash}&next={next}", state.config.origin, paths::APP_RETURN);
    Ok(of_app(&state, Redirect::to(&to).into_response()))
}

/// Here: whoever is signed in goes back to the app with a code; everybody else signs in and comes here again.
pub async fn go_on(State(state): State<AppState>, request: Request) -> Result<Response, ApiError> {
    let asked = request::query::<Return>(request.uri()).ok().filter(|asked| app_entry::is_256_bits(&asked.state));
    let found = asked.and_then(|asked| Some((state.config.apps.of_origin(&asked.app)?.clone(), asked)));
    let Some((app, asked)) = found else { return Ok(not_found::not_found(State(state), request).await) };
    let (Parts { uri, headers, .. }, _) = request.into_parts();
    let Some(signed_in) = SignedIn::find(&state, &headers).await? else {
        return Ok(Redirect::to(&pages::door(&state, &headers, &uri)).into_response());
    };
    let code = app_entry::code(&state, &app, &signed_in.claims.sid, &asked.state, place(Some(&asked.next))).await?;
    // To a configured origin and nowhere else.
    Ok(Redirect::to(&format!("{}{}?code={code}", app.origin, paths::APP_CALLBACK)).into_response())
}

/// On the app's host: the code becomes a session of this app in this browser.
pub async fn callback(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    cookies: Cookies,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    let app = of_host(&state, &parts.uri, &parts.headers).ok_or_else(|| ApiError::new(Code::NotFound))?;
    let asked: Callback = request::query(&parts.uri).unwrap_or_default();
    let secret = cookies::get(&parts.headers, &state.config, Name::AppState);
    let entered = match asked.code.zip(secret) {
        Some((code, secret)) => {
            flows::to_its_end(app_entry::enter(state.clone(), client, app.clone(), code, secret)).await?
        }
        None => None,
    };
    let Some(entered) = entered else { return Ok(of_app(&state, app_page::code_is_over(&state))) };
    cookies::set(&cookies, &state.config, Name::App, entered.cookie, Some(entered.until), state.now());
    Ok(of_app(&state, Redirect::to(&format!("{}{}", app.origin, entered.place)).into_response()))
}

/// On the app's host: a button, since nothing ends by a link alone.
pub async fn ask_to_sign_out(State(state): State<AppState>, request: Request) -> Result<Response, ApiError> {
    of_host(&state, request.uri(), request.headers()).ok_or_else(|| ApiError::new(Code::NotFound))?;
    Ok(of_app(&state, app_page::sign_out(&state)))
}

/// On the app's host: ends the parent session, and with it this app's and every other's. Ending this app's
/// alone would end nothing: the next page would begin it again unasked.
pub async fn sign_out(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    cookies: Cookies,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    let app = of_host(&state, &parts.uri, &parts.headers).ok_or_else(|| ApiError::new(Code::NotFound))?;
    let own = match once(&parts.headers, &FETCH_SITE) {
        Some(site) => site == "same-origin",
        None => once(&parts.headers, &header::ORIGIN) == Some(app.origin.as_str()),
    };
    if !own {
        return Err(ApiError::new(Code::CrossSite));
    }
    let cookie = cookies::get(&parts.headers, &state.config, Name::App);
    if let Some(session) = cookie.and_then(|cookie| app_entry::parent(&state, app, &cookie)) {
        let state = state.clone();
        flows::to_its_end(async move { flows::logout::end(&state, &client, &session).await }).await?;
    }
    cookies::clear(&cookies, &state.config, Name::App);
    if once(&parts.headers, &FETCH_MODE) != Some("navigate") {
        return Ok(of_app(&state, StatusCode::NO_CONTENT.into_response()));
    }
    let to = format!("{}{}?why=signed_out", state.config.origin, paths::LOGIN_PAGE);
    Ok(of_app(&state, Redirect::to(&to).into_response()))
}

/// An answer on a host that is not ours: what holds there for its sub-domains is not for us to say.
fn of_app(state: &AppState, mut response: Response) -> Response {
    if state.config.https {
        let year = HeaderValue::from_static("max-age=63072000");
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    response
}
