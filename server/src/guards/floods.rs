//! Limits on how much one address asks at once.

use super::client::Client;
use crate::floods::{Class, InFlight};
use crate::flows;
use crate::http::ApiError;
use crate::state::AppState;

/// Counts the request until the answer is dropped.
///
/// # Errors
/// `banned`: the request was one too many.
pub async fn enter(state: &AppState, client: &Client, class: Class) -> Result<InFlight, ApiError> {
    match state.floods.enter(client.identity, class, state.now()) {
        Ok(in_flight) => Ok(in_flight),
        Err(flood) => Err(flows::ban::flood(state, client, flood).await),
    }
}
