//! `GET /.well-known/jwks.json` and `GET /.well-known/postern`, readable from any origin.

use crate::api_error::ApiError;
use crate::state::{AppState, CoreState, KeyState};
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use domain::server_key::CACHE_MS;
use http::{HeaderName, HeaderValue, Uri, header};
use oidc::metadata::Endpoints;
use serde_json::json;
use std::sync::Arc;
use wire::paths;
use wire::problem::Code;

/// The values of `acr`, by `domain::authentication`.
const ACR: [&str; 3] = ["urn:postern:acr:1", "urn:postern:acr:2", "urn:postern:acr:phr"];

/// A new signing key is published for longer than this before it signs.
pub(crate) fn open() -> [(HeaderName, HeaderValue); 2] {
    const {
        assert!(CACHE_MS == 300_000, "what is said below");
    }
    let cache = HeaderValue::from_static("public, max-age=300");
    [(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")), (header::CACHE_CONTROL, cache)]
}

/// Returns the public keys for access tokens (RFC 7517): the current one, the next, and those with valid tokens.
///
/// # Errors
/// Never: keys can be serialized.
pub(crate) async fn jwks(State(state): State<Arc<KeyState>>) -> Result<impl IntoResponse, ApiError> {
    let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    Ok((open(), json, state.keyring.jwks(state.now()).map_err(ApiError::broken)?))
}

/// Returns the discovery document (OpenID Connect Discovery 1.0; RFC 8414).
pub(crate) async fn openid(State(state): State<AppState>) -> impl IntoResponse {
    let endpoints = Endpoints {
        authorization: paths::OAUTH_AUTHORIZE,
        token: paths::OAUTH_TOKEN,
        userinfo: paths::OAUTH_USERINFO,
        jwks: paths::JWKS,
        revocation: paths::OAUTH_REVOKE,
        introspection: paths::OAUTH_INTROSPECT,
        pushed: paths::OAUTH_PAR,
        end_session: paths::OAUTH_LOGOUT,
        device: paths::OAUTH_DEVICE,
        registration: state.config.settings.oauth.registration.then_some(paths::OAUTH_REGISTER),
    };
    let signing = state.client_tokens.signing_algorithms(state.now());
    let documents = state.config.settings.oauth.client_documents;
    let make = || oidc::metadata::document(&state.config.origin, &endpoints, &signing, &ACR, documents);
    let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    (open(), json, state.discovery.document(&signing, make))
}

/// Describes this site as a protected resource (RFC 9728).
pub(crate) async fn protected_resource(State(state): State<Arc<CoreState>>) -> impl IntoResponse {
    (open(), Json(oidc::metadata::protected_resource(&state.config.origin, "", &state.config.settings.site.name)))
}

/// Describes the userinfo endpoint as a protected resource (RFC 9728, section 3.1).
pub(crate) async fn protected_userinfo(State(state): State<Arc<CoreState>>) -> impl IntoResponse {
    let name = &state.config.settings.site.name;
    (open(), Json(oidc::metadata::protected_resource(&state.config.origin, paths::OAUTH_USERINFO, name)))
}

/// Names the issuer of an account (RFC 7033).
///
/// # Errors
/// `bad_request`: `resource` is missing. `not_found`: it is not one of this server's.
pub(crate) async fn webfinger(State(state): State<Arc<CoreState>>, uri: Uri) -> Result<impl IntoResponse, ApiError> {
    let query = uri.query().unwrap_or_default();
    let pairs: Vec<_> = oidc::params::pairs(query);
    let resource = pairs.iter().find(|(name, _)| name == "resource").map(|(_, value)| value.as_str());
    let resource = resource.ok_or_else(|| ApiError::new(Code::BadRequest))?;
    let relations: Vec<_> = pairs.iter().filter(|(name, _)| name == "rel").map(|(_, rel)| rel.as_str()).collect();
    let found = oidc::webfinger::answer(&state.config.origin, resource, &relations);
    let found = found.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/jrd+json"))];
    Ok((open(), json, found.to_string()))
}

/// Returns endpoints and policy for programs.
pub(crate) async fn postern(State(state): State<Arc<KeyState>>) -> impl IntoResponse {
    let at = |path: &str| format!("{}{path}", state.config.origin);
    let settings = &state.config.settings;
    let mut algorithms: Vec<_> = state.keyring.published(state.now()).into_iter().map(|key| key.alg).collect();
    algorithms.dedup();
    let (time, there) = (&settings.time, |address: &String| (!address.is_empty()).then(|| address.clone()));
    let body = json!({
        "issuer": state.config.origin,
        "jwks_uri": at(paths::JWKS),
        "revocations_uri": at(paths::REVOCATIONS),
        "openapi_uri": at(paths::OPENAPI),
        "challenge_endpoint": at(paths::CHALLENGE),
        "login_endpoint": at(paths::LOGIN),
        "authenticate_endpoint": at(paths::AUTHENTICATE),
        "signup_endpoint": at(paths::SIGNUP),
        "refresh_endpoint": at(paths::REFRESH),
        "logout_endpoint": at(paths::LOGOUT),
        "session_endpoint": at(paths::SESSION),
        "sessions_endpoint": at(paths::SESSIONS),
        "password_endpoint": at(paths::PASSWORD),
        "reset_endpoint": at(paths::RESET),
        "account_deletion_endpoint": at(paths::ACCOUNT_DELETE),
        "user_key_endpoint": at(paths::USER_KEYS),
        "user_key_rotation_endpoint": at(paths::ROTATE_USER_KEY),
        "ticket_endpoint": at(paths::TICKETS),
        "app_token_endpoint": at(paths::APP_TOKENS),
        "services": {
            wire::time::SERVICE: { "url": there(&time.url), "tcp": there(&time.tcp) },
        },
        "admin_endpoints": {
            "users": at(paths::USERS),
            "invitations": at(paths::INVITATIONS),
            "services": at(paths::SERVICES),
            "keys": at(paths::SERVER_KEYS),
            "bans": at(paths::BANS),
            "allow": at(paths::ALLOWLIST),
            "audit": at(paths::AUDIT),
        },
        "envelope": { "alg": wire::envelope::ALG, "enc": wire::envelope::ENC },
        "access_token_signing_alg_values_supported": algorithms,
        "dpop_signing_alg_values_supported": ["ES256"],
        "password_min": settings.password.min,
        "password_max_bytes": domain::password::MAX_BYTES,
        "signup_mode": settings.signup.mode,
    });
    (open(), Json(body))
}
