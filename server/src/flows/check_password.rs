//! The check of a password against a stored hash, for whatever it is asked.

use crate::http::ApiError;
use crate::passwords::{Cost, Place, Verified};
use crate::state::AppState;
use zeroize::Zeroizing;

/// Checks a password at the cost that everybody pays; without a stored hash it says `Wrong`.
///
/// # Errors
/// The store does not answer; the hash threads have stopped or are out of memory.
pub async fn check_password(
    state: &AppState,
    place: &Place,
    password: Zeroizing<Vec<u8>>,
    stored: Option<&str>,
) -> Result<Verified, ApiError> {
    // Asked each time: what was stored a moment ago, on any node, counts for the next check.
    let parameters = state.store.password_parameters().await?;
    let in_use = parameters.iter().filter_map(|phc| Cost::parse(phc));
    Ok(state.passwords.verify(place, password, stored, in_use).await?)
}
