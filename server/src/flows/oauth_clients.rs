//! Clients that operators add, change, disable and remove.

use super::actor::Actor;
use crate::config::{Config, client_usable};
use crate::oauth::clients;
use domain::UnixMs;
use oidc::client::{InvalidClient, secret_hash};
use oidc::document::is_document_id;
use oidc::preset::Preset;
use oidc::registration::{blank, changed};
use oidc::{Client, ClientSettings, ClientSource};
use serde_json::{Map, Value};
use store::audit::AuditEvent;
use store::oauth::StoredClient;
use store::oauth_registrations::StoredDocument;
use wire::clients::ClientSecret;

/// Maximum number of clients that administrators have added.
const MOST: usize = 1000;

/// The reason why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error(transparent)]
    Invalid(#[from] InvalidClient),
    #[error("{0}: {1}")]
    Unusable(&'static str, String),
    #[error("a client with this id exists")]
    Taken,
    #[error("the database has the maximum number of clients")]
    Full,
    #[error("no client of the database has this id; those of postern.toml are changed there")]
    NotFound,
    #[error("a public client has no secret, and one with keys needs none")]
    Public,
    #[error("the client was changed at the same time: try again")]
    Changed,
    #[error("a client that is a document can only be disabled, enabled and removed: the rest is in the document")]
    Document,
    #[error("the stored client cannot be read: {0}")]
    Unreadable(String),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Parses a request for a new client: its settings by name, `public` and `preset`.
///
/// # Errors
/// Names the setting that is invalid.
pub fn parse_new(mut members: Map<String, Value>) -> Result<(ClientSettings, bool), ClientError> {
    let invalid = |setting, problem: &str| InvalidClient { setting, problem: problem.to_owned() };
    let id = match members.remove("id") {
        Some(Value::String(id)) => id.trim().to_owned(),
        _ => return Err(invalid("id", "is missing").into()),
    };
    let public = match members.remove("public") {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::Bool(true)) => true,
        Some(_) => return Err(invalid("public", "is not true or false").into()),
    };
    let preset = match members.remove("preset") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) if name.is_empty() => None,
        Some(name) => {
            let preset = name.as_str().and_then(Preset::parse);
            Some(preset.ok_or_else(|| invalid("preset", "is not a known app"))?)
        }
    };
    let mut settings = changed(&blank(&id)?, &members)?;
    if let Some(preset) = preset {
        preset.apply(&mut settings)?;
    }
    Ok((settings, public))
}

/// Adds a client. Returns its secret, unless it is public or has keys.
///
/// # Errors
/// The registration is invalid, or the id is taken.
pub async fn add(
    actor: &Actor<'_>,
    settings: ClientSettings,
    public: bool,
) -> Result<(Client, ClientSecret), ClientError> {
    let secret = (!public && !settings.has_keys()).then(|| actor.entropy.secret());
    let secrets: Vec<_> = secret.iter().map(|secret| secret_hash(secret)).collect();
    let client = checked(actor, settings, &secrets, ClientSource::Administrator)?;
    if actor.config.clients.iter().any(|own| own.id() == client.id()) {
        return Err(ClientError::Taken);
    }
    let own = |row: &&StoredClient| row.source == ClientSource::Administrator.as_str();
    if actor.store.clients().await?.iter().filter(own).count() >= MOST {
        return Err(ClientError::Full);
    }
    let row = StoredClient {
        id: client.id().to_owned(),
        registration: serde_json::to_string(&client.settings)?,
        secrets,
        source: client.source.as_str().to_owned(),
        management_hash: None,
        expires_at: None,
        created_at: actor.now,
        changed_at: actor.now,
    };
    let audit = actor.entry(AuditEvent::ClientAdded, client.id());
    if !actor.store.add_client(&row, &audit).await? {
        return Err(ClientError::Taken);
    }
    let shown = secret_of(actor, client.id(), secret);
    Ok((client, shown))
}

fn secret_of(actor: &Actor<'_>, id: &str, client_secret: Option<String>) -> ClientSecret {
    ClientSecret { issuer: actor.config.origin.clone(), client_id: id.to_owned(), client_secret }
}

/// Validates a registration for this site.
fn checked(
    actor: &Actor<'_>,
    settings: ClientSettings,
    secrets: &[String],
    source: ClientSource,
) -> Result<Client, ClientError> {
    let client = Client::new(settings, secrets, source)?;
    // A client that cannot be used here can still be disabled.
    if !client.settings.disabled {
        client.check_name(&actor.config.settings.site.name)?;
        usable(actor.config, &client).map_err(|(setting, problem)| ClientError::Unusable(setting, problem))?;
    }
    Ok(client)
}

fn usable(config: &Config, client: &Client) -> Result<(), (&'static str, String)> {
    let signing = config.settings.keys.signing_algorithm.as_str();
    client_usable(client, signing, &[&config.origin], config.has_passkeys())
}

/// Returns the stored clients that do not work at this site, with the problem. A setting of the site may have changed
/// since they were added.
pub fn unusable(config: &Config, stored: &[StoredClient]) -> Vec<(String, String)> {
    let problem = |row: &StoredClient| match clients::read(row) {
        Ok(client) if client.settings.disabled => None,
        Ok(client) => usable(config, &client).err().map(|(setting, problem)| format!("{setting} {problem}")),
        Err(problem) => Some(problem),
    };
    stored.iter().filter_map(|row| Some((row.id.clone(), problem(row)?))).collect()
}

/// A client and the place where it is stored.
#[derive(Debug)]
pub struct Listed {
    pub id: String,
    /// `Err`: the stored registration cannot be read, with the reason.
    pub client: Result<Client, String>,
    pub stored: ClientPlace,
}

/// The place where a client is stored.
#[derive(Debug)]
pub enum ClientPlace {
    Settings,
    Database(StoredClient),
    Document(StoredDocument),
}

/// Returns all clients: those of the settings file, those of the database, and documents.
///
/// # Errors
/// The store fails.
pub async fn list(actor: &Actor<'_>) -> Result<Vec<Listed>, ClientError> {
    let of_settings = |client: &Client| Listed {
        id: client.id().to_owned(),
        client: Ok(client.clone()),
        stored: ClientPlace::Settings,
    };
    let mut all: Vec<_> = actor.config.clients.iter().map(of_settings).collect();
    for row in actor.store.clients().await? {
        if !all.iter().any(|own| own.id == row.id) {
            all.push(Listed { id: row.id.clone(), client: clients::read(&row), stored: ClientPlace::Database(row) });
        }
    }
    if actor.config.settings.oauth.client_documents {
        for row in actor.store.documents(actor.now).await? {
            let client = clients::read_document(&row);
            all.push(Listed { id: row.id.clone(), client, stored: ClientPlace::Document(row) });
        }
    }
    Ok(all)
}

/// Returns a client as administrators see it.
///
/// # Errors
/// Never: a registration is JSON.
pub fn shown(listed: &Listed) -> Result<wire::clients::Client, ClientError> {
    let (row, document) = match &listed.stored {
        ClientPlace::Settings => (None, None),
        ClientPlace::Database(row) => (Some(row), None),
        ClientPlace::Document(document) => (None, Some(document)),
    };
    let client = listed.client.as_ref().ok();
    let mut registration = match client.map(|client| serde_json::to_value(&client.settings)).transpose()? {
        Some(Value::Object(members)) => members,
        _ => Map::new(),
    };
    // The path and hash of a secret are of use only to the operator, who has the file.
    registration.retain(|name, _| !name.starts_with("secret_"));
    let source = match &listed.stored {
        ClientPlace::Settings => ClientSource::Settings.as_str(),
        ClientPlace::Database(row) => &row.source,
        ClientPlace::Document(_) => ClientSource::Document.as_str(),
    };
    Ok(wire::clients::Client {
        id: listed.id.clone(),
        name: client.map_or(listed.id.as_str(), Client::name).to_owned(),
        source: source.to_owned(),
        public: client.is_some_and(Client::is_public),
        disabled: client.is_some_and(|client| client.settings.disabled),
        secrets: client.map_or(0, Client::secret_count),
        created_at: row.map(|row| row.created_at.as_millis()),
        changed_at: row
            .map(|row| row.changed_at)
            .or(document.map(|document| document.fetched_at))
            .map(UnixMs::as_millis),
        expires_at: row
            .map_or(document.map(|document| document.expires_at), |row| row.expires_at)
            .map(UnixMs::as_millis),
        registration,
        problem: listed.client.as_ref().err().cloned(),
    })
}

/// Returns the client with this id.
///
/// # Errors
/// As [`list`], or no client has the id.
pub async fn find(actor: &Actor<'_>, id: &str) -> Result<Listed, ClientError> {
    list(actor).await?.into_iter().find(|listed| listed.id == id).ok_or(ClientError::NotFound)
}

/// Changes settings by name. A document is only disabled and enabled.
///
/// # Errors
/// The result is invalid, or the client is in the settings file, does not exist, or was changed at the same time.
pub async fn change(actor: &Actor<'_>, id: &str, changes: &Map<String, Value>) -> Result<Client, ClientError> {
    let found = match find(actor, id).await {
        Err(ClientError::NotFound) if actor.config.settings.oauth.client_documents && is_document_id(id) => {
            return forbid(actor, id, changes).await;
        }
        found => found?,
    };
    let mut client = found.client.map_err(ClientError::Unreadable)?;
    let settings = changed(&client.settings, changes)?;
    match found.stored {
        ClientPlace::Settings => Err(ClientError::NotFound),
        ClientPlace::Database(before) => {
            let client = checked(actor, settings, &before.secrets, client.source)?;
            let registration = serde_json::to_string(&client.settings)?;
            replace(actor, &before, StoredClient { registration, ..before.clone() }).await?;
            Ok(client)
        }
        ClientPlace::Document(_) => {
            let disabled = settings.disabled;
            if settings != (ClientSettings { disabled, ..client.settings.clone() }) {
                return Err(ClientError::Document);
            }
            let audit = actor.entry(AuditEvent::ClientChanged, client.label());
            let disabled_at = disabled.then_some(actor.now);
            let found = actor.store.disable_document(id, disabled_at, &audit).await?;
            client.settings.disabled = disabled;
            if found { Ok(client) } else { Err(ClientError::NotFound) }
        }
    }
}

/// Disables a document that is not stored, so that its link is refused from the first time on.
async fn forbid(actor: &Actor<'_>, id: &str, changes: &Map<String, Value>) -> Result<Client, ClientError> {
    let blank = blank(id)?;
    let settings = changed(&blank, changes)?;
    if settings == blank {
        return Err(ClientError::NotFound);
    }
    if settings != (ClientSettings { disabled: true, ..blank }) {
        return Err(ClientError::Document);
    }
    let document = StoredDocument {
        id: id.to_owned(),
        registration: serde_json::to_string(&settings)?,
        fetched_at: actor.now,
        // Enabled again, it is as if it was never stored.
        expires_at: actor.now,
        disabled_at: Some(actor.now),
    };
    let client = Client::new(settings, &[], ClientSource::Document)?;
    let audit = actor.entry(AuditEvent::ClientChanged, client.label());
    actor.store.forbid_document(&document, &audit).await?;
    Ok(client)
}

/// Makes a new secret. With `keep`, the newest old one stays valid until the next rotation.
///
/// # Errors
/// The client has no secret, does not exist, or was changed at the same time.
pub async fn rotate(actor: &Actor<'_>, id: &str, keep: bool) -> Result<ClientSecret, ClientError> {
    let found = find(actor, id).await?;
    let client = found.client.map_err(ClientError::Unreadable)?;
    let ClientPlace::Database(before) = found.stored else { return Err(ClientError::NotFound) };
    if !client.uses_secret() {
        return Err(ClientError::Public);
    }
    let secret = actor.entropy.secret();
    let old = before.secrets.last().filter(|_| keep).cloned();
    let secrets = old.into_iter().chain([secret_hash(&secret)]).collect();
    replace(actor, &before, StoredClient { secrets, ..before.clone() }).await?;
    Ok(secret_of(actor, id, Some(secret)))
}

async fn replace(actor: &Actor<'_>, before: &StoredClient, after: StoredClient) -> Result<(), ClientError> {
    let after = StoredClient { changed_at: actor.now, ..after };
    let audit = actor.entry(AuditEvent::ClientChanged, &before.id);
    if actor.store.change_client(before, &after, false, &audit).await? { Ok(()) } else { Err(ClientError::Changed) }
}

/// Removes a client and revokes its grants. `false`: no client has this id. A document is fetched again when somebody opens its
/// link.
///
/// # Errors
/// The store fails.
pub async fn remove(actor: &Actor<'_>, id: &str) -> Result<bool, ClientError> {
    let audit = actor.entry(AuditEvent::ClientRemoved, id);
    Ok(if is_document_id(id) {
        actor.store.remove_document(id, &audit, actor.now).await?
    } else {
        actor.store.remove_client(id, &audit, actor.now).await?
    })
}
