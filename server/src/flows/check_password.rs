//! The check of a password against a stored hash.

use crate::http::ApiError;
use crate::passwords::{Cost, Place, Verified};
use crate::state::AppState;
use zeroize::Zeroizing;

/// Checks a password at the same cost for every account. Without a stored hash the result is `Wrong`.
///
/// # Errors
/// The store does not answer, or the hash threads have stopped or are out of memory.
pub async fn check_password(
    state: &AppState,
    place: &Place,
    password: Zeroizing<Vec<u8>>,
    stored: Option<&str>,
) -> Result<Verified, ApiError> {
    // Read each time, so that a hash that any node just stored counts for the next check.
    let parameters = state.store.password_parameters().await?;
    let in_use = parameters.iter().filter_map(|phc| Cost::parse(phc));
    Ok(state.passwords.verify(place, password, stored, in_use).await?)
}
