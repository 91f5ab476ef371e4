//! `/oauth/logout`: an app signs a person out (OpenID Connect RP-Initiated Logout 1.0).

use super::app_introduction::signed_in_as;
use super::oauth_authorize::{is_too_long, leave_host, refused, too_long};
use super::{ApiError, pages, render, request};
use crate::client::Client as Caller;
use crate::cookies::{self, CookieName};
use crate::flows::oauth_logouts::{self, SessionApps};
use crate::flows::{self, oauth_people};
use crate::guards::signed_in::SignedIn;
use crate::guards::token::PresentedToken;
use crate::guards::{body, oauth_client};
use crate::state::{AppState, KeyState, SessionState};
use app::View;
use app::view::{AskList, AskView, EnterView, LeaveLink};
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Json};
use domain::bidi::isolated;
use http::{Method, StatusCode};
use oidc::Params;
use oidc::authorize::ShownError;
use oidc::error::{ErrorCode, OAuthError};
use oidc::logout::{self, KnownSession, LogoutRequest};
use oidc::params::encoded_again;
use std::sync::Arc;
use tower_cookies::Cookies;
use wire::oauth::{AppAnswer, AppRequest};
use wire::paths;
use wire::problem::Code;

/// Asks whether to sign out, or does it at once if the app's ID token is of this session.
pub(crate) async fn logout(State(state): State<AppState>, request: Request) -> Response {
    if request.method() == Method::POST {
        let request = match body::read(request).await {
            Ok(request) => request,
            Err(error) => return error.into_response(),
        };
        let form = axum::body::to_bytes(request.into_body(), body::LIMIT).await.unwrap_or_default();
        let query = encoded_again(&String::from_utf8_lossy(&form));
        return Redirect::to(&format!("{}?{query}", paths::OAUTH_LOGOUT)).into_response();
    }
    if is_too_long(&request) {
        return too_long(&state, request).await;
    }
    let query = request.uri().query().unwrap_or_default().to_owned();
    let headers = request.headers().clone();
    let caller = request.extensions().get::<Caller>().cloned();
    let session = match SignedIn::find(&state, caller.as_ref(), &headers).await {
        Ok(session) => session,
        Err(error) => return pages::broken(state, error, request).await,
    };
    let judged = match judge(&state, &query, session.as_ref()).await {
        Ok(judged) => judged,
        Err(error) => return pages::broken(state, error, request).await,
    };
    let view = match judged {
        Err(error) => {
            let shown = refused(ShownError { error, facts: Vec::new() });
            let mut response = render::document(State(state), View::Refused(shown), request).await;
            *response.status_mut() = StatusCode::BAD_REQUEST;
            return response;
        }
        Ok(JudgedLogout { request: found, is_unchecked }) if session.is_none() => match &found.to {
            // A link that redirected at once would lead anywhere (RFC 9700, section 4.11.2).
            Some(to) if is_unchecked => View::SignedOut(LeaveLink { host: leave_host(to), href: to.clone() }),
            _ => return Redirect::to(&after(&found)).into_response(),
        },
        Ok(JudgedLogout { request: LogoutRequest { certain: true, .. }, .. }) => View::Enter(EnterView {
            app: "the sign-out page".to_owned(),
            body: body_of(&query, session.as_ref()),
            nonce: state.keyring.nonce(state.now()),
            path: paths::OAUTH_SIGN_OUT.to_owned(),
        }),
        Ok(_) => match ask(&state, &query, session.as_ref()).await {
            Ok(ask) => View::Ask(Box::new(ask)),
            Err(error) => return pages::broken(state, error, request).await,
        },
    };
    render::document(State(state), view, request).await
}

/// Asks whether to sign out, and says of which apps.
async fn ask(state: &KeyState, query: &str, session: Option<&SignedIn>) -> Result<AskView, ApiError> {
    let apps = match session {
        Some(session) => oauth_logouts::apps_of(state, &session.claims.sid).await?,
        None => SessionApps::default(),
    };
    let account = session.map_or_else(String::new, |session| format!(" {}", signed_in_as(session)));
    let guarded = if state.config.settings.apps.is_empty() { "" } else { ", and of the sites that it guards" };
    let note =
        if apps.others.is_empty() { "" } else { "An app that you opened more than a day ago may be missing here." };
    let isolated = |names: Vec<String>| names.iter().map(|name| isolated(name)).collect();
    Ok(AskView {
        title: "Sign out?".to_owned(),
        about: format!("An app asks to sign you out of this site{guarded}, on this device.{account}"),
        lists: vec![
            AskList { about: "These apps are told to sign you out too:".to_owned(), items: isolated(apps.notified) },
            AskList {
                about:
                    "These apps lose access to your account here, but may keep you signed in until you sign out there:"
                        .to_owned(),
                items: isolated(apps.others),
            },
        ],
        note: note.to_owned(),
        path: paths::OAUTH_SIGN_OUT.to_owned(),
        yes: "Sign out".to_owned(),
        yes_body: body_of(query, session),
        no: "Stay signed in".to_owned(),
        no_body: String::new(),
        nonce: state.keyring.nonce(state.now()),
    })
}

/// `POST /api/oauth/logout`: ends the session and says where to go. Like `/api/logout`, it takes the bare cookie, so
/// that a browser that has lost its key can sign out.
///
/// # Errors
/// `bad_request`: the request is refused. The store fails.
pub(crate) async fn sign_out(
    State(state): State<Arc<SessionState>>,
    Extension(caller): Extension<Caller>,
    cookies: Cookies,
    parts: http::request::Parts,
    body: Bytes,
) -> Result<Json<AppAnswer>, ApiError> {
    let AppRequest { request: query, account, .. } = request::body(&body)?;
    let session = SignedIn::find(&state, Some(&caller), &parts.headers).await?;
    if let (Some(account), Some(session)) = (&account, &session)
        && session.claims.sub != account.as_str()
    {
        // Somebody else has signed in since: the page asks again.
        return Ok(Json(AppAnswer { location: format!("{}?{query}", paths::OAUTH_LOGOUT) }));
    }
    let found = judge(&state, &query, session.as_ref())
        .await?
        .map_err(|error| ApiError::explained(Code::BadRequest, error.description))?;
    // The access token may have expired while the page was open.
    let shown = PresentedToken::in_cookie(&state, &parts.headers);
    let claims = shown.and_then(|shown| state.tokens.verify_signature(&shown.token, state.now()));
    let id = session.map(|session| session.claims.sid.clone()).or_else(|| claims.map(|claims| claims.sid.clone()));
    if let Some(id) = id {
        let state = state.clone();
        flows::run_to_completion(async move { flows::logout::end(&state, &caller, &id).await }).await?;
    }
    cookies::clear(&cookies, &state.config, CookieName::Access);
    cookies::clear(&cookies, &state.config, CookieName::Refresh);
    Ok(Json(AppAnswer { location: after(&found.request) }))
}

async fn judge(
    state: &KeyState,
    query: &str,
    session: Option<&SignedIn>,
) -> Result<Result<JudgedLogout, OAuthError>, ApiError> {
    let params = Params::parse(query);
    // A hint that cannot be verified counts as none, so that the person is asked. Apps keep ID tokens longer than this server
    // keeps its keys, and a person who only gets an error stays signed in.
    let hint = params.get("id_token_hint").and_then(|token| state.client_tokens.hint(token, state.now()));
    let id = match logout::client_id(&params, hint.as_ref()) {
        Ok(id) => id,
        Err(error) => return Ok(Err(error)),
    };
    let client = match id {
        Some(id) => oauth_client::find(state, id).await?,
        None => None,
    };
    if params.get("client_id").is_some() && client.is_none() {
        return Ok(Err(OAuthError::new(ErrorCode::InvalidClient, "no client has this client_id")));
    }
    // The hint has the names that its client knows.
    let subject = match (session, &client) {
        (Some(session), Some(client)) => oauth_people::known_subject(state, client, &session.claims.sub).await?,
        _ => None,
    };
    let sid = match (session, &client, &subject) {
        (Some(session), Some(client), Some(sub)) => Some(client.session_id(session.claims.sid.as_str(), sub)),
        _ => None,
    };
    let known = sid.as_deref().zip(subject.as_deref()).map(|(sid, sub)| KnownSession { sid, sub });
    let request = logout::judge(&params, client.as_deref(), hint.as_ref(), session.is_some(), known);
    let is_unchecked = client.is_some_and(|client| client.is_unchecked());
    Ok(request.map(|request| JudgedLogout { request, is_unchecked }))
}

/// A valid request, and whether nobody has checked its client.
struct JudgedLogout {
    request: LogoutRequest,
    is_unchecked: bool,
}

fn after(request: &LogoutRequest) -> String {
    request.to.clone().unwrap_or_else(|| format!("{}?why=signed_out", paths::LOGIN_PAGE))
}

fn body_of(query: &str, session: Option<&SignedIn>) -> String {
    let account = session.map(|session| session.claims.sub.to_string());
    serde_json::to_string(&AppRequest { request: query.to_owned(), agreed: None, account }).unwrap_or_default()
}
