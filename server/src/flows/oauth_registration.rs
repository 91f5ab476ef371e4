//! Clients that register, change and remove themselves (RFC 7591, RFC 7592).

use super::oauth_token::TokenError;
use crate::api_error::ApiError;
use crate::audit;
use crate::client::Client as Caller;
use crate::config::client_usable;
use crate::oauth::clients;
use crate::state::CoreState;
use domain::encoding::{base64url, sha256};
use oidc::client::{InvalidClient, secret_hash};
use oidc::error::{ErrorCode, OAuthError};
use oidc::registration::{self, AuthMethod, Metadata};
use oidc::{Client, ClientSource};
use serde_json::{Map, Value};
use std::sync::Arc;
use store::audit::{AuditEntry, AuditEvent};
use store::oauth::StoredClient;
use store::oauth_registrations::RegisterClient;
use wire::paths;

/// A registered client that has proved itself with its management token.
#[derive(Debug)]
pub struct Managed {
    pub row: StoredClient,
    pub client: Client,
}

/// Registers a client. `token`: the initial access token.
///
/// # Errors
/// The client's error, or the store fails.
pub async fn register(
    state: Arc<CoreState>,
    caller: Caller,
    token: String,
    metadata: Map<String, Value>,
) -> Result<Map<String, Value>, TokenError> {
    let now = state.now();
    let id = state.ulid().to_lowercase();
    let wish = registration::read(&id, &metadata, AuthMethod::SecretBasic).map_err(refused)?;
    let secret = wish.method.uses_secret().then(|| state.entropy.secret());
    let management = state.entropy.secret();
    let secrets: Vec<_> = secret.iter().map(|secret| secret_hash(secret)).collect();
    let client = checked(&state, wish, &secrets)?;
    let row = StoredClient {
        id: id.clone(),
        registration: serde_json::to_string(&client.settings).map_err(ApiError::broken)?,
        secrets,
        source: client.source.as_str().to_owned(),
        management_hash: Some(hash(&management)),
        expires_at: Some(now + state.config.settings.oauth.registration_lifetime.ms()),
        created_at: now,
        changed_at: now,
    };
    let mut entry = audit::entry(&state, &caller, AuditEvent::ClientAdded, audit::OK);
    entry.about = format!("{id} ({})", client.name());
    let most = state.config.settings.oauth.max_registered;
    let registration = RegisterClient { client: row.clone(), token_hash: hash(&token), most, audit: entry, now };
    if !state.store.register_client(&registration).await? {
        let text = "the initial access token is unknown, used up or expired, or no more clients may register";
        return Err(OAuthError::new(ErrorCode::InvalidToken, text).into());
    }
    state.clients.reload_or_log(&*state.store).await;
    Ok(described(&state, &row, &client, secret, &management))
}

/// Finds the client that a management token is for. `None`: the token is not its own.
///
/// # Errors
/// The store fails.
pub async fn find(state: &CoreState, id: &str, token: &str) -> Result<Option<Managed>, ApiError> {
    let Some(row) = state.store.registered_client(id, &hash(token), state.now()).await? else { return Ok(None) };
    Ok(clients::read(&row).ok().map(|client| Managed { row, client }))
}

/// Describes a registered client to itself.
pub fn shown(state: &CoreState, managed: &Managed, token: &str) -> Map<String, Value> {
    described(state, &managed.row, &managed.client, None, token)
}

/// Replaces the metadata of a registered client. What an administrator has set stays, and no scope is added.
///
/// # Errors
/// The client's error, or the store fails.
pub async fn change(
    state: Arc<CoreState>,
    caller: Caller,
    managed: Managed,
    token: String,
    metadata: Map<String, Value>,
) -> Result<Map<String, Value>, TokenError> {
    let Managed { row: before, client: old } = managed;
    if metadata.get("client_id").and_then(Value::as_str) != Some(before.id.as_str()) {
        let text = "client_id is not the id of this client";
        return Err(OAuthError::new(ErrorCode::InvalidClientMetadata, text).into());
    }
    let mut wish = registration::read(&before.id, &metadata, AuthMethod::SecretBasic).map_err(refused)?;
    wish.settings = registration::replaced(&old.settings, wish.settings).map_err(refused)?;
    let needs = wish.method.uses_secret();
    let secret = (needs && before.secrets.is_empty()).then(|| state.entropy.secret());
    let secrets = match &secret {
        Some(secret) => vec![secret_hash(secret)],
        None if needs => before.secrets.clone(),
        None => Vec::new(),
    };
    let client = checked(&state, wish, &secrets)?;
    let registration = serde_json::to_string(&client.settings).map_err(ApiError::broken)?;
    let after = StoredClient { registration, secrets, changed_at: state.now(), ..before.clone() };
    let mut entry = audit::entry(&state, &caller, AuditEvent::ClientChanged, audit::OK);
    entry.about.clone_from(&before.id);
    // People agreed to another app.
    let ask_again = !old.is_same_app(&client);
    if !state.store.change_client(&before, &after, ask_again, &entry).await? {
        return Err(ApiError::wait(wire::problem::Code::Busy, 1000).into());
    }
    state.clients.reload_or_log(&*state.store).await;
    Ok(described(&state, &after, &client, secret, &token))
}

/// Removes a registered client, and ends what it got.
///
/// # Errors
/// The store fails.
pub async fn remove(state: Arc<CoreState>, caller: Caller, managed: Managed) -> Result<(), ApiError> {
    let mut entry = audit::entry(&state, &caller, AuditEvent::ClientRemoved, audit::OK);
    entry.about.clone_from(&managed.row.id);
    state.store.remove_client(&managed.row.id, &entry, state.now()).await?;
    state.clients.reload_or_log(&*state.store).await;
    Ok(())
}

/// Removes the clients whose registration has expired, with what they got.
///
/// # Errors
/// The store fails.
pub async fn remove_expired(state: &CoreState) -> store::Result<()> {
    let now = state.now();
    let rows = state.store.clients().await?;
    for row in rows.iter().filter(|row| row.expires_at.is_some_and(|end| end <= now)) {
        let entry = AuditEntry {
            outcome: "expired".to_owned(),
            address: "-".to_owned(),
            about: row.id.clone(),
            ..AuditEntry::new(state.ulid(), now, AuditEvent::ClientRemoved)
        };
        state.store.remove_client(&row.id, &entry, now).await?;
    }
    Ok(())
}

fn hash(token: &str) -> String {
    base64url(&sha256(token.as_bytes()))
}

fn checked(state: &CoreState, wish: Metadata, secrets: &[String]) -> Result<Client, TokenError> {
    let client = Client::new(wish.settings, secrets, ClientSource::Registered).map_err(refused)?;
    client.check_name(&state.config.settings.site.name).map_err(refused)?;
    let signing = state.config.settings.keys.signing_algorithm.as_str();
    client_usable(&client, signing, &[&state.config.origin], state.config.has_passkeys())
        .map_err(|(setting, problem)| refused(InvalidClient { setting, problem }))?;
    Ok(client)
}

/// Converts an invalid setting into the error of RFC 7591, section 3.2.2.
fn refused(invalid: InvalidClient) -> TokenError {
    let code = match invalid.setting {
        "redirect_uris" => ErrorCode::InvalidRedirectUri,
        _ => ErrorCode::InvalidClientMetadata,
    };
    OAuthError::new(code, invalid.to_string()).into()
}

fn described(
    state: &CoreState,
    row: &StoredClient,
    client: &Client,
    secret: Option<String>,
    management: &str,
) -> Map<String, Value> {
    let mut members = registration::metadata(client, row.created_at);
    let mut add = |name: &str, value: Value| members.insert(name.to_owned(), value);
    add("registration_access_token", management.into());
    add("registration_client_uri", format!("{}{}/{}", state.config.origin, paths::OAUTH_REGISTER, row.id).into());
    if client.uses_secret() {
        add("client_secret_expires_at", row.expires_at.map_or(0, |end| end.to_seconds().as_seconds()).into());
    }
    if let Some(secret) = secret {
        add("client_secret", secret.into());
    }
    members
}
