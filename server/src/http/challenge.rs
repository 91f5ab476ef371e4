//! `GET /api/challenge`

use super::ApiError;
use crate::cookies::{self, CookieName};
use crate::guards::same_origin;
use crate::state::{CoreState, KeyState};
use axum::Json;
use axum::extract::State;
use domain::encoding::from_base64url;
use domain::short_key::{self, LIFETIME_MS, ShortKey, ShortKeyClaims};
use http::HeaderMap;
use std::sync::Arc;
use tower_cookies::Cookies;
use wire::challenge::Challenge;

/// Returns a `short_key` and the public key. Writes nothing. A browser's `short_key` is tied to a cookie, which it gets
/// here if necessary; a program's is not.
///
/// # Errors
/// No envelope key is available.
pub(crate) async fn challenge(
    State(state): State<Arc<KeyState>>,
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
        expires_at: terms.expires_at.as_millis(),
        now: now.as_millis(),
        key: key.public.clone(),
    }))
}

/// Returns the hash of the cookie that ties a `short_key` to a browser, which gets one here if necessary. `None` for
/// programs.
///
/// On plain http a browser may send several, or one for this path alone. Of these the last is taken, since the host's own
/// has the shortest path (RFC 6265, section 5.4). It is set again, so that it comes with every request.
pub(super) fn pre_login(state: &CoreState, cookies: &Cookies, headers: &HeaderMap) -> Option<[u8; 32]> {
    let is_ours = |cookie: &&str| from_base64url(cookie).is_some_and(|bytes| bytes.len() == 32);
    let held = cookies::all(headers, &state.config, CookieName::PreLogin).filter(is_ours).last();
    let (cookie, is_new) = match held {
        Some(held) => (held.to_owned(), false),
        None if same_origin::is_browser(headers) => (state.entropy.secret(), true),
        None => return None,
    };
    let hash = short_key::hash(&cookie);
    if is_new || state.config.insecure() {
        cookies::set(cookies, &state.config, CookieName::PreLogin, cookie, None, state.now());
    }
    Some(hash)
}
