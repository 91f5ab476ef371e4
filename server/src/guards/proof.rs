//! Whoever proves, with this one request, to hold the key that the session is bound to (RFC 9449).

use super::signed_in::{self, SignedIn};
use crate::dpop::{self, Proof};
use crate::http::ApiError;
use crate::state::AppState;
use axum::extract::FromRequestParts;
use domain::encoding::{base64url, sha256};
use http::request::Parts;
use http::{HeaderMap, Method};
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
        let jkt = of_session(state, parts, &session)?.ok_or_else(|| ApiError::new(Code::SessionUnbound))?;
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
        let jkt = of_session(state, parts, &session)?;
        Ok(Self { session, jkt })
    }
}

/// The session's key, proven by this request. `None`: it is bound to none.
fn of_session(state: &AppState, parts: &Parts, session: &SignedIn) -> Result<Option<String>, ApiError> {
    let Some(bound) = &session.claims.cnf else { return Ok(None) };
    let wrong = || refuse(state, Code::BadProof);
    let proof = presented(&parts.headers).ok_or_else(wrong)?;
    let proof = check(state, &parts.method, parts.uri.path(), &proof)?;
    let token = signed_in::token(state, &parts.headers).unwrap_or_default();
    let of_token = proof.ath.is_none_or(|ath| ath == base64url(&sha256(token.as_bytes())));
    if proof.jkt != bound.jkt || !of_token {
        return Err(wrong());
    }
    Ok(Some(proof.jkt))
}

/// The proof that the request carries. Two are as good as none (RFC 9449, section 4.3).
pub fn presented(headers: &HeaderMap) -> Option<String> {
    let mut all = headers.get_all(dpop::HEADER).iter();
    let proof = all.next()?.to_str().ok()?;
    all.next().is_none().then(|| proof.to_owned())
}

/// Checks a proof for this method and path of ours: with a fresh nonce of ours, and for the first time.
/// Whose key it is, the caller judges.
///
/// # Errors
/// `bad_proof`, `use_dpop_nonce`
pub fn check(state: &AppState, method: &Method, path: &str, proof: &str) -> Result<Proof, ApiError> {
    let url = format!("{}{path}", state.config.origin);
    let proof = dpop::verify(proof, method.as_str(), &url).ok_or_else(|| refuse(state, Code::BadProof))?;
    is_fresh(state, &proof)?;
    Ok(proof)
}

/// Whether a good proof has a fresh nonce of ours and comes for the first time.
///
/// # Errors
/// `use_dpop_nonce`
pub fn is_fresh(state: &AppState, proof: &Proof) -> Result<(), ApiError> {
    let key = &state.keyring.macs.nonce;
    let fresh = proof.nonce.as_deref().is_some_and(|nonce| dpop::nonce_is_fresh(key, nonce, state.now()));
    if fresh && state.proofs.is_first(&proof.jkt, &proof.jti) { Ok(()) } else { Err(refuse(state, Code::UseDpopNonce)) }
}

/// With a nonce for the next try.
pub fn refuse(state: &AppState, code: Code) -> ApiError {
    ApiError::new(code).with_nonce(dpop::nonce(&state.keyring.macs.nonce, state.now()))
}
