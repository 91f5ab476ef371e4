//! Whoever proves, with this one request, to hold the key that the session is bound to (RFC 9449).

use super::signed_in::SignedIn;
use super::token::Shown;
use crate::dpop::{self, Proof};
use crate::http::ApiError;
use crate::state::AppState;
use axum::extract::FromRequestParts;
use domain::encoding::base64url;
use http::HeaderMap;
use http::request::Parts;
use store::proofs::UsedProof;
use wire::problem::Code;

/// An extractor: the handler runs only for a live session whose key was proven.
#[derive(Debug, Clone)]
pub struct Proven {
    pub session: SignedIn,
    /// Thumbprint of the key.
    pub jkt: String,
}

impl FromRequestParts<AppState> for Proven {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let session = SignedIn::from_request_parts(parts, state).await?;
        let jkt = of_session(state, parts, &session).await?.ok_or_else(|| ApiError::new(Code::SessionUnbound))?;
        Ok(Self { session, jkt })
    }
}

/// Whoever is signed in, and proves to hold the key if the session is bound to one.
#[derive(Debug, Clone)]
pub struct ProvenIfBound {
    pub session: SignedIn,
    /// Thumbprint of the key.
    pub jkt: Option<String>,
}

impl FromRequestParts<AppState> for ProvenIfBound {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let session = SignedIn::from_request_parts(parts, state).await?;
        let jkt = of_session(state, parts, &session).await?;
        Ok(Self { session, jkt })
    }
}

/// The session's key, proven by this request. `None`: it is bound to none.
async fn of_session(state: &AppState, parts: &Parts, session: &SignedIn) -> Result<Option<String>, ApiError> {
    let Some(bound) = &session.claims.cnf else { return Ok(None) };
    // The proof that came with `Authorization: DPoP` is spent, and was for this very request.
    if session.proven {
        return Ok(Some(bound.jkt.clone()));
    }
    let wrong = || refuse(state, Code::BadProof);
    let proof = dpop::presented(&parts.headers).ok_or_else(wrong)?;
    let proof = check(state, parts.method.as_str(), parts.uri.path(), proof).await?;
    let token = Shown::in_cookie(state, &parts.headers).map(|shown| shown.token).unwrap_or_default();
    // A page's script cannot read its cookie, and so cannot say which token goes with the proof.
    let of_token = proof.ath.as_deref().is_none_or(|ath| ath == dpop::token_hash(&token));
    if proof.jkt != bound.jkt || !of_token {
        return Err(wrong());
    }
    Ok(Some(proof.jkt))
}

/// Checks a proof for this method and path of ours: with a fresh nonce of ours, and for the first time.
/// Whose key it is, the caller judges.
///
/// # Errors
/// `bad_proof`, `use_dpop_nonce`; the store does not answer.
pub async fn check(state: &AppState, method: &str, path: &str, proof: &str) -> Result<Proof, ApiError> {
    let url = format!("{}{path}", state.config.origin);
    let proof = dpop::verify(proof, method, &url).ok_or_else(|| refuse(state, Code::BadProof))?;
    spend(state, method, &proof).await?;
    Ok(proof)
}

/// Checks the proof that goes with a token that is bound to `jkt` (RFC 9449, section 4.3).
///
/// # Errors
/// `bad_proof`, `use_dpop_nonce`; the store does not answer.
pub async fn of_token(
    state: &AppState,
    headers: &HeaderMap,
    method: &str,
    url: &str,
    token: &str,
    jkt: &str,
) -> Result<(), ApiError> {
    let proof = dpop::of_token(headers, method, url, token, jkt).ok_or_else(|| refuse(state, Code::BadProof))?;
    spend(state, method, &proof).await
}

/// Whether a good proof has a fresh nonce of ours and comes for the first time: to this node, and where the
/// request may change something to any node.
async fn spend(state: &AppState, method: &str, proof: &Proof) -> Result<(), ApiError> {
    let (key, now) = (&state.keyring.macs.nonce, state.now());
    let fresh = proof.nonce.as_deref().is_some_and(|nonce| dpop::nonce_is_fresh(key, nonce, now));
    let mut first = fresh && state.proofs.is_first(&proof.jkt, &proof.jti);
    if first && !is_safe(method) {
        let id = base64url(&verify::proof_hash(&proof.jkt, &proof.jti));
        first = state.store.use_proof(&UsedProof { id, expires_at: now + dpop::PROOF_REMEMBERED_MS }).await?;
    }
    if first { Ok(()) } else { Err(refuse(state, Code::UseDpopNonce)) }
}

/// Methods that change nothing (RFC 9110, section 9.2.1).
fn is_safe(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE")
}

/// With a nonce for the next try.
pub fn refuse(state: &AppState, code: Code) -> ApiError {
    ApiError::new(code).with_nonce(dpop::nonce(&state.keyring.macs.nonce, state.now()))
}
