//! `/oauth/token`, `/oauth/revoke`, `/oauth/introspect` and `/oauth/par`: requests of clients.

use super::ApiError;
use super::oauth_answer::{OAuthErrorResponse, json_body, open};
use crate::client::Client as Caller;
use crate::dpop;
use crate::flows::oauth_request_marks::SIGN_IN_SECONDS;
use crate::flows::oauth_token::{TokenError, TokenResponse, exchange as run_exchange};
use crate::flows::{self, oauth_access, oauth_authentication};
use crate::guards::oauth_client::ProvenForm;
use crate::guards::{proof, rate_limit};
use crate::state::{AppState, CoreState, KeyState, SessionState};
use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use domain::encoding::{base64url, sha256};
use domain::thumbprint::Thumbprint;
use http::{HeaderMap, StatusCode, header};
use oidc::authorize::{AuthorizationRequest, PUSHED, Redirected, Refusal, ShownError};
use oidc::error::{ErrorCode, OAuthError};
use oidc::exchange::TokenRequest;
use oidc::{Client, Params};
use serde_json::{Map, json};
use std::sync::Arc;
use store::oauth::PushedRequest;
use wire::paths;
use wire::problem::Code;

/// Time within which a person must come with a pushed request. After that, the sign-in has its own time limit.
const PUSHED_SECONDS: i64 = 600;

/// Reads the form of a client, and authenticates the client.
pub(super) async fn read(
    state: &CoreState,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(Arc<Client>, Params), OAuthErrorResponse> {
    check_is_form(headers)?;
    let body = std::str::from_utf8(body);
    let body = body.map_err(|_| OAuthError::new(ErrorCode::InvalidRequest, "the body is not UTF-8"))?;
    let params = Params::parse(body);
    let client = oauth_authentication::authenticate(state, headers, &params).await??;
    Ok((client, params))
}

fn check_is_form(headers: &HeaderMap) -> Result<(), OAuthError> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Ok(());
    }
    Err(OAuthError::new(ErrorCode::InvalidRequest, "the body must be application/x-www-form-urlencoded"))
}

/// Exchanges a code or a refresh token.
pub(crate) async fn token(
    State(state): State<Arc<SessionState>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, OAuthErrorResponse> {
    let (client, params) = read(&state, &headers, &body).await?;
    let request = TokenRequest::read(&params)?;
    let jkt = proven_key(&state, &headers, paths::OAUTH_TOKEN).await?;
    let flow = run_exchange(state.clone(), caller, client, request, jkt);
    // Runs to completion, so that a code is not used for an answer that was never made.
    let answer = flows::run_to_completion(async move { Ok(flow.await) }).await??;
    Ok(open(answered(&state, answer)))
}

/// Returns the thumbprint of the key that the request proves, if it proves one (RFC 9449).
async fn proven_key(state: &KeyState, headers: &HeaderMap, path: &str) -> Result<Option<Thumbprint>, TokenError> {
    if !headers.contains_key(dpop::HEADER) {
        return Ok(None);
    }
    let text = "the request has two DPoP headers";
    let shown = dpop::presented(headers).ok_or_else(|| OAuthError::new(ErrorCode::InvalidDpopProof, text))?;
    Ok(Some(proof::check(state, "POST", path, shown).await?.jkt))
}

fn answered(state: &KeyState, tokens: TokenResponse) -> Response {
    let mut body = Map::new();
    let is_bound = tokens.token_type == "DPoP";
    body.insert("access_token".to_owned(), tokens.access_token.into());
    body.insert("token_type".to_owned(), tokens.token_type.into());
    body.insert("expires_in".to_owned(), tokens.expires_in.into());
    body.insert("scope".to_owned(), tokens.scope.into());
    if let Some(token) = tokens.refresh_token {
        body.insert("refresh_token".to_owned(), token.into());
    }
    if let Some(token) = tokens.id_token {
        body.insert("id_token".to_owned(), token.into());
    }
    let mut response = Json(body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::PRAGMA, http::HeaderValue::from_static("no-cache"));
    if let (true, Ok(nonce)) = (is_bound, http::HeaderValue::from_str(&state.keyring.nonce(state.now()))) {
        headers.insert(dpop::NONCE_HEADER, nonce);
    }
    response
}

/// Revokes the grant of a token (RFC 7009). The answer is the same for a token that is not valid.
pub(crate) async fn revoke(
    State(state): State<Arc<SessionState>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, OAuthErrorResponse> {
    let (client, params) = read(&state, &headers, &body).await?;
    let token = token_of(&params)?.to_owned();
    flows::run_to_completion(oauth_access::revoke(state.clone(), client.id().to_owned(), token)).await?;
    Ok(open(StatusCode::OK.into_response()))
}

/// Says whether a token is valid (RFC 7662), to confidential clients only.
pub(crate) async fn introspect(
    State(state): State<Arc<SessionState>>,
    request: Request,
) -> Result<Response, OAuthErrorResponse> {
    let (mut parts, body) = request.into_parts();
    let (client, params) = match parts.extensions.remove::<ProvenForm>() {
        Some(form) => {
            check_is_form(&parts.headers)?;
            (form.client, form.params)
        }
        None => {
            let body = to_bytes(body, crate::guards::body::LIMIT).await;
            read(&state, &parts.headers, &body.map_err(|_| ApiError::new(Code::TooLarge))?).await?
        }
    };
    if client.is_public() {
        let text = "introspection is for clients that authenticate";
        return Err(OAuthError::new(ErrorCode::InvalidClient, text).into());
    }
    Ok(open(json_body(oauth_access::introspect(&state, &client, token_of(&params)?).await?)))
}

fn token_of(params: &Params) -> Result<&str, OAuthError> {
    params.get("token").ok_or_else(|| OAuthError::new(ErrorCode::InvalidRequest, "token is missing"))
}

/// Stores an authorization request (RFC 9126).
pub(crate) async fn push(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, OAuthErrorResponse> {
    let (client, mut params) = read(&state, &headers, &body).await?;
    if params.get("client_id").is_some_and(|id| id != client.id()) {
        return Err(OAuthError::new(ErrorCode::InvalidRequest, "client_id is not the authenticated client").into());
    }
    // A proof binds the code as the parameter does (RFC 9449, section 10.1).
    if let Some(jkt) = proven_key(&state, &headers, paths::OAUTH_PAR).await? {
        let jkt = jkt.to_string();
        params.add_missing("dpop_jkt", &jkt);
        if params.get("dpop_jkt") != Some(&jkt) {
            let text = "dpop_jkt is not the key of the DPoP proof";
            return Err(OAuthError::new(ErrorCode::InvalidDpopProof, text).into());
        }
    }
    if client.is_public() {
        rate_limit::enter_stored(&state.defence, &caller, &headers)?;
    }
    let resources = &state.config.settings.oauth.resources;
    AuthorizationRequest::judge(&params, &client, true, resources).map_err(|refusal| match *refusal {
        Refusal::Shown(shown) => TokenError::from(shown.in_words()),
        Refusal::Redirected(Redirected { error, facts, .. }) => {
            TokenError::from(ShownError { error, facts }.in_words())
        }
    })?;
    let (reference, expires_at) = (state.entropy.secret(), state.now() + PUSHED_SECONDS * 1000);
    let secrets = ["client_secret", "client_assertion", "client_assertion_type"];
    let request = PushedRequest {
        id_hash: base64url(&sha256(reference.as_bytes())),
        client: client.id().to_owned(),
        parameters: params.encode_without(&secrets),
        expires_at,
        kept_until: expires_at + SIGN_IN_SECONDS * 1000,
    };
    state.store.push_request(&request).await.map_err(TokenError::from)?;
    let body = json!({"request_uri": format!("{PUSHED}{reference}"), "expires_in": PUSHED_SECONDS});
    Ok(open((StatusCode::CREATED, Json(body)).into_response()))
}
