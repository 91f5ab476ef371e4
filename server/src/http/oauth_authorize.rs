//! `/oauth/authorize`: the page that leads a person to an app, and its request for a code.
//!
//! The page itself writes nothing. Its script proves the key of the session, as for apps behind a proxy, so that a
//! copied cookie gets no code.

use super::app_introduction::{AppIntroduction, describe, signed_in_as};
use super::sign_in_path::sign_in_from;
use super::{ApiError, enrol, pages, render, request};
use crate::client::Client as Caller;
use crate::flows::oauth_authorize::{self, AuthorizationOutcome, Examined};
use crate::flows::oauth_request_marks;
use crate::flows::{self, oauth_marks};
use crate::guards::body;
use crate::guards::signed_in::SignedIn;
use crate::oauth::clients::{is_terminal, plain_words};
use crate::state::{AppState, KeyState};
use app::View;
use app::view::{AskList, AskView, EnterView, LeaveLink, RefusedView};
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Json};
use domain::bidi::isolated;
use domain::local_path::written_out;
use domain::percent::query_value;
use http::{Method, StatusCode};
use oidc::authorize::{self as rules, ResponseMode, ShownError};
use oidc::error::{ErrorCode, OAuthError};
use oidc::params::encoded_again;
use oidc::{Client, Params, redirect_uri};
use std::sync::Arc;
use wire::oauth::{AppAnswer, AppRequest};
use wire::paths;

/// The `why` of a sign-in page that is shown although a session exists.
const AGAIN: &str = "again";

/// Maximum length in bytes of an app's link, as the sign-in page carries it. The mark of a sign-in still fits into a local
/// path, and the page's own request into a body.
const LONGEST_LINK: usize = 15 * 1024;
const REVOCABLE: &str = "You can revoke this on your account page at any time.";
const EACH_TIME: &str = "You are asked each time, because another program on this device could pass for the app.";

/// Shows the page, or leads to sign-in, or back to the app with an error.
pub(crate) async fn authorize(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response {
    match respond(&state, &caller, request).await {
        Ok(response) => response,
        Err((error, request)) => pages::broken(state, error, request).await,
    }
}

async fn respond(state: &AppState, caller: &Caller, request: Request) -> Result<Response, (ApiError, Request)> {
    if request.method() == Method::POST {
        return Ok(again_as_get(request).await);
    }
    if is_too_long(&request) {
        return Ok(too_long(state, request).await);
    }
    let headers = request.headers().clone();
    let query = match oauth_request_marks::arrived(state, request.uri().query().unwrap_or_default()) {
        Ok(query) => query,
        Err(error) => return Err((error, request)),
    };
    let (query, here) = (query.as_str(), format!("{}?{query}", paths::OAUTH_AUTHORIZE));
    let found = async {
        let session = SignedIn::find(state, Some(caller), &headers).await?;
        let outcome = oauth_authorize::examine(state, query, caller, session.as_ref()).await?;
        Ok((outcome, session))
    };
    let (outcome, session) = match found.await {
        Ok(found) => found,
        Err(error) => return Err((error, request)),
    };
    Ok(match outcome {
        AuthorizationOutcome::Shown(error) => {
            let mut response = render::document(State(state.clone()), View::Refused(refused(error)), request).await;
            *response.status_mut() = StatusCode::BAD_REQUEST;
            response
        }
        AuthorizationOutcome::Expired(error, client) => {
            let (start, refused) = (start_of(&client), refused(error));
            let view = View::Refused(if client.is_unchecked() {
                RefusedView { leave: start, ..refused }
            } else {
                RefusedView { start, ..refused }
            });
            let mut response = render::document(State(state.clone()), view, request).await;
            *response.status_mut() = StatusCode::BAD_REQUEST;
            response
        }
        AuthorizationOutcome::Respond(response) => match location(state, &response, query) {
            Ok(to) => Redirect::to(&to).into_response(),
            Err(error) => return Err((error, request)),
        },
        AuthorizationOutcome::Leave(response, facts) => match location(state, &response, query) {
            Ok(href) => leave(state, request, href, &response, facts).await,
            Err(error) => return Err((error, request)),
        },
        AuthorizationOutcome::MissingFactor(missing) => Redirect::to(&enrol::path_from(missing, &here)).into_response(),
        AuthorizationOutcome::SignIn { again: false, .. } => {
            Redirect::to(&sign_in_from(state, &headers, &here)).into_response()
        }
        AuthorizationOutcome::SignIn { again: true, query } => sign_in_again(&query, AGAIN),
        AuthorizationOutcome::StepUp { query } => sign_in_again(&query, enrol::FACTOR),
        AuthorizationOutcome::Answer(examined) => {
            let body = body_of(query, None, session.as_ref());
            let nonce = state.keyring.nonce(state.now());
            let path = paths::OAUTH_ENTER.to_owned();
            let enter = EnterView { app: examined.client.name().to_owned(), body, nonce, path };
            render::document(State(state.clone()), View::Enter(enter), request).await
        }
        AuthorizationOutcome::Ask(examined) => {
            let view = View::Ask(Box::new(ask(state, &examined, query, session.as_ref())));
            render::document(State(state.clone()), view, request).await
        }
    })
}

/// Leads to the sign-in page although a session exists. `why`: the reason that the page shows.
fn sign_in_again(query: &str, why: &str) -> Response {
    let next = format!("{}?{query}", paths::OAUTH_AUTHORIZE);
    Redirect::to(&format!("{}?next={}&why={why}", paths::LOGIN_PAGE, query_value(&next))).into_response()
}

/// Whether the link of an app is too long for the way through sign-in.
pub(crate) fn is_too_long(request: &Request) -> bool {
    request.uri().path_and_query().is_some_and(|link| written_out(link.as_str()).len() > LONGEST_LINK)
}

/// Says that the link of an app is too long.
pub(crate) async fn too_long(state: &AppState, request: Request) -> Response {
    let text = "the link of the app is longer than 15 KiB. Its developer can push the request to the endpoint for pushed \
                authorization requests (RFC 9126) instead, or shorten state";
    let shown = ShownError { error: OAuthError::new(ErrorCode::InvalidRequest, text), facts: Vec::new() };
    let mut response = render::document(State(state.clone()), View::Refused(refused(shown)), request).await;
    *response.status_mut() = StatusCode::URI_TOO_LONG;
    response
}

/// Returns the link to the page at which a person begins at an app. An app whose page is not registered has one at the root
/// of its redirect URI. A native app has none.
fn start_of(client: &Client) -> Option<LeaveLink> {
    let settings = &client.settings;
    let root = || settings.redirect_uris.iter().find_map(|uri| Some(format!("{}/", redirect_uri::origin(uri)?)));
    let href = settings.url.clone().or_else(root).filter(|_| !is_terminal(client))?;
    Some(LeaveLink { host: leave_host(&href), href })
}

/// Shows why a request was refused, with a link that brings the error to the app.
async fn leave(
    state: &AppState,
    request: Request,
    href: String,
    response: &rules::Response,
    facts: Vec<(&'static str, String)>,
) -> Response {
    let value = |wanted: &str| response.pairs.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.clone());
    let view = RefusedView {
        code: value("error").unwrap_or_default(),
        description: value("error_description").unwrap_or_default(),
        facts: facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        start: None,
        leave: Some(LeaveLink { host: leave_host(&response.to.redirect_uri), href }),
    };
    render::document(State(state.clone()), View::Refused(view), request).await
}

/// Returns the host that a link leads to, or the whole URI of a native app.
pub(crate) fn leave_host(uri: &str) -> String {
    redirect_uri::host_of(uri).unwrap_or(uri).to_owned()
}

/// Redirects to the same parameters by GET, because another site's form sends no cookie.
async fn again_as_get(request: Request) -> Response {
    let request = match body::read(request).await {
        Ok(request) => request,
        Err(error) => return error.into_response(),
    };
    let form = axum::body::to_bytes(request.into_body(), body::LIMIT).await.unwrap_or_default();
    // A repetition stays, and is refused after the redirect.
    let query = encoded_again(&String::from_utf8_lossy(&form));
    Redirect::to(&format!("{}?{query}", paths::OAUTH_AUTHORIZE)).into_response()
}

/// `POST /api/oauth/authorize`: issues a code to a session whose key was proven.
///
/// # Errors
/// The store fails.
pub(crate) async fn enter(
    State(state): State<Arc<KeyState>>,
    Extension(caller): Extension<Caller>,
    session: SignedIn,
    body: Bytes,
) -> Result<Json<AppAnswer>, ApiError> {
    let AppRequest { request: query, agreed, account } = request::body(&body)?;
    if account.is_some_and(|account| session.claims.sub != account.as_str()) {
        // Somebody else has signed in since: the page asks again, and names the account.
        return Ok(answer(format!("{}?{query}", paths::OAUTH_AUTHORIZE)));
    }
    let outcome = oauth_authorize::examine(&state, &query, &caller, Some(&session)).await?;
    let (examined, agreed) = match (outcome, agreed) {
        // Also after the person has agreed in another tab: the last answer counts.
        (AuthorizationOutcome::Answer(examined) | AuthorizationOutcome::Ask(examined), Some(false)) => {
            return Ok(answer(location(&state, &oauth_authorize::declined(&state, &examined), &query)?));
        }
        (AuthorizationOutcome::Answer(examined), _) => (examined, false),
        (AuthorizationOutcome::Ask(examined), Some(true)) => (examined, true),
        (AuthorizationOutcome::Respond(response) | AuthorizationOutcome::Leave(response, _), _) => {
            return Ok(answer(location(&state, &response, &query)?));
        }
        // The page leads to sign-in or shows the error.
        (AuthorizationOutcome::SignIn { query, .. } | AuthorizationOutcome::StepUp { query }, _) => {
            return Ok(answer(format!("{}?{query}", paths::OAUTH_AUTHORIZE)));
        }
        // The request, the client, the consent or the session has changed meanwhile. The page says so and leads on.
        (
            AuthorizationOutcome::Expired(..)
            | AuthorizationOutcome::MissingFactor(_)
            | AuthorizationOutcome::Shown(_)
            | AuthorizationOutcome::Ask(_),
            _,
        ) => {
            return Ok(answer(format!("{}?{query}", paths::OAUTH_AUTHORIZE)));
        }
    };
    let own = Arc::clone(&state);
    let issued = async move { oauth_authorize::issue(&own, caller, session, *examined, agreed).await };
    Ok(answer(match flows::run_to_completion(issued).await? {
        Some(response) => location(&state, &response, &query)?,
        // The app has its answer. A second one would look like an attack to it.
        None => format!("{}?{query}", paths::OAUTH_AUTHORIZE),
    }))
}

fn answer(location: String) -> Json<AppAnswer> {
    Json(AppAnswer { location })
}

/// Returns the URL for an answer: the client's own, or our page that posts a form to it. The fragment with the
/// parameters reaches no server.
///
/// # Errors
/// No MAC key is available.
fn location(state: &KeyState, response: &rules::Response, query: &str) -> Result<String, ApiError> {
    match response.to.mode {
        ResponseMode::Query => Ok(response.query_uri()),
        ResponseMode::FormPost => {
            let params = Params::parse(query);
            let (client, uri) = (params.get("client_id").unwrap_or_default(), &response.to.redirect_uri);
            let form = response.form();
            let mark = oauth_marks::of_answer(state, client, uri, &form)?;
            let (client, uri) = (query_value(client), query_value(uri));
            Ok(format!("{}?client_id={client}&redirect_uri={uri}&mark={mark}#{form}", paths::OAUTH_FORM_POST))
        }
    }
}

fn body_of(query: &str, agreed: Option<bool>, session: Option<&SignedIn>) -> String {
    let account = session.map(|session| session.claims.sub.to_string());
    serde_json::to_string(&AppRequest { request: query.to_owned(), agreed, account }).unwrap_or_default()
}

fn ask(state: &KeyState, examined: &Examined, query: &str, session: Option<&SignedIn>) -> AskView {
    let (client, request) = (&examined.client, &examined.request);
    let to = redirect_uri::origin(&request.redirect_uri).unwrap_or(&request.redirect_uri);
    let name = isolated(client.name());
    let AppIntroduction { title, about } = describe(client);
    let about = if is_terminal(client) { about } else { format!("{about} It answers at {to}.") };
    let account = session.map(signed_in_as).unwrap_or_default();
    let note = if is_terminal(client) {
        String::new()
    } else if client.may_be_impersonated_at(&request.redirect_uri) {
        format!("{EACH_TIME} {REVOCABLE}")
    } else {
        REVOCABLE.to_owned()
    };
    AskView {
        title: format!("Continue to {title}?"),
        about: format!("{about} {account}"),
        lists: vec![AskList {
            about: format!("{name} will be able to:"),
            items: plain_words(client, &request.consent_scopes()),
        }],
        note,
        path: paths::OAUTH_ENTER.to_owned(),
        yes: "Continue".to_owned(),
        yes_body: body_of(query, Some(true), session),
        no: "Cancel".to_owned(),
        no_body: body_of(query, Some(false), session),
        nonce: state.keyring.nonce(state.now()),
    }
}

/// Converts an error to the page for a person, with details for the developer of the app.
pub(crate) fn refused(error: ShownError) -> RefusedView {
    RefusedView {
        code: error.error.code.as_str().to_owned(),
        description: error.error.description,
        facts: error.facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        start: None,
        leave: None,
    }
}
