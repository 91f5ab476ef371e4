//! `/oauth/userinfo` (OpenID Connect Core, section 5.3).

use super::ApiError;
use super::oauth_answer::{OAuthErrorResponse, json_body, open};
use crate::client::Client as Caller;
use crate::flows::oauth_access;
use crate::flows::oauth_token::TokenError;
use crate::guards::copied::{self, TokenOwner};
use crate::guards::proof;
use crate::recent_tokens::LiveToken;
use crate::state::{CoreState, KeyState, SessionState};
use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use oidc::Params;
use oidc::error::{ErrorCode, OAuthError};
use serde_json::json;
use std::sync::Arc;
use verify::Scheme;
use wire::problem::Code;

/// A token of a request: in its header, or in the body of a form (RFC 6750, section 2).
struct Presented {
    scheme: Scheme,
    token: String,
}

/// Returns the claims that the access token may read.
pub(crate) async fn userinfo(State(state): State<Arc<SessionState>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let answer = match axum::body::to_bytes(body, crate::guards::body::LIMIT).await {
        Ok(body) => answer(&state, &parts, &String::from_utf8_lossy(&body)).await,
        Err(_) => Err((ApiError::new(Code::TooLarge).into(), Scheme::Bearer)),
    };
    match answer {
        Ok(Some(response)) => open(response),
        Ok(None) => open(without_token(&state)),
        Err((error, scheme)) => challenged(&state, error, scheme),
    }
}

/// Answers a request with a token. `None`: the request has no token. An error names the scheme of the challenge: that of
/// the token, or of the request if the token is unknown.
async fn answer(state: &SessionState, parts: &Parts, body: &str) -> Result<Option<Response>, (TokenError, Scheme)> {
    let presented = read(parts, body).map_err(|error| (error, Scheme::Bearer))?;
    let Some(Presented { scheme, token }) = presented else { return Ok(None) };
    let recent = oauth_access::recent(state, &token).await.map_err(|error| (error.into(), scheme))?;
    let Some(recent) = recent else {
        let text = "the access token is not valid or has expired";
        return Err((OAuthError::new(ErrorCode::InvalidToken, text).into(), scheme));
    };
    let needed = if recent.live.grant.jkt.is_some() { Scheme::Dpop } else { Scheme::Bearer };
    bound(state, parts, scheme, &token, &recent.live).await.map_err(|error| (error, needed))?;
    match oauth_access::userinfo(state, &recent).await.map_err(|error| (error.into(), needed))? {
        Some(claims) => Ok(Some(json_body(claims))),
        None => {
            let text = "userinfo needs the scope openid";
            Err((OAuthError::new(ErrorCode::InsufficientScope, text).into(), needed))
        }
    }
}

/// Checks the proof of a bound token, which is accepted only as `DPoP` (RFC 9449, section 7.1).
async fn bound(
    state: &KeyState,
    parts: &Parts,
    scheme: Scheme,
    token: &str,
    live: &LiveToken,
) -> Result<(), TokenError> {
    let invalid = |text: &str| TokenError::from(OAuthError::new(ErrorCode::InvalidToken, text));
    if (scheme, live.grant.jkt) == (Scheme::Bearer, None) {
        return Ok(());
    }
    let (caller, app) = (parts.extensions.get::<Caller>(), live.client.label());
    let owner = TokenOwner::of_grant(&live.grant, &app);
    match (scheme, live.grant.jkt) {
        (Scheme::Bearer, _) => {
            if let Some(caller) = caller {
                copied::record(state, caller, owner).await?;
            }
            Err(invalid("the token is bound to a key: send it as DPoP with a proof"))
        }
        (Scheme::Dpop, None) => Err(invalid("the token is not bound to a key: send it as Bearer")),
        (Scheme::Dpop, Some(jkt)) => {
            let url = format!("{}{}", state.config.origin, parts.uri.path());
            let method = parts.method.as_str();
            let checked = proof::of_token(state, &parts.headers, method, &url, token, jkt).await;
            Ok(copied::check(state, caller, owner, checked).await?)
        }
    }
}

fn read(parts: &Parts, body: &str) -> Result<Option<Presented>, TokenError> {
    let invalid = |text: &str| TokenError::from(OAuthError::new(ErrorCode::InvalidRequest, text));
    let in_header = verify::presented(&parts.headers).map_err(|_| invalid("the Authorization header is malformed"))?;
    let form = Params::parse(if parts.method == Method::POST { body } else { "" });
    if let Some(name) = form.repeated() {
        return Err(invalid(&format!("{name} occurs more than once")));
    }
    match (in_header, form.get("access_token")) {
        (Some((scheme, token)), None) => Ok(Some(Presented { scheme, token: token.to_owned() })),
        (None, Some(token)) => Ok(Some(Presented { scheme: Scheme::Bearer, token: token.to_owned() })),
        (Some(_), Some(_)) => Err(invalid("the request has two access tokens")),
        (None, None) => Ok(None),
    }
}

/// Answers a request without a token, whose challenge names no error (RFC 6750, section 3.1).
fn without_token(state: &CoreState) -> Response {
    let body =
        json!({"error": ErrorCode::InvalidToken.as_str(), "error_description": "the request has no access token"});
    let mut response = (StatusCode::UNAUTHORIZED, Json(body)).into_response();
    challenge(&mut response, &format!("Bearer {}", described(state)));
    response
}

/// Returns the parameter of a challenge that leads to the description of this resource (RFC 9728, section 5.1).
fn described(state: &CoreState) -> String {
    format!("resource_metadata=\"{}{}\"", state.config.origin, wire::paths::PROTECTED_USERINFO)
}

fn challenge(response: &mut Response, text: &str) {
    if let Ok(text) = HeaderValue::from_str(text) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, text);
    }
}

/// Answers an error with a challenge (RFC 6750, section 3; RFC 9449, section 7.1).
fn challenged(state: &CoreState, error: TokenError, scheme: Scheme) -> Response {
    let found = match &error {
        TokenError::OAuth(error) => Some((error.code.as_str(), false)),
        TokenError::Failed(error) => match error.code() {
            Code::UseDpopNonce => Some(("use_dpop_nonce", true)),
            Code::BadProof => Some(("invalid_dpop_proof", true)),
            _ => None,
        },
    };
    let Some((code, proof)) = found else { return OAuthErrorResponse(error).into_response() };
    let scheme = if proof || scheme == Scheme::Dpop { "DPoP algs=\"ES256\", " } else { "Bearer " };
    let mut response = OAuthErrorResponse(error).into_response();
    if proof {
        *response.status_mut() = StatusCode::UNAUTHORIZED;
    }
    if matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        challenge(&mut response, &format!("{scheme}error=\"{code}\", {}", described(state)));
    }
    response
}
