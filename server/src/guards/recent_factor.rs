//! Fresh proofs of the person, for changes that a thief of a session must not be able to make (RFC 9470).
//!
//! The key of a bound session is proven by every request that may change something. At a site with https, where every
//! client can have a key, these changes need a bound session. This adds the person: authenticated within five minutes,
//! with a second factor if the account needs one after its password. A password alone must never add a
//! factor to an account that has one, where a policy, an app or a client counts on factors.

use super::factor_policy;
use super::signed_in::SignedIn;
use crate::api_error::ApiError;
use crate::state::CoreState;
use domain::UnixMs;
use domain::account::Role;
use domain::authentication::FRESH_MS;
use domain::ids::UserId;
use domain::second_factor::{Factors, ProofKind, Requirement};
use wire::problem::Code;

/// The explanation for a session without a key.
const UNBOUND: &str = "This session is not bound to a key of its device, so nothing was changed. Sign in again: in a browser \
                       that may store data for this site, or with a program that sends a key.";

/// The factors of an account, and the strictest requirement that a sign-in of it can meet with.
#[derive(Debug, Clone, Copy)]
pub struct FactorNeed {
    pub factors: Factors,
    pub required: Requirement,
}

impl FactorNeed {
    /// Whether a fresh proof must be one of a second factor.
    pub fn is_factor(self) -> bool {
        self.factors.needed_after_password(self.required)
    }

    pub fn proofs(self) -> Vec<ProofKind> {
        self.factors.fresh_proofs(self.required)
    }

    pub fn refusal(self) -> ApiError {
        ApiError::insufficient_user_authentication(&self.proofs())
    }
}

/// Checks the key of the session and the person.
///
/// # Errors
/// `session_unbound` at a site with https; `insufficient_user_authentication` with the kinds of proof that are
/// sufficient; the store fails.
pub async fn check(state: &CoreState, session: &SignedIn) -> Result<(), ApiError> {
    // A copied token of an unbound session needs nothing else. Without https no browser can have a key.
    if session.jkt().is_none() && state.config.https {
        return Err(ApiError::explained(Code::SessionUnbound, UNBOUND));
    }
    check_person(state, session).await
}

/// Checks the person alone, for changes that take something from a thief.
///
/// # Errors
/// `insufficient_user_authentication` with the kinds of proof that are sufficient; the store fails.
pub async fn check_person(state: &CoreState, session: &SignedIn) -> Result<(), ApiError> {
    match fresh_until(state, session).await? {
        (_, Some(_)) => Ok(()),
        (need, None) => Err(need.refusal()),
    }
}

/// Returns the kind of fresh proof that the session's account needs, and the time until which its last one is fresh.
/// `None`: it is not fresh.
///
/// # Errors
/// The store fails. The row is read, because another node may have renewed it a moment ago.
pub async fn fresh_until(state: &CoreState, session: &SignedIn) -> Result<(FactorNeed, Option<UnixMs>), ApiError> {
    let row = state.store.session(&session.claims.sid).await?.ok_or_else(|| ApiError::new(Code::NoSession))?;
    let need = of(state, &row.user, row.role).await?;
    let fresh = row.authentication.is_fresh(need.is_factor(), state.now());
    Ok((need, fresh.then_some(row.authentication.at + FRESH_MS)))
}

/// Returns what a fresh proof of an account is.
///
/// # Errors
/// The store fails.
pub async fn of(state: &CoreState, user: &UserId, role: Role) -> Result<FactorNeed, ApiError> {
    let factors = factor_policy::held(state, user).await?;
    let required = factor_policy::of_account(state, user, role).await?.max(factor_policy::of_apps(state));
    Ok(FactorNeed { factors, required })
}
