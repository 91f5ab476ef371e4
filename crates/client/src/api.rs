//! What a signed-in person can ask of the server, by the names that its pages use.

use crate::{Error, Left, Result, Session};
use reqwest::Method;
use serde_json::json;
use wire::server_keys::{Kind, Rotation, ServerKeys};
use wire::session::Devices;
use wire::tickets::{self, Issued};
use wire::user_keys::{self, Content, SealedUserKey, UserKeys};
use wire::{Code, paths};

/// All of these fail when the server cannot be reached, refuses, or the session has ended.
impl Session {
    /// Who am I.
    pub async fn whoami(&self) -> Result<wire::session::Session> {
        self.get(paths::SESSION).await
    }

    pub async fn devices(&self) -> Result<Devices> {
        self.get(paths::SESSIONS).await
    }

    /// Ends one of this person's sessions.
    pub async fn end(&self, id: &str) -> Result<()> {
        self.delete(&below(paths::SESSIONS, id)?).await
    }

    pub async fn user_keys(&self) -> Result<UserKeys> {
        self.get(paths::USER_KEYS).await
    }

    /// A version of this person's key; the current one where none is named.
    pub async fn user_key(&self, version: Option<u32>) -> Result<Content> {
        let sealed: SealedUserKey = self.post(paths::USER_KEYS, &user_keys::Wish { version }).await?;
        let token = jwe::parse::<user_keys::Header>(&sealed.key).map_err(|_| Error::Key)?;
        if token.header().typ != user_keys::TYP {
            return Err(Error::Key);
        }
        let secret = self.keys().receiving().agree(token.epk()).map_err(|_| Error::Key)?;
        let plaintext = token.open(&secret).map_err(|_| Error::Key)?;
        serde_json::from_slice(&plaintext).map_err(|_| Error::Key)
    }

    /// Makes a new version; the one before serves on for a while. All versions after that.
    pub async fn rotate_user_key(&self) -> Result<UserKeys> {
        self.post(paths::ROTATE_USER_KEY, &json!({})).await
    }

    /// Ends a version at once.
    pub async fn revoke_user_key(&self, version: u32) -> Result<()> {
        self.delete(&below(paths::USER_KEYS, &version.to_string())?).await
    }

    /// A ticket for a service, with a version of this person's key inside.
    pub async fn ticket(&self, service: &str, version: Option<u32>) -> Result<Issued> {
        self.post(paths::TICKETS, &tickets::Wish { service: service.to_owned(), version }).await
    }

    /// As [`Self::ticket`], and what time it was at the portal then: unix seconds, where it says so.
    pub(crate) async fn ticket_and_time(&self, service: &str) -> Result<(Issued, Option<u64>)> {
        let wish = tickets::Wish { service: service.to_owned(), version: None };
        let answer = self.answer(Method::POST, paths::TICKETS, Some(crate::http::json(&wish))).await?;
        let date = answer.date();
        Ok((answer.read()?, date))
    }

    /// For administrators.
    pub async fn server_keys(&self) -> Result<ServerKeys> {
        self.get(paths::SERVER_KEYS).await
    }

    /// For administrators.
    pub async fn rotate_server_key(&self, kind: Kind) -> Result<()> {
        let rotation = Rotation { kind, at: None };
        let body = crate::http::json(&rotation);
        self.answer(Method::POST, paths::ROTATE_SERVER_KEY, Some(body)).await?.accepted().map(drop)
    }

    /// Signs out: the server forgets the session, then this machine does. A session that has ended already
    /// is forgotten all the same. Gives what could not be removed from the keyring.
    pub async fn logout(&self) -> Result<Option<Left>> {
        self.sign_out().await?;
        self.storage().forget(self.http().server()).await
    }

    /// Signs out at the server alone.
    pub async fn sign_out(&self) -> Result<()> {
        match self.answer(Method::POST, paths::LOGOUT, Some("{}".to_owned())).await {
            Ok(answer) => answer.accepted().map(drop),
            Err(Error::SessionEnded(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Whether a version has ended, so that another is to be asked for.
pub fn is_over(error: &Error) -> bool {
    error.code() == Some(Code::KeyEnded)
}

/// The path of one thing. An id of the server's has only these characters; another one could be another path.
fn below(path: &str, id: &str) -> Result<String> {
    let plain = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if plain { Ok(format!("{path}/{id}")) } else { Err(Error::NoSuch(id.to_owned())) }
}
