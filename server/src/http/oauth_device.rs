//! `/device`: a person enters the code of a device (RFC 8628, section 3.3).

use super::app_introduction::{AppIntroduction, describe, signed_in_as};
use super::oauth_answer::{OAuthErrorResponse, open};
use super::oauth_token::read;
use super::sign_in_path::sign_in_path;
use super::{ApiError, enrol, pages, render, request};
use crate::client::Client as Caller;
use crate::flows::{self, oauth_device};
use crate::guards::rate_limit;
use crate::guards::signed_in::SignedIn;
use crate::oauth::clients::plain_words;
use crate::state::{AppState, DefenceState};
use app::View;
use app::view::{AskList, AskView, DeviceCodeView};
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Json};
use domain::bidi::isolated;
use http::{HeaderMap, StatusCode, header};
use oidc::error::{ErrorCode, OAuthError};
use oidc::params::with_query;
use oidc::{Params, Scopes, device};
use serde_json::json;
use std::sync::Arc;
use wire::oauth::{AppAnswer, DeviceAnswer};
use wire::paths;
use wire::problem::Code;

/// Gives a device its codes.
pub(crate) async fn authorize(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, OAuthErrorResponse> {
    let (client, params) = read(&state, &headers, &body).await?;
    if !client.settings.device {
        let text = "this client may not use the device flow: set device = true";
        return Err(OAuthError::new(ErrorCode::UnauthorizedClient, text).into());
    }
    let scopes = client.allowed(&Scopes::parse(params.get("scope").unwrap_or("openid")));
    if scopes.is_empty() {
        return Err(OAuthError::new(ErrorCode::InvalidScope, "this client may not have any of these scopes").into());
    }
    let resources = params.resources();
    client.check_resources(&resources, &state.config.settings.oauth.resources)?;
    state.client_tokens.check(&client, &scopes, state.now()).map_err(ApiError::broken)??;
    if client.is_public() {
        rate_limit::enter_stored(&state.defence, &caller, &headers)?;
    }
    let codes = oauth_device::begin(&state, &client, &scopes, &resources).await?;
    let page = format!("{}{}", state.config.origin, paths::DEVICE_PAGE);
    let body = json!({
        "device_code": codes.device_code,
        "user_code": codes.user_code,
        "verification_uri": page,
        "verification_uri_complete": format!("{page}?user_code={}", codes.user_code),
        "expires_in": device::LIFE_MS / 1000,
        "interval": device::INTERVAL_MS / 1000,
    });
    Ok(open(Json(body).into_response()))
}

/// Asks for the code, or whether to connect the device that shows it.
pub(crate) async fn page(State(state): State<AppState>, request: Request) -> Response {
    let (uri, headers) = (request.uri().clone(), request.headers().clone());
    let caller = request.extensions().get::<Caller>().cloned();
    let mut wait = None;
    let session = match SignedIn::find(&state, caller.as_ref(), &headers).await {
        Ok(Some(session)) => match enrol::required_page(&state, &session, &uri).await {
            Ok(None) => session,
            Ok(Some(path)) => return Redirect::to(&path).into_response(),
            Err(error) => return pages::broken(state, error, request).await,
        },
        Ok(None) => return Redirect::to(&sign_in_path(&state, &headers, &uri)).into_response(),
        Err(error) => return pages::broken(state, error, request).await,
    };
    let params = Params::parse(uri.query().unwrap_or_default());
    let typed = params.get("user_code").unwrap_or_default();
    let found = match (params.get("done"), &caller) {
        (None, Some(caller)) => oauth_device::find(&state.defence, caller, &session, typed).await,
        _ => Ok(None),
    };
    let view = match (params.get("done"), found) {
        (_, Err(error)) if error.code() == Code::AccountDelayed => {
            wait = error.into_response().headers_mut().remove(header::RETRY_AFTER);
            View::DeviceCode(DeviceCodeView { wrong: true, limited: true, done: None })
        }
        (_, Err(error)) => return pages::broken(state, error, request).await,
        (Some(done), _) => View::DeviceCode(DeviceCodeView { wrong: false, limited: false, done: Some(done == "yes") }),
        (None, Ok(None)) => View::DeviceCode(DeviceCodeView { wrong: !typed.is_empty(), limited: false, done: None }),
        (None, Ok(Some(found))) => {
            let body = |agreed| {
                let account = Some(session.claims.sub.to_string());
                let answer = DeviceAnswer { user_code: typed.to_owned(), agreed, account };
                serde_json::to_string(&answer).unwrap_or_default()
            };
            let name = isolated(found.client.name());
            let AppIntroduction { title, about } = describe(&found.client);
            let about = if found.client.is_unchecked() { format!("{about} ") } else { String::new() };
            View::Ask(Box::new(AskView {
                title: format!("Connect a device to {title}?"),
                about: format!(
                    "{about}Go on only if you started this yourself, on a device in front of you, and it shows the code \
                     {typed}. Somebody who sent you a link or a code would be signed in as you. {}",
                    signed_in_as(&session)
                ),
                lists: vec![AskList {
                    about: format!("{name} on that device will be able to:"),
                    items: plain_words(&found.client, &found.scopes),
                }],
                note: String::new(),
                path: paths::OAUTH_DEVICE_ANSWER.to_owned(),
                yes: "Connect".to_owned(),
                yes_body: body(true),
                no: "Refuse".to_owned(),
                no_body: body(false),
                nonce: state.keyring.nonce(state.now()),
            }))
        }
    };
    let mut page = render::document(State(state), view, request).await;
    if let Some(wait) = wait {
        *page.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        page.headers_mut().insert(header::RETRY_AFTER, wait);
    }
    page
}

/// `POST /api/oauth/device`: stores the person's answer, with a proof of the session's key.
pub(crate) async fn answer(
    State(state): State<Arc<DefenceState>>,
    Extension(caller): Extension<Caller>,
    session: SignedIn,
    body: Bytes,
) -> Result<Json<AppAnswer>, ApiError> {
    let DeviceAnswer { user_code, agreed, account } = request::body(&body)?;
    if account.is_some_and(|account| session.claims.sub != account.as_str()) {
        // Somebody else has signed in since: the page asks again, and names the account.
        return Ok(Json(AppAnswer { location: with_query(paths::DEVICE_PAGE, &[("user_code", &user_code)]) }));
    }
    flows::run_to_completion(oauth_device::answer(state, caller, session, user_code, agreed)).await?;
    let done = if agreed { "yes" } else { "no" };
    Ok(Json(AppAnswer { location: format!("{}?done={done}", paths::DEVICE_PAGE) }))
}
