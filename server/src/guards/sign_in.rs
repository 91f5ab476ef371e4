//! Refuses challenge, login and sign-up for clients that are banned from sign-in.

use super::client::Client;
use crate::api_error::ApiError;
use crate::state::AppState;
use domain::ban::Scope;

/// # Errors
/// `banned`, with the time left.
pub fn check(state: &AppState, client: &Client) -> Result<(), ApiError> {
    match client.closed(state, Scope::SignIn) {
        Some(closed) => Err(ApiError::banned(closed, state.now())),
        None => Ok(()),
    }
}

/// # Errors
/// `banned`, with the time left.
pub fn check_passkey(state: &AppState, client: &Client) -> Result<(), ApiError> {
    match client.closed_to_passkeys(state) {
        Some(closed) => Err(ApiError::banned(closed, state.now())),
        None => Ok(()),
    }
}
