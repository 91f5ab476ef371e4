//! Calls of the server's API for a signed-in person.

use crate::{Error, KeyringItem, Result, Session};
use reqwest::Method;
use serde_json::json;
use wire::account::{Notices, NoticesRead};
use wire::server_keys::{Rotation, ServerKeyKind, ServerKeys};
use wire::session::Devices;
use wire::tickets::{self, IssuedTicket};
use wire::user_keys::{self, SealedUserKey, UserKeyJwk, UserKeys};
use wire::{Code, paths};

/// The calls. Each fails if the server cannot be reached, refuses, or the session has ended.
impl Session {
    /// Returns the current session.
    pub async fn whoami(&self) -> Result<wire::session::SessionInfo> {
        self.get(paths::SESSION).await
    }

    pub async fn devices(&self) -> Result<Devices> {
        self.get(paths::SESSIONS).await
    }

    /// Ends one of this person's sessions.
    pub async fn end(&self, id: &str) -> Result<()> {
        self.delete(&below(paths::SESSIONS, id)?).await
    }

    /// Returns what is new on the account and was not dismissed on this device.
    pub async fn notices(&self) -> Result<Notices> {
        self.get(paths::NOTICES).await
    }

    /// Dismisses notices up to a time, on this device.
    pub async fn dismiss_notices(&self, until: i64) -> Result<()> {
        let body = crate::http::json(&NoticesRead { until });
        self.answer(Method::POST, paths::NOTICES_READ, Some(body)).await?.accepted().map(drop)
    }

    pub async fn user_keys(&self) -> Result<UserKeys> {
        self.get(paths::USER_KEYS).await
    }

    /// Returns a version of this person's user key; the current one by default.
    pub async fn user_key(&self, version: Option<u32>) -> Result<UserKeyJwk> {
        let sealed: SealedUserKey = self.post(paths::USER_KEYS, &user_keys::UserKeyRequest { version }).await?;
        let token = jwe::parse::<user_keys::UserKeyHeader>(&sealed.key).map_err(|_| Error::Key)?;
        if token.header().typ != user_keys::TYP {
            return Err(Error::Key);
        }
        let secret = self.keys().receiving().agree(token.epk()).map_err(|_| Error::Key)?;
        let plaintext = token.open(&secret).map_err(|_| Error::Key)?;
        serde_json::from_slice(&plaintext).map_err(|_| Error::Key)
    }

    /// Makes a new version; the previous one remains valid for the overlap. Returns all versions.
    pub async fn rotate_user_key(&self) -> Result<UserKeys> {
        self.post(paths::ROTATE_USER_KEY, &json!({})).await
    }

    /// Ends a version at once.
    pub async fn revoke_user_key(&self, version: u32) -> Result<()> {
        self.delete(&below(paths::USER_KEYS, &version.to_string())?).await
    }

    /// Requests a ticket for a service, with a version of the user key.
    pub async fn ticket(&self, service: &str, version: Option<u32>) -> Result<IssuedTicket> {
        self.post(paths::TICKETS, &tickets::TicketRequest { service: service.to_owned(), version }).await
    }

    /// Like [`Self::ticket`], with the portal's time in unix seconds, if it sends that.
    pub(crate) async fn ticket_and_time(&self, service: &str) -> Result<(IssuedTicket, Option<u64>)> {
        let request = tickets::TicketRequest { service: service.to_owned(), version: None };
        let answer = self.answer(Method::POST, paths::TICKETS, Some(crate::http::json(&request))).await?;
        let date = answer.date();
        Ok((answer.read()?, date))
    }

    /// Lists the server's keys, for administrators.
    pub async fn server_keys(&self) -> Result<ServerKeys> {
        self.get(paths::SERVER_KEYS).await
    }

    /// Rotates a server key, for administrators.
    pub async fn rotate_server_key(&self, kind: ServerKeyKind) -> Result<()> {
        let rotation = Rotation { kind, at: None };
        let body = crate::http::json(&rotation);
        self.answer(Method::POST, paths::ROTATE_SERVER_KEY, Some(body)).await?.accepted().map(drop)
    }

    /// Signs out at the server and deletes the session here, also if it has ended already. Returns what could not be
    /// removed from the keyring.
    pub async fn logout(&self) -> Result<Option<KeyringItem>> {
        self.sign_out().await?;
        self.storage().forget(self.http().server()).await
    }

    /// Signs out at the server only.
    pub async fn sign_out(&self) -> Result<()> {
        match self.answer(Method::POST, paths::LOGOUT, Some("{}".to_owned())).await {
            Ok(answer) => answer.accepted().map(drop),
            Err(Error::SessionEnded(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Whether this error means that a key version has ended and another must be requested.
pub(crate) fn is_over(error: &Error) -> bool {
    error.code() == Some(Code::KeyEnded)
}

/// Appends an id to a path. Refuses characters that a server's id never has, because they could form another path.
fn below(path: &str, id: &str) -> Result<String> {
    let plain = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if plain { Ok(format!("{path}/{id}")) } else { Err(Error::NoSuch(id.to_owned())) }
}
