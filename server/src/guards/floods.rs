//! Limits on how much one address, or one known device, asks at once.

use super::client::Client;
use crate::floods::{Class, InFlight};
use crate::flows;
use crate::http::ApiError;
use crate::state::AppState;
use domain::identity::Identity;

/// Counts the request until the answer is dropped.
///
/// # Errors
/// `banned`: the request was one too many.
pub async fn enter(state: &AppState, client: &Client, identity: Identity, class: Class) -> Result<InFlight, ApiError> {
    match state.floods.enter(identity, class, state.now()) {
        Ok(in_flight) => Ok(in_flight),
        Err(flood) => Err(flows::ban::flood(state, client, identity, flood).await),
    }
}
