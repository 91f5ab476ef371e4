//! Signed-in clients, by cookie or `Authorization`.
//!
//! The token of a bound session alone changes nothing. Otherwise a copied cookie could create an invitation, a key or a
//! password link that outlives it. [`SignedIn`] requires the proof whenever the request's method may change something,
//! so that a handler cannot forget it. There are two exceptions:
//!
//! * Sealed messages (`/api/password`, `/api/account/delete`) carry the proof in their own protocol, with the
//!   `short_key` as nonce: [`SealedCaller`], checked by `flows::password`.
//! * `/api/logout` ends its own session and nothing else, and accepts the bare cookie. A person whose browser has lost
//!   its key must be able to sign out. It reads [`PresentedToken`] itself.
//!
//! Sign-in, sign-up, a reset link and `/api/refresh` use no access token.

use super::copied::{self, TokenOwner};
use super::token::{PresentedToken, SeenToken};
use super::{factor_policy, proof};
use crate::api_error::ApiError;
use crate::client::Client;
use crate::state::{AppState, KeyState, SessionState};
use crate::tokens::AccessTokenClaims;
use axum::extract::FromRequestParts;
use domain::UnixSeconds;
use domain::bidi::isolated;
use domain::thumbprint::Thumbprint;
use http::HeaderMap;
use http::request::Parts;
use std::sync::Arc;
use wire::paths;
use wire::problem::Code;
use wire::session::SessionInfo;

/// An extractor for a live session. If the session is bound and the request may change something (RFC 9110, section
/// 9.2.1), the key was proven.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub claims: Arc<AccessTokenClaims>,
    /// Whether this request proved the key of its token.
    pub proven: bool,
}

/// An extractor for a live session whose key was proven, for any method.
#[derive(Debug, Clone)]
pub struct ProvenSession {
    pub session: SignedIn,
    /// Thumbprint of the key.
    pub jkt: Thumbprint,
}

/// An extractor for handlers of sealed messages: a live session. `flows::password` checks that the message is of the
/// session's key.
#[derive(Debug, Clone)]
pub struct SealedCaller(pub SignedIn);

impl SignedIn {
    /// Returns the token's live session, for pages. No proof is required, so a token that needs one counts as none, and
    /// its owner sees it.
    ///
    /// # Errors
    /// The session is not cached and the store fails.
    pub async fn find(
        state: &SessionState,
        client: Option<&Client>,
        headers: &HeaderMap,
    ) -> Result<Option<Self>, ApiError> {
        let Ok(Some(shown)) = PresentedToken::read(state, headers) else { return Ok(None) };
        let Some(claims) = live(state, &shown.token).await? else { return Ok(None) };
        if shown.fits_unproven(&claims) {
            return Ok(Some(Self { claims, proven: false }));
        }
        if let (Some(_), Some(client)) = (&claims.cnf, client) {
            copied::record(state, client, TokenOwner::of(&claims)).await?;
        }
        Ok(None)
    }

    /// Returns the thumbprint of the session's key.
    pub fn jkt(&self) -> Option<Thumbprint> {
        self.claims.cnf.as_ref().map(|key| key.jkt)
    }

    pub fn session(&self) -> SessionInfo {
        let claims = &self.claims;
        SessionInfo {
            id: claims.sid.to_string(),
            sub: claims.sub.to_string(),
            username: claims.preferred_username.clone(),
            roles: claims.roles.clone(),
            bound: claims.cnf.is_some(),
            expires_at: claims.exp.to_millis().as_millis(),
            auth_time: claims.auth_time.map(UnixSeconds::as_seconds),
            amr: claims.amr.clone(),
            acr: claims.acr.clone(),
        }
    }
}

impl SignedIn {
    /// Reads the client's token. A token in a cookie proves no key yet.
    async fn read(parts: &Parts, state: &SessionState) -> Result<Self, ApiError> {
        if let Some(SeenToken { shown, claims }) = parts.extensions.get() {
            let claims = claims.are_for(&state.config.origin, state.now()).then(|| Arc::clone(claims));
            return Self::of(parts, state, shown, accepted(state, claims).await?).await;
        }
        let shown = PresentedToken::read(state, &parts.headers)?.ok_or_else(|| PresentedToken::refusal(state, None))?;
        let claims = live(state, &shown.token).await?;
        Self::of(parts, state, &shown, claims).await
    }

    /// Checks the proof and the second factor of a token. `claims`: those that its session accepts, if any.
    async fn of(
        parts: &Parts,
        state: &KeyState,
        shown: &PresentedToken,
        claims: Option<Arc<AccessTokenClaims>>,
    ) -> Result<Self, ApiError> {
        let refusal = || PresentedToken::refusal(state, Some(shown));
        let claims = claims.ok_or_else(refusal)?;
        check_page(&parts.headers, &claims)?;
        let proven = proof::of_presented(state, parts, shown, &claims).await?.ok_or_else(refusal)?;
        let session = Self { claims, proven };
        factor_policy::check(state, &session.claims, parts.uri.path()).await?;
        Ok(session)
    }

    /// Checks the proof of the session's key, unless it was checked with the token. Unbound sessions need none.
    async fn prove(mut self, parts: &Parts, state: &KeyState) -> Result<Self, ApiError> {
        if let (false, Some(jkt)) = (self.proven, self.jkt()) {
            proof::of_cookie(state, parts, &self.claims, jkt).await?;
            self.proven = true;
        }
        Ok(self)
    }
}

impl FromRequestParts<AppState> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let session = Self::read(parts, state).await?;
        if parts.method.is_safe() { Ok(session) } else { session.prove(parts, state).await }
    }
}

impl FromRequestParts<AppState> for ProvenSession {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let session = SignedIn::read(parts, state).await?.prove(parts, state).await?;
        let jkt = session.jkt().ok_or_else(|| ApiError::new(Code::SessionUnbound))?;
        Ok(Self { session, jkt })
    }
}

impl FromRequestParts<AppState> for SealedCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        SignedIn::read(parts, state).await.map(Self)
    }
}

/// Checks that the request's page was rendered for the account that is signed in. Otherwise an old tab would change the
/// account that has signed in in another tab since: both share cookies and key. Programs send no such header.
///
/// # Errors
/// `other_account`
pub fn check_page(headers: &HeaderMap, claims: &AccessTokenClaims) -> Result<(), ApiError> {
    let mut accounts = headers.get_all(paths::ACCOUNT_HEADER).iter();
    if accounts.all(|account| account.as_bytes() == claims.sub.as_str().as_bytes()) {
        return Ok(());
    }
    let name = isolated(&claims.preferred_username);
    let detail = format!(
        "You are signed in as {name} in another tab, so nothing was changed. Reload this page to continue as {name}."
    );
    Err(ApiError::explained(Code::OtherAccount, detail))
}

/// Returns the claims of a token from Postern that its session accepts now.
async fn live(state: &SessionState, token: &str) -> Result<Option<Arc<AccessTokenClaims>>, ApiError> {
    let claims = verify_for(state, &state.config.origin, token).await?;
    accepted(state, claims).await
}

/// Returns the claims if their session accepts them now.
async fn accepted(
    state: &SessionState,
    claims: Option<Arc<AccessTokenClaims>>,
) -> Result<Option<Arc<AccessTokenClaims>>, ApiError> {
    let now = state.now();
    let Some(claims) = claims else { return Ok(None) };
    if state.sync.is_stale(state.moment()) {
        return Err(ApiError::wait(Code::Unavailable, 1000));
    }
    let takes = state.sessions.takes(&*state.store, &claims.sid, claims.generation, now).await?;
    Ok(takes.then_some(claims))
}

/// Returns the claims of a token for this audience. Looks once for an unknown key, which another node may have just
/// made.
///
/// # Errors
/// The store fails.
pub async fn verify_for(
    state: &KeyState,
    audience: &str,
    token: &str,
) -> Result<Option<Arc<AccessTokenClaims>>, ApiError> {
    let now = state.now();
    let claims = state.tokens.verify_for(audience, token, now);
    if claims.is_some() || !state.tokens.has_unknown_key(token, now) {
        return Ok(claims);
    }
    state.keyring.reload_for_unknown(&state.vault()).await?;
    Ok(state.tokens.verify_for(audience, token, now))
}
