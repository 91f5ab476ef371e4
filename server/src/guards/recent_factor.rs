//! Fresh proofs of the person, for changes that a thief of a session must not be able to make (RFC 9470).
//!
//! The key of the session is proven by every request that may change something. This adds the person: authenticated within
//! five minutes, with a second factor if the account has one.

use super::signed_in::SignedIn;
use crate::api_error::ApiError;
use crate::state::AppState;
use domain::second_factor::Factors;
use wire::problem::Code;

/// # Errors
/// `insufficient_user_authentication` with the kinds of proof that are sufficient; the store fails.
pub async fn check(state: &AppState, session: &SignedIn) -> Result<(), ApiError> {
    let factors = state.store.factors(&session.claims.sub).await?;
    match fresh_until(state, session, factors).await? {
        Some(_) => Ok(()),
        None => Err(ApiError::insufficient_user_authentication(&factors.fresh_proofs())),
    }
}

/// Returns until when the session's proof is fresh; `None`: it is not.
///
/// # Errors
/// The store fails. The row is read, because another node may have renewed it a moment ago.
pub async fn fresh_until(
    state: &AppState,
    session: &SignedIn,
    factors: Factors,
) -> Result<Option<domain::UnixMs>, ApiError> {
    let row = state.store.session(&session.claims.sid).await?.ok_or_else(|| ApiError::new(Code::NoSession))?;
    let fresh = row.authentication.is_fresh(factors.any(), state.now());
    Ok(fresh.then_some(row.authentication.at + domain::authentication::FRESH_MS))
}
