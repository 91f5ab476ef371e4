//! The actor of manual decisions: an administrator on a page, or the command line.

use crate::client::Client;
use crate::config::Config;
use crate::entropy::Entropy;
use crate::guards::administrator::Administrator;
use crate::key_encryption::KeyEncryptionKey;
use crate::keyring::Vault;
use crate::state::CoreState;
use domain::UnixMs;
use domain::client_key::ClientKey;
use domain::ids::{SessionId, UserId};
use std::fmt;
use store::Store;
use store::audit::{AuditEntry, AuditEvent};
use store::bans::ENGINE;

/// The author of a row from the command line.
pub const COMMAND_LINE: &str = "command line";

/// The context of a decision. The command line runs beside a server, so this is less than the server's state.
pub struct Actor<'a> {
    pub store: &'a dyn Store,
    pub config: &'a Config,
    pub entropy: &'a dyn Entropy,
    pub now: UnixMs,
    /// The user's id; `None`: the command line.
    user: Option<UserId>,
    session: Option<SessionId>,
    address: String,
    device: String,
    /// The client keys by which the operator could be banned.
    pub own: Vec<ClientKey>,
}

impl<'a> Actor<'a> {
    pub fn administrator(state: &'a CoreState, client: &Client, administrator: &Administrator) -> Self {
        Self {
            store: &*state.store,
            config: &state.config,
            entropy: &*state.entropy,
            now: state.now(),
            user: Some(administrator.user.id.clone()),
            session: Some(administrator.session.claims.sid.clone()),
            address: client.address.to_string(),
            device: client.device(),
            own: vec![client.client_key, client.ban_key()],
        }
    }

    pub fn command_line(store: &'a dyn Store, config: &'a Config, entropy: &'a dyn Entropy, now: UnixMs) -> Self {
        let (address, device) = ("-".to_owned(), "Command line".to_owned());
        Self { store, config, entropy, now, user: None, session: None, address, device, own: Vec::new() }
    }

    /// Returns the operator's name in rows.
    pub fn by(&self) -> String {
        self.user.as_ref().map_or(COMMAND_LINE, UserId::as_str).to_owned()
    }

    pub fn entry(&self, event: AuditEvent, about: impl fmt::Display) -> AuditEntry {
        AuditEntry {
            address: self.address.clone(),
            device: self.device.clone(),
            actor: self.user.clone(),
            actor_session: self.session.clone(),
            about: about.to_string(),
            ..AuditEntry::new(self.entropy.ulid(self.now), self.now, event)
        }
    }
}

impl Actor<'_> {
    /// Returns the means to make and read server keys.
    pub fn vault<'b>(&'b self, key: &'b KeyEncryptionKey) -> Vault<'b> {
        Vault { store: self.store, key, entropy: self.entropy, config: self.config, now: self.now }
    }

    /// Builds a row about an account.
    pub fn entry_of(&self, event: AuditEvent, user: &UserId) -> AuditEntry {
        AuditEntry { user: Some(user.to_owned()), ..self.entry(event, "") }
    }

    /// Builds a link with a code that is shown once. The code is behind `#`, which browsers do not send.
    pub fn link(&self, page: &str, code: &str) -> String {
        format!("{}{page}#code={code}", self.config.origin)
    }
}

impl fmt::Debug for Actor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operator").field("user", &self.user).finish_non_exhaustive()
    }
}

/// The names for the `made_by` of rows, each looked up once.
#[derive(Debug, Default)]
pub struct ActorNames(std::collections::HashMap<String, String>);

impl ActorNames {
    pub async fn of(&mut self, store: &dyn Store, by: &str) -> store::Result<String> {
        if by == ENGINE || by == COMMAND_LINE {
            return Ok(by.to_owned());
        }
        if let Some(name) = self.0.get(by) {
            return Ok(name.clone());
        }
        let user = store.user_by_id(&by.into()).await?.filter(|user| !user.name.is_empty());
        let name = user.map_or_else(|| "a deleted account".to_owned(), |user| user.name);
        self.0.insert(by.to_owned(), name.clone());
        Ok(name)
    }
}
