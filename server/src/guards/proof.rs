//! Proofs of a session's key (RFC 9449).

use super::copied::{self, TokenOwner};
use super::token::PresentedToken;
use crate::api_error::ApiError;
use crate::client::Client;
use crate::dpop::{self, Proof};
use crate::state::KeyState;
use crate::tokens::AccessTokenClaims;
use domain::encoding::base64url;
use domain::thumbprint::Thumbprint;
use http::request::Parts;
use http::{HeaderMap, Method};
use store::proofs::UsedProof;
use wire::problem::Code;

/// Checks that this request, whose token came in a cookie, proves the key `jkt`. The owner sees a wrong one.
///
/// # Errors
/// `bad_proof`, `use_dpop_nonce`; the store does not answer.
pub async fn of_cookie(
    state: &KeyState,
    parts: &Parts,
    claims: &AccessTokenClaims,
    jkt: Thumbprint,
) -> Result<(), ApiError> {
    let checked = key_of_cookie(state, parts, jkt).await;
    copied::check(state, parts.extensions.get::<Client>(), TokenOwner::of(claims), checked).await
}

async fn key_of_cookie(state: &KeyState, parts: &Parts, jkt: Thumbprint) -> Result<(), ApiError> {
    let wrong = || refuse(state, Code::BadProof);
    let proof = dpop::presented(&parts.headers).ok_or_else(wrong)?;
    let proof = check(state, parts.method.as_str(), parts.uri.path(), proof).await?;
    let token = PresentedToken::in_cookie(state, &parts.headers).map(|shown| shown.token).unwrap_or_default();
    // A page's script cannot read the cookie, so its proof cannot name the token.
    let of_token = proof.ath.as_deref().is_none_or(|ath| ath == dpop::token_hash(&token));
    if proof.jkt == jkt && of_token { Ok(()) } else { Err(wrong()) }
}

/// Checks the proof of a presented token, and returns whether its key was proven. `None`: a bound token without its
/// proof, which is probably stolen (RFC 9449, section 7.2), or a proof with an unbound token. The owner sees a bound
/// token whose key was not proven.
///
/// # Errors
/// `bad_proof`, `use_dpop_nonce`; the store fails.
pub async fn of_presented(
    state: &KeyState,
    parts: &Parts,
    shown: &PresentedToken,
    claims: &AccessTokenClaims,
) -> Result<Option<bool>, ApiError> {
    let (client, owner) = (parts.extensions.get::<Client>(), TokenOwner::of(claims));
    let (true, Some(bound)) = (shown.is_dpop(), &claims.cnf) else {
        let fits = shown.fits_unproven(claims);
        if let (false, Some(_), Some(client)) = (fits, &claims.cnf, client) {
            copied::record(state, client, owner).await?;
        }
        return Ok(fits.then_some(false));
    };
    let url = format!("{}{}", state.config.origin, parts.uri.path());
    let checked = of_token(state, &parts.headers, parts.method.as_str(), &url, &shown.token, bound.jkt).await;
    copied::check(state, client, owner, checked).await?;
    Ok(Some(true))
}

/// Checks a proof for this method and path of Postern, with a fresh nonce and for the first time. The caller checks
/// whose key it is.
///
/// # Errors
/// `bad_proof`, `use_dpop_nonce`; the store fails.
pub async fn check(state: &KeyState, method: &str, path: &str, proof: &str) -> Result<Proof, ApiError> {
    let url = format!("{}{path}", state.config.origin);
    let proof = dpop::verify(proof, method, &url).ok_or_else(|| refuse(state, Code::BadProof))?;
    use_up(state, method, &proof).await?;
    Ok(proof)
}

/// Checks the proof for a token that is bound to `jkt` (RFC 9449, section 4.3). The caller passes the result through
/// [`copied::check`].
///
/// # Errors
/// `bad_proof`, `use_dpop_nonce`; the store fails.
pub async fn of_token(
    state: &KeyState,
    headers: &HeaderMap,
    method: &str,
    url: &str,
    token: &str,
    jkt: Thumbprint,
) -> Result<(), ApiError> {
    let proof = dpop::of_token(headers, method, url, token, jkt).ok_or_else(|| refuse(state, Code::BadProof))?;
    use_up(state, method, &proof).await
}

/// Checks that a valid proof has a fresh nonce and is used for the first time. If the request may change something,
/// that means the first time at any node, otherwise at this one.
async fn use_up(state: &KeyState, method: &str, proof: &Proof) -> Result<(), ApiError> {
    let now = state.now();
    let fresh = proof.nonce.as_deref().is_some_and(|nonce| state.keyring.nonce_is_fresh(nonce, now));
    let name = verify::proof_hash(proof.jkt, &proof.jti);
    let mut first = fresh && state.proofs.is_first(name, now);
    if first && Method::from_bytes(method.as_bytes()).is_ok_and(|method| !method.is_safe()) {
        first = state
            .store
            .use_proof(&UsedProof { id: base64url(&name), expires_at: now + dpop::PROOF_REMEMBERED_MS })
            .await?;
    }
    if first { Ok(()) } else { Err(refuse(state, Code::UseDpopNonce)) }
}

/// Builds a refusal with a nonce for the next attempt.
pub fn refuse(state: &KeyState, code: Code) -> ApiError {
    ApiError::new(code).with_nonce(state.keyring.nonce(state.now()))
}
