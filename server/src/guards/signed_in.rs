//! Whoever is signed in, by cookie or by `Authorization: Bearer`.

use crate::cookies::{self, Name};
use crate::dpop;
use crate::http::ApiError;
use crate::state::AppState;
use crate::tokens::Claims;
use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, header};
use std::sync::Arc;
use wire::problem::Code;
use wire::session::Session;

/// An extractor: the handler runs only for a live session.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub claims: Arc<Claims>,
}

impl SignedIn {
    /// The session that the cookies or the header belong to, if it is live.
    ///
    /// # Errors
    /// The session is not in memory and the store does not answer.
    pub async fn find(state: &AppState, headers: &HeaderMap) -> Result<Option<Self>, ApiError> {
        let now = state.now();
        let Some(token) = token(state, headers) else { return Ok(None) };
        let Some(claims) = verify(state, &token).await? else { return Ok(None) };
        if state.sync.is_stale(now) {
            return Err(ApiError::wait(Code::Unavailable, 1000));
        }
        let takes = state.sessions.takes(&*state.store, &claims.sid, claims.generation, now).await?;
        Ok(takes.then_some(Self { claims }))
    }

    pub fn session(&self) -> Session {
        let claims = &self.claims;
        Session {
            id: claims.sid.clone(),
            sub: claims.sub.clone(),
            username: claims.preferred_username.clone(),
            roles: claims.roles.clone(),
            bound: claims.cnf.is_some(),
            expires_at: claims.exp * 1000,
        }
    }
}

impl FromRequestParts<AppState> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        // Whoever is not signed in will refresh next, and needs a nonce for the proof.
        let refuse = || ApiError::new(Code::NoSession).with_nonce(dpop::nonce(&state.keyring.macs.nonce, state.now()));
        Self::find(state, &parts.headers).await?.ok_or_else(refuse)
    }
}

/// A key that was made elsewhere just now is asked for once.
async fn verify(state: &AppState, token: &str) -> Result<Option<Arc<Claims>>, ApiError> {
    verify_for(state, &state.config.origin, token).await
}

/// The claims of a token for this audience.
///
/// # Errors
/// The store does not answer.
pub async fn verify_for(state: &AppState, audience: &str, token: &str) -> Result<Option<Arc<Claims>>, ApiError> {
    let now = state.now();
    let claims = state.tokens.verify_for(audience, token, now);
    if claims.is_some() || !state.tokens.has_unknown_key(token, now) {
        return Ok(claims);
    }
    state.keyring.look_for_more(&state.vault()).await?;
    Ok(state.tokens.verify_for(audience, token, now))
}

/// The access token that the request carries.
pub fn token(state: &AppState, headers: &HeaderMap) -> Option<String> {
    bearer(headers).or_else(|| cookies::get(headers, &state.config, Name::Access))
}

/// The token of `Authorization: Bearer` (RFC 6750, section 2.1).
pub fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}
