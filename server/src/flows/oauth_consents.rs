//! The apps of a person: those with a consent, and those that the person may open.

use super::oauth_people;
use crate::api_error::ApiError;
use crate::audit;
use crate::client::Client as Caller;
use crate::guards::oauth_client;
use crate::state::AppState;
use oidc::consent::plain_words;
use oidc::{Client, Scopes};
use std::sync::Arc;
use store::audit::AuditEvent;
use wire::oauth::{AppTile, Consent};
use wire::problem::Code;

/// Returns the consents of a person, by the app's name.
///
/// # Errors
/// The store fails.
pub async fn list(state: &AppState, user: &str) -> Result<Vec<Consent>, ApiError> {
    let mut consents = Vec::new();
    for row in state.store.consents(user).await? {
        let client = oauth_client::find(state, &row.client).await?;
        consents.push(Consent {
            name: client.map_or_else(|| row.client.clone(), |client| client.name().to_owned()),
            client: row.client,
            allows: plain_words(&Scopes::parse(&row.scope)).into_iter().map(str::to_owned).collect(),
            scope: row.scope,
            given_at: row.given_at,
        });
    }
    consents.sort_by(|a, b| (&a.name, &a.client).cmp(&(&b.name, &b.client)));
    Ok(consents)
}

/// Withdraws a consent and revokes what the app got from this person.
///
/// # Errors
/// `not_found`: there is none. The store fails.
pub async fn withdraw(state: &AppState, caller: &Caller, user: &str, client: &str) -> Result<(), ApiError> {
    let mut entry = audit::entry(state, caller, AuditEvent::ConsentWithdrawn, audit::OK);
    entry.user = Some(user.to_owned());
    client.clone_into(&mut entry.about);
    let done = state.store.withdraw_consent(user, client, &entry, state.now()).await?;
    if done { Ok(()) } else { Err(ApiError::new(Code::NotFound)) }
}

/// Returns the apps that have a page and that the person may open, by name.
///
/// # Errors
/// The store fails.
pub async fn tiles(state: &AppState, user: &str, roles: &[String]) -> Result<Vec<AppTile>, ApiError> {
    let clients = state.clients.all(state.now());
    if clients.iter().all(|client| client.settings.url.is_none()) {
        return Ok(Vec::new());
    }
    let groups = oauth_people::groups_and_roles(state, user, roles).await?;
    let open = clients.iter().filter(|client| client.admits(groups.iter().map(String::as_str)));
    let tile =
        |client: &Arc<Client>| Some(AppTile { name: client.name().to_owned(), url: client.settings.url.clone()? });
    let mut tiles: Vec<_> = open.filter_map(tile).collect();
    tiles.sort_by_key(|tile| tile.name.to_lowercase());
    Ok(tiles)
}
