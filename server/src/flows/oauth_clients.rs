//! Clients that operators add, change and remove.

use super::actor::Actor;
use crate::config::client_usable;
use crate::oauth::clients;
use oidc::client::{InvalidClient, secret_hash};
use oidc::{Client, ClientSettings};
use store::audit::AuditEvent;
use store::oauth::StoredClient;

/// The reason why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error(transparent)]
    Invalid(#[from] InvalidClient),
    #[error("{0}: {1}")]
    Unusable(&'static str, String),
    #[error("a client with this id exists")]
    Taken,
    #[error("no client of the database has this id; those of postern.toml are changed there")]
    NotFound,
    #[error("a public client has no secret")]
    Public,
    #[error("the client was changed at the same time: try again")]
    Changed,
    #[error("the stored client cannot be read: {0}")]
    Unreadable(String),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Adds a client. Returns its secret, unless it is public or has keys.
///
/// # Errors
/// The registration is invalid, or the id is taken.
pub async fn add(
    actor: &Actor<'_>,
    settings: ClientSettings,
    public: bool,
) -> Result<(Client, Option<String>), ClientError> {
    let secret = (!public && settings.jwks.is_none()).then(|| actor.entropy.secret());
    let secrets: Vec<_> = secret.iter().map(|secret| secret_hash(secret)).collect();
    let client = Client::new(settings, &secrets, false)?;
    let signing = actor.config.settings.keys.signing_algorithm.as_str();
    client_usable(&client, signing, &[&actor.config.origin])
        .map_err(|(setting, problem)| ClientError::Unusable(setting, problem))?;
    if actor.config.clients.iter().any(|own| own.id() == client.id()) {
        return Err(ClientError::Taken);
    }
    let row = StoredClient {
        id: client.id().to_owned(),
        registration: serde_json::to_string(&client.settings)?,
        secrets,
        created_at: actor.now,
        changed_at: actor.now,
    };
    let audit = actor.entry(AuditEvent::ClientAdded, client.id());
    if actor.store.add_client(&row, &audit).await? { Ok((client, secret)) } else { Err(ClientError::Taken) }
}

/// Returns all clients: those of the settings file, then those of the database.
///
/// # Errors
/// A row cannot be read, or the store fails.
pub async fn list(actor: &Actor<'_>) -> Result<Vec<Client>, ClientError> {
    let mut all = actor.config.clients.to_vec();
    for row in actor.store.clients().await? {
        let client = clients::read(&row).map_err(ClientError::Unreadable)?;
        if !all.iter().any(|own| own.id() == client.id()) {
            all.push(client);
        }
    }
    Ok(all)
}

/// Returns the client with this id.
///
/// # Errors
/// As [`list`], or no client has the id.
pub async fn find(actor: &Actor<'_>, id: &str) -> Result<Client, ClientError> {
    list(actor).await?.into_iter().find(|client| client.id() == id).ok_or(ClientError::NotFound)
}

/// Makes a new secret. With `keep`, the newest old one stays valid until the next rotation.
///
/// # Errors
/// The client is public, does not exist, or was changed at the same time.
pub async fn rotate(actor: &Actor<'_>, id: &str, keep: bool) -> Result<String, ClientError> {
    let rows = actor.store.clients().await?;
    let before = rows.into_iter().find(|row| row.id == id).ok_or(ClientError::NotFound)?;
    let client = clients::read(&before).map_err(ClientError::Unreadable)?;
    if !client.uses_secret() {
        return Err(ClientError::Public);
    }
    let secret = actor.entropy.secret();
    let old = before.secrets.last().filter(|_| keep).cloned();
    let secrets = old.into_iter().chain([secret_hash(&secret)]).collect();
    let after = StoredClient { secrets, changed_at: actor.now, ..before.clone() };
    let audit = actor.entry(AuditEvent::ClientChanged, id);
    if actor.store.change_client(&before, &after, &audit).await? { Ok(secret) } else { Err(ClientError::Changed) }
}

/// Removes a client and ends what it got. `false`: there is none.
///
/// # Errors
/// The store fails.
pub async fn remove(actor: &Actor<'_>, id: &str) -> Result<bool, ClientError> {
    Ok(actor.store.remove_client(id, &actor.entry(AuditEvent::ClientRemoved, id), actor.now).await?)
}
