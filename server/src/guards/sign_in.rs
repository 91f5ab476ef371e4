//! Challenge, login and sign-up are closed to addresses that a sign-in ban closes.

use super::client::Client;
use crate::http::ApiError;
use crate::state::AppState;
use domain::ban::Scope;

/// # Errors
/// `banned`, with the time left.
pub fn check(state: &AppState, client: &Client) -> Result<(), ApiError> {
    let now = state.now();
    match state.bans.closed(client.judged(), Scope::SignIn, now) {
        Some(closed) => Err(ApiError::banned(closed, now)),
        None => Ok(()),
    }
}
