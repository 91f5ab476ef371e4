//! Whoever is signed in, by cookie or by `Authorization`.

use super::token::Shown;
use crate::http::ApiError;
use crate::state::AppState;
use crate::tokens::Claims;
use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::request::Parts;
use std::sync::Arc;
use wire::problem::Code;
use wire::session::Session;

/// An extractor: the handler runs only for a live session.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub claims: Arc<Claims>,
    /// Whether this request came with a proof of the key that its token is bound to.
    pub proven: bool,
}

impl SignedIn {
    /// For pages: the session of the token, if it is live. No proof is asked for, so a token that needs one is none.
    ///
    /// # Errors
    /// The session is not in memory and the store does not answer.
    pub async fn find(state: &AppState, headers: &HeaderMap) -> Result<Option<Self>, ApiError> {
        let Ok(Some(shown)) = Shown::read(state, headers) else { return Ok(None) };
        let claims = live(state, &shown.token).await?;
        Ok(claims.and_then(|claims| shown.admit_unproven(&claims)))
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
        let shown = Shown::read(state, &parts.headers)?.ok_or_else(|| Shown::refusal(state, None))?;
        let refusal = || Shown::refusal(state, Some(&shown));
        let claims = live(state, &shown.token).await?.ok_or_else(refusal)?;
        shown.admit(state, parts, &claims).await?.ok_or_else(refusal)
    }
}

/// The claims of a token of ours whose session takes it now.
async fn live(state: &AppState, token: &str) -> Result<Option<Arc<Claims>>, ApiError> {
    let now = state.now();
    let Some(claims) = verify_for(state, &state.config.origin, token).await? else { return Ok(None) };
    if state.sync.is_stale(now) {
        return Err(ApiError::wait(Code::Unavailable, 1000));
    }
    let takes = state.sessions.takes(&*state.store, &claims.sid, claims.generation, now).await?;
    Ok(takes.then_some(claims))
}

/// The claims of a token for this audience. A key that was made elsewhere just now is asked for once.
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
