//! Answers of the OAuth endpoints: JSON for clients, readable from any origin.

use super::ApiError;
use crate::flows::oauth_token::TokenError;
use crate::guards::route_guards::RouteGuard;
use axum::Json;
use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use oidc::error::{ErrorCode, OAuthError};
use serde_json::json;
use wire::paths;
use wire::problem::Code;

/// The answer to a client whose request failed (RFC 6749, section 5.2).
#[derive(Debug)]
pub(crate) struct OAuthErrorResponse(pub TokenError);

impl<T: Into<TokenError>> From<T> for OAuthErrorResponse {
    fn from(error: T) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for OAuthErrorResponse {
    fn into_response(self) -> Response {
        let response = match self.0 {
            TokenError::OAuth(error) => refused(&error),
            TokenError::Failed(error) => failed(error),
        };
        open(response)
    }
}

fn refused(error: &OAuthError) -> Response {
    let status = match error.code {
        ErrorCode::InvalidClient | ErrorCode::InvalidToken => StatusCode::UNAUTHORIZED,
        ErrorCode::InsufficientScope => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_REQUEST,
    };
    let body = json!({"error": error.code.as_str(), "error_description": error.description});
    let mut response = (status, Json(body)).into_response();
    let challenge = match error.code {
        ErrorCode::InvalidClient => Some("Basic realm=\"client\""),
        // RFC 6750, section 3.
        ErrorCode::InvalidToken => Some("Bearer error=\"invalid_token\""),
        _ => None,
    };
    if let Some(challenge) = challenge {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    response
}

/// Converts a failure. It keeps its headers: the nonce of a proof, or the time to wait.
fn failed(error: ApiError) -> Response {
    let code = match error.code() {
        Code::UseDpopNonce => ErrorCode::UseDpopNonce,
        Code::BadProof => ErrorCode::InvalidDpopProof,
        Code::TooLarge | Code::BadRequest | Code::Timeout => ErrorCode::InvalidRequest,
        Code::Forbidden | Code::Banned => ErrorCode::AccessDenied,
        Code::Busy | Code::Unavailable | Code::AccountDelayed => ErrorCode::TemporarilyUnavailable,
        _ => ErrorCode::ServerError,
    };
    let description = error.description().to_owned();
    let mut response = error.into_response();
    if matches!(code, ErrorCode::UseDpopNonce | ErrorCode::InvalidDpopProof) {
        // At the token endpoint the status is 400 (RFC 9449, section 8).
        *response.status_mut() = StatusCode::BAD_REQUEST;
        response.headers_mut().remove(header::WWW_AUTHENTICATE);
    }
    let body = json!({"error": code.as_str(), "error_description": description}).to_string();
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *response.body_mut() = body.into();
    response
}

/// Answers with JSON text.
pub(crate) fn json_body(text: Bytes) -> Response {
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Lets pages of every origin read the answer. The endpoints use no cookies, so a page can read only what its own
/// credentials get.
pub(crate) fn open(mut response: Response) -> Response {
    allow(response.headers_mut());
    response
}

fn allow(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let exposed = HeaderValue::from_static("DPoP-Nonce, Retry-After, WWW-Authenticate");
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
}

/// Whether pages of every origin may read the answers of a path, its errors included.
pub(crate) fn is_open(gate: RouteGuard, path: &str) -> bool {
    gate == RouteGuard::Client
        || matches!(
            path,
            paths::JWKS
                | paths::OPENID_CONFIGURATION
                | paths::OAUTH_SERVER
                | paths::PROTECTED_RESOURCE
                | paths::PROTECTED_USERINFO
                | paths::WEBFINGER
        )
}

/// Answers a browser's question before a request of another origin (Fetch, CORS-preflight).
pub(crate) async fn preflight() -> Response {
    let fixed: [(HeaderName, HeaderValue); 3] = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, PUT, DELETE")),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Authorization, Content-Type, DPoP")),
        (header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("7200")),
    ];
    open((StatusCode::NO_CONTENT, fixed).into_response())
}
