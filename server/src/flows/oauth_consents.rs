//! The apps of a person: those with access to the person's data, and those that the person may open.

use super::oauth_people::{self, read_details};
use crate::api_error::ApiError;
use crate::audit;
use crate::client::Client as Caller;
use crate::guards::oauth_client;
use crate::state::{CoreState, SessionState};
use domain::UnixMs;
use domain::ids::UserId;
use oidc::consent::plain_words;
use oidc::{Client, Scopes};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::audit::AuditEvent;
use store::oauth::ConsentRow;
use wire::oauth::{AppTile, Consent, TERMINAL_CLIENT};
use wire::problem::Code;

/// The access of one app.
struct AppAccess {
    scopes: Scopes,
    agreed: bool,
    given_at: UnixMs,
}

/// Returns the apps with access to a person's data, by the app's name. They have a consent, or valid tokens without
/// one, such as devices and the operator's own apps.
///
/// # Errors
/// The store fails.
pub async fn list(state: &CoreState, user: &UserId) -> Result<Vec<Consent>, ApiError> {
    let mut apps = BTreeMap::new();
    for ConsentRow { client, scope, given_at } in state.store.consents(user).await? {
        apps.insert(client, AppAccess { scopes: Scopes::parse(&scope), agreed: true, given_at });
    }
    for grant in state.store.live_grants(user, state.now()).await? {
        // Its grant becomes a session, which the list of devices shows.
        if grant.client == TERMINAL_CLIENT {
            continue;
        }
        let scopes = read_details(&grant.details)?.consent_scopes();
        let first = AppAccess { scopes: Scopes::default(), agreed: false, given_at: grant.created_at };
        let app = apps.entry(grant.client).or_insert(first);
        app.scopes = app.scopes.with(&scopes);
    }
    let mut consents = Vec::new();
    for (id, AppAccess { scopes, agreed, given_at }) in apps {
        let client = oauth_client::find(state, &id).await?;
        consents.push(Consent {
            name: client.map_or_else(|| id.clone(), |client| client.name().to_owned()),
            client: id,
            allows: plain_words(&scopes).into_iter().map(str::to_owned).collect(),
            scope: scopes.to_string(),
            agreed,
            given_at: given_at.as_millis(),
        });
    }
    consents.sort_by(|a, b| (&a.name, &a.client).cmp(&(&b.name, &b.client)));
    Ok(consents)
}

/// Withdraws a consent, and revokes what the app got from this person.
///
/// # Errors
/// `not_found`: there is none. The store fails.
pub async fn withdraw(state: &SessionState, caller: &Caller, user: &UserId, client: &str) -> Result<(), ApiError> {
    let mut entry = audit::entry(state, caller, AuditEvent::ConsentWithdrawn, audit::OK);
    entry.user = Some(user.to_owned());
    client.clone_into(&mut entry.about);
    let done = state.store.withdraw_consent(user, client, &entry, state.now()).await?;
    state.recent_tokens.forget();
    if done { Ok(()) } else { Err(ApiError::new(Code::NotFound)) }
}

/// Returns the apps that have a page and that the person may open, by name.
///
/// # Errors
/// The store fails.
pub async fn tiles(state: &CoreState, user: &UserId, roles: &[String]) -> Result<Vec<AppTile>, ApiError> {
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
