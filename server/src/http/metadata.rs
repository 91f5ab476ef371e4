//! `GET /.well-known/jwks.json` and `GET /.well-known/postern`: readable from anywhere.

use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::header;
use serde_json::json;
use wire::jwk::Jwks;
use wire::paths;

const OPEN: [(http::HeaderName, &str); 2] =
    [(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"), (header::CACHE_CONTROL, "public, max-age=300")];

/// The public keys that verify access tokens (RFC 7517).
pub async fn jwks(State(state): State<AppState>) -> impl IntoResponse {
    (OPEN, Json(Jwks { keys: vec![state.keyring.signing.public.clone()] }))
}

/// Endpoints and policy, for programs.
pub async fn postern(State(state): State<AppState>) -> impl IntoResponse {
    let at = |path: &str| format!("{}{path}", state.config.origin);
    let settings = &state.config.settings;
    let (time, there) = (&settings.time, |address: &String| (!address.is_empty()).then(|| address.clone()));
    let body = json!({
        "issuer": state.config.origin,
        "jwks_uri": at(paths::JWKS),
        "challenge_endpoint": at(paths::CHALLENGE),
        "login_endpoint": at(paths::LOGIN),
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
        "access_token_signing_alg_values_supported": ["ES256"],
        "dpop_signing_alg_values_supported": ["ES256"],
        "password_min": settings.password.min,
        "password_max_bytes": domain::password::MAX_BYTES,
        "signup_mode": settings.signup.mode,
    });
    (OPEN, Json(body))
}
