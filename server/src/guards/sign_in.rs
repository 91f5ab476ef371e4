//! Refuses challenge, login and sign-up for clients that are banned from sign-in.

use super::client::Client;
use crate::api_error::ApiError;
use crate::state::DefenceState;
use domain::ban::Scope;

/// Checks that the client is not banned from sign-in.
///
/// # Errors
/// `banned`, with the time left.
pub fn check(state: &DefenceState, client: &Client) -> Result<(), ApiError> {
    match client.closed(state, Scope::SignIn) {
        Some(closed) => Err(ApiError::banned(closed, state.now())),
        None => Ok(()),
    }
}

/// Checks that the client is not banned from sign-in with a passkey.
///
/// # Errors
/// `banned`, with the time left.
pub fn check_passkey(state: &DefenceState, client: &Client) -> Result<(), ApiError> {
    match client.manual_ban(state, Scope::SignIn) {
        Some(closed) => Err(ApiError::banned(closed, state.now())),
        None => Ok(()),
    }
}
