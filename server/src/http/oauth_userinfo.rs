//! `/oauth/userinfo` (OpenID Connect Core, section 5.3).

use super::ApiError;
use super::oauth_answer::{OAuthErrorResponse, open};
use crate::flows::oauth_access::{self, LiveToken};
use crate::flows::oauth_token::TokenError;
use crate::guards::proof;
use crate::state::AppState;
use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use oidc::Params;
use oidc::error::{ErrorCode, OAuthError};
use verify::Scheme;
use wire::problem::Code;

/// A token of a request: in its header, or in the body of a form (RFC 6750, section 2).
struct Presented {
    scheme: Scheme,
    token: String,
}

/// Returns the claims that the access token may read.
pub(crate) async fn userinfo(State(state): State<AppState>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let answer = match axum::body::to_bytes(body, crate::guards::body::LIMIT).await {
        Ok(body) => answer(&state, &parts, &String::from_utf8_lossy(&body)).await,
        Err(_) => Err(ApiError::new(Code::TooLarge).into()),
    };
    match answer {
        Ok(response) => open(response),
        Err(error) => challenged(&state, error),
    }
}

async fn answer(state: &AppState, parts: &Parts, body: &str) -> Result<Response, TokenError> {
    let invalid = |text: &str| TokenError::from(OAuthError::new(ErrorCode::InvalidToken, text));
    let Presented { scheme, token } = read(parts, body)?;
    let live = oauth_access::live(state, &token).await?;
    let live = live.ok_or_else(|| invalid("the access token is not valid or has expired"))?;
    bound(state, parts, scheme, &token, &live).await?;
    match oauth_access::userinfo(state, &live).await? {
        Some(claims) => Ok(Json(claims).into_response()),
        None => Err(OAuthError::new(ErrorCode::InsufficientScope, "userinfo needs the scope openid").into()),
    }
}

/// Checks the proof of a bound token, which is accepted only as `DPoP` (RFC 9449, section 7.1).
async fn bound(
    state: &AppState,
    parts: &Parts,
    scheme: Scheme,
    token: &str,
    live: &LiveToken,
) -> Result<(), TokenError> {
    let invalid = |text: &str| TokenError::from(OAuthError::new(ErrorCode::InvalidToken, text));
    match (scheme, &live.grant.jkt) {
        (Scheme::Bearer, None) => Ok(()),
        (Scheme::Bearer, Some(_)) => Err(invalid("the token is bound to a key: send it as DPoP with a proof")),
        (Scheme::Dpop, None) => Err(invalid("the token is not bound to a key: send it as Bearer")),
        (Scheme::Dpop, Some(jkt)) => {
            let url = format!("{}{}", state.config.origin, parts.uri.path());
            let method = parts.method.as_str();
            Ok(proof::of_token(state, &parts.headers, method, &url, token, jkt).await?)
        }
    }
}

fn read(parts: &Parts, body: &str) -> Result<Presented, TokenError> {
    let missing = || TokenError::from(OAuthError::new(ErrorCode::InvalidToken, "the request has no access token"));
    let in_header = verify::presented(&parts.headers).map_err(|_| {
        TokenError::from(OAuthError::new(ErrorCode::InvalidRequest, "the Authorization header is malformed"))
    })?;
    let form = Params::parse(if parts.method == Method::POST { body } else { "" });
    match (in_header, form.get("access_token")) {
        (Some((scheme, token)), None) => Ok(Presented { scheme, token: token.to_owned() }),
        (None, Some(token)) => Ok(Presented { scheme: Scheme::Bearer, token: token.to_owned() }),
        (Some(_), Some(_)) => {
            Err(OAuthError::new(ErrorCode::InvalidRequest, "the request has two access tokens").into())
        }
        (None, None) => Err(missing()),
    }
}

/// Answers an error with a challenge (RFC 6750, section 3; RFC 9449, section 7.1).
fn challenged(state: &AppState, error: TokenError) -> Response {
    let found = match &error {
        TokenError::OAuth(error) => Some((error.code.as_str(), false)),
        TokenError::Failed(error) => match error.code() {
            Code::UseDpopNonce => Some(("use_dpop_nonce", true)),
            Code::BadProof => Some(("invalid_dpop_proof", true)),
            _ => None,
        },
    };
    let Some((code, proof)) = found else { return OAuthErrorResponse(error).into_response() };
    let scheme = if proof { "DPoP algs=\"ES256\", " } else { "Bearer " };
    // RFC 9728, section 5.1.
    let described = format!("{}{}", state.config.origin, wire::paths::PROTECTED_USERINFO);
    let challenge = format!("{scheme}error=\"{code}\", resource_metadata=\"{described}\"");
    let mut response = OAuthErrorResponse(error).into_response();
    if proof {
        *response.status_mut() = StatusCode::UNAUTHORIZED;
    }
    if let (true, Ok(challenge)) = (
        matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN),
        HeaderValue::from_str(&challenge),
    ) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}
