//! The check of a password against a stored hash.

use crate::api_error::ApiError;
use crate::passwords::{HashPermit, PasswordCheck, Work};
use crate::state::AppState;
use zeroize::Zeroizing;

/// Checks a password at the same cost for every account. Without a stored hash the result is `Wrong`.
///
/// # Errors
/// The store does not answer, or the hash threads have stopped or are out of memory.
pub async fn check_password(
    state: &AppState,
    permit: &HashPermit,
    password: Zeroizing<Vec<u8>>,
    stored: Option<&str>,
) -> Result<PasswordCheck, ApiError> {
    // Read each time, so that a hash that any node just stored counts for the next check.
    let parameters = state.store.password_parameters().await?;
    let in_use = parameters.iter().filter_map(|text| Work::parse(text));
    Ok(state.passwords.verify(permit, password, stored, in_use).await?)
}
