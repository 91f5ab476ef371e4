//! What clients may learn about a person.

use crate::api_error::ApiError;
use crate::state::AppState;
use oidc::claims::Person;
use store::oauth::GrantRow;

/// Loads the person of a grant.
///
/// # Errors
/// The store fails.
pub async fn person(state: &AppState, grant: &GrantRow) -> Result<Person, ApiError> {
    let profile = state.store.profile(&grant.user).await?.unwrap_or_default();
    // An address that nobody has checked could be another person's, and apps link accounts by it.
    let email = profile.email.filter(|email| email.state.is_reliable());
    Ok(Person {
        sub: grant.user.clone(),
        username: grant.username.clone(),
        name: profile.display_name.map_or_else(|| grant.username.clone(), |name| name.as_str().to_owned()),
        email_verified: email.is_some(),
        email: email.map(|email| email.address.as_str().to_owned()),
        groups: profile.groups.iter().map(|group| group.as_str().to_owned()).collect(),
        role: grant.role.as_str().to_owned(),
    })
}

/// Returns the names that `groups` of a client may require.
///
/// # Errors
/// The store fails.
pub async fn groups_and_roles(state: &AppState, user: &str, roles: &[String]) -> Result<Vec<String>, ApiError> {
    let profile = state.store.profile(user).await?.unwrap_or_default();
    let groups = profile.groups.iter().map(|group| group.as_str().to_owned());
    Ok(roles.iter().cloned().chain(groups).collect())
}
