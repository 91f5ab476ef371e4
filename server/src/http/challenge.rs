//! `GET /api/challenge`

use super::ApiError;
use crate::cookies::{self, CookieName};
use crate::guards::same_origin;
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use domain::short_key::{self, LIFETIME_MS, ShortKey, ShortKeyClaims};
use http::HeaderMap;
use tower_cookies::Cookies;
use wire::challenge::Challenge;

/// Returns a `short_key` and the public key. Writes nothing. A browser's `short_key` is tied to a cookie, which it gets
/// here if necessary; a program's is not.
///
/// # Errors
/// No envelope key is available.
pub(crate) async fn challenge(
    State(state): State<AppState>,
    cookies: Cookies,
    headers: HeaderMap,
) -> Result<Json<Challenge>, ApiError> {
    let now = state.now();
    let key = state.keyring.envelope(now)?;
    let terms = ShortKeyClaims {
        expires_at: now + LIFETIME_MS,
        kid: Some(key.kid),
        origin: short_key::hash(&state.config.origin),
        cookie: pre_login(&state, &cookies, &headers),
    };
    Ok(Json(Challenge {
        short_key: ShortKey::issue(&state.keyring.macs(now)?.short_key, state.entropy.bytes(), &terms),
        expires_at: terms.expires_at,
        now,
        key: key.public.clone(),
    }))
}

/// Returns the hash of the cookie that ties a `short_key` to a browser, which gets one here if necessary. `None` for
/// programs.
pub(super) fn pre_login(state: &AppState, cookies: &Cookies, headers: &HeaderMap) -> Option<[u8; 32]> {
    match cookies::get(headers, &state.config, CookieName::PreLogin) {
        Some(cookie) => Some(short_key::hash(&cookie)),
        None if same_origin::is_browser(headers) => {
            let cookie = state.entropy.secret();
            let hash = short_key::hash(&cookie);
            cookies::set(cookies, &state.config, CookieName::PreLogin, cookie, None, state.now());
            Some(hash)
        }
        None => None,
    }
}
