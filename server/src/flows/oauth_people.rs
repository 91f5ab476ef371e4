//! Claims about a person for clients, and the check whether a person may use a client.

use crate::api_error::ApiError;
use crate::guards::factor_policy;
use crate::state::CoreState;
use domain::encoding::base64url;
use domain::ids::UserId;
use domain::second_factor::Requirement;
use oidc::Client;
use oidc::claims::Person;
use oidc::exchange::GrantDetails;
use store::oauth::GrantRow;

/// Loads the person of a grant.
///
/// # Errors
/// The store fails.
pub async fn person(state: &CoreState, client: &Client, grant: &GrantRow) -> Result<Person, ApiError> {
    let profile = state.store.profile(&grant.user).await?.unwrap_or_default();
    // An address that nobody has checked could be another person's, and apps link accounts by it.
    let email = profile.email.filter(|email| email.state.is_reliable());
    Ok(Person {
        sub: subject(state, client, &grant.user).await?,
        username: grant.username.clone(),
        name: profile.display_name.map_or_else(|| grant.username.clone(), |name| name.as_str().to_owned()),
        email_verified: email.is_some(),
        email: email.map(|email| email.address.as_str().to_owned()),
        groups: profile.groups.iter().map(|group| group.as_str().to_owned()).collect(),
        role: grant.role.as_str().to_owned(),
    })
}

/// Returns the `sub` of a person for a client. It is the account's id, or another one for each sector (OpenID Connect
/// Core, section 8.1). A pairwise one is random and stored, because every key of this server is replaced at some time.
///
/// # Errors
/// The store fails.
pub async fn subject(state: &CoreState, client: &Client, user: &UserId) -> Result<String, ApiError> {
    let Some(sector) = client.sector() else { return Ok(user.to_string()) };
    let fresh = base64url(&state.entropy.bytes::<16>());
    Ok(state.store.pairwise_subject(sector, user, &fresh).await?)
}

/// Returns the `sub` that a client knows a person by. `None`: it has never got one. This writes nothing, so that a link alone
/// changes nothing.
///
/// # Errors
/// The store fails.
pub async fn known_subject(state: &CoreState, client: &Client, user: &UserId) -> Result<Option<String>, ApiError> {
    match client.sector() {
        Some(sector) => Ok(state.store.known_subject(sector, user).await?),
        None => Ok(Some(user.to_string())),
    }
}

/// Whether the person of a grant still meets the requirements. The client may require a group or role, and client and
/// account a level of the sign-in. Its session may have reached that level after the grant was made.
///
/// # Errors
/// The store fails.
pub async fn may_still_use(state: &CoreState, client: &Client, grant: &GrantRow) -> Result<bool, ApiError> {
    let required = factor_policy::of_account(state, &grant.user, grant.role).await?.max(client.settings.second_factor);
    if required > Requirement::Optional {
        let Some(session) = state.store.session(&grant.session).await? else { return Ok(false) };
        if factor_policy::lacks(state, &session, required).await?.is_some() {
            return Ok(false);
        }
    }
    if client.settings.groups.is_empty() {
        return Ok(true);
    }
    let groups = groups_and_roles(state, &grant.user, &[grant.role.as_str().to_owned()]).await?;
    Ok(client.admits(groups.iter().map(String::as_str)))
}

/// Returns the names that `groups` of a client may require.
///
/// # Errors
/// The store fails.
pub async fn groups_and_roles(state: &CoreState, user: &UserId, roles: &[String]) -> Result<Vec<String>, ApiError> {
    let profile = state.store.profile(user).await?.unwrap_or_default();
    // A group that has the name of a role gives nobody the role.
    let groups = profile.groups.iter().filter(|group| !group.is_role()).map(|group| group.as_str().to_owned());
    Ok(roles.iter().cloned().chain(groups).collect())
}

/// Reads the stored part of a request.
///
/// # Errors
/// The row was written by something else.
pub fn read_details(text: &str) -> Result<GrantDetails, ApiError> {
    serde_json::from_str(text).map_err(ApiError::broken)
}
