//! Rules for a new password, wherever it is chosen.

use crate::api_error::ApiError;
use crate::passwords::{HashPermit, common};
use crate::state::{AppState, CoreState};
use domain::password::{InvalidPassword, check_length};
use store::users::PasswordHash;
use wire::problem::Code;
use zeroize::Zeroizing;

/// Checks a new password.
///
/// # Errors
/// The violated rule.
pub async fn check(state: &CoreState, name: &str, password: &str) -> Result<(), ApiError> {
    match check_length(password, state.config.settings.password.min) {
        Ok(()) => {}
        Err(InvalidPassword::TooShort) => return Err(ApiError::new(Code::PasswordTooShort)),
        Err(InvalidPassword::TooLong) => return Err(ApiError::new(Code::PasswordTooLong)),
    }
    let context = [name.to_owned(), state.config.settings.site.name.clone()];
    let password = Zeroizing::new(password.to_owned());
    let is_common = tokio::task::spawn_blocking(move || common::is_common(&password, &context));
    if is_common.await.map_err(ApiError::broken)? {
        return Err(ApiError::new(Code::PasswordCommon));
    }
    Ok(())
}

/// Hashes a new password.
///
/// # Errors
/// The hash threads have stopped or are out of memory.
pub async fn hash(state: &AppState, permit: &HashPermit, password: &str) -> Result<PasswordHash, ApiError> {
    let password = Zeroizing::new(password.as_bytes().to_vec());
    Ok(PasswordHash(state.passwords.hash(permit, password, state.entropy.bytes()).await?))
}
