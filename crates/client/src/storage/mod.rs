//! Where sessions are kept: each in the keyring or in a file, never in both.
//!
//! The folder holds for each server a file that only its owner can read. It says where the session is; where
//! there is no keyring, it holds the session as well.

mod file;
mod keyring;
mod lock;

use crate::{Error, Profile, Result, Server};
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

pub use lock::Lock;

/// Which place a person wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// The keyring if one answers, else a file.
    Auto,
    Keyring,
    File,
}

/// Where a session is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Keyring,
    File(PathBuf),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "storage", rename_all = "snake_case")]
enum Kept {
    Keyring { origin: String },
    File { profile: Profile },
}

#[derive(Debug, Serialize, Deserialize)]
struct Defaults {
    server: String,
}

#[derive(Debug, Clone)]
pub struct Storage {
    folder: PathBuf,
}

impl Storage {
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The server of the last login.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn server(&self) -> Result<Option<Server>> {
        let path = self.folder.join("default.json");
        let Some(text) = file::read(&path)? else { return Ok(None) };
        let defaults: Defaults = serde_json::from_slice(&text).map_err(|_| Error::Unreadable(path))?;
        Server::parse(&defaults.server).map(Some)
    }

    /// What is kept of a session at `server`.
    ///
    /// # Errors
    /// The file or the keyring cannot be read, or others can read the file.
    pub async fn load(&self, server: &Server) -> Result<Option<Profile>> {
        match self.kept(server)? {
            Some(Kept::File { profile }) => Ok(Some(profile)),
            Some(Kept::Keyring { .. }) => keyring::get(server).await,
            None => Ok(None),
        }
    }

    pub fn place(&self, server: &Server) -> Result<Option<Place>> {
        Ok(self.kept(server)?.map(|kept| match kept {
            Kept::File { .. } => Place::File(self.path(server)),
            Kept::Keyring { .. } => Place::Keyring,
        }))
    }

    /// Keeps a new session, in place of one that was kept, and makes its server the default.
    ///
    /// # Errors
    /// It cannot be written; the keyring was asked for and does not answer.
    pub async fn keep(&self, server: &Server, profile: &Profile, choice: Choice) -> Result<Place> {
        let _alone = self.lock(server).await?;
        let in_keyring = match choice {
            Choice::File => false,
            Choice::Keyring => keyring::set(server, profile).await.map(|()| true)?,
            Choice::Auto => keyring::set(server, profile).await.is_ok(),
        };
        if !in_keyring && matches!(self.kept(server), Ok(Some(Kept::Keyring { .. }))) {
            keyring::delete(server).await?;
        }
        let kept = if in_keyring {
            Kept::Keyring { origin: server.origin() }
        } else {
            Kept::File { profile: profile.clone() }
        };
        self.write(server, &kept)?;
        file::write(&self.folder.join("default.json"), &Defaults { server: server.origin() })?;
        Ok(if in_keyring { Place::Keyring } else { Place::File(self.path(server)) })
    }

    /// Keeps new tokens of a session where it is kept. The caller holds the lock.
    pub(crate) async fn update(&self, server: &Server, profile: &Profile) -> Result<()> {
        match self.kept(server)? {
            Some(Kept::Keyring { .. }) => keyring::set(server, profile).await,
            _ => self.write(server, &Kept::File { profile: profile.clone() }),
        }
    }

    /// Forgets the session.
    ///
    /// # Errors
    /// It cannot be removed.
    pub async fn forget(&self, server: &Server) -> Result<()> {
        let _alone = self.lock(server).await?;
        if matches!(self.kept(server), Ok(Some(Kept::Keyring { .. }))) {
            keyring::delete(server).await?;
        }
        let path = self.path(server);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::File(path, error)),
            _ => Ok(()),
        }
    }

    /// Waits until no other process of this person changes the session.
    ///
    /// # Errors
    /// The lock's file cannot be used.
    pub async fn lock(&self, server: &Server) -> Result<Lock> {
        file::make_folder(&self.folder)?;
        lock::hold(self.path(server).with_extension("lock")).await
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn kept(&self, server: &Server) -> Result<Option<Kept>> {
        let path = self.path(server);
        let Some(text) = file::read(&path)? else { return Ok(None) };
        let kept: Kept = serde_json::from_slice(&text).map_err(|_| Error::Unreadable(path.clone()))?;
        let (Kept::Keyring { origin } | Kept::File { profile: Profile { origin, .. } }) = &kept;
        // Two origins with one file name: neither gets the other's tokens.
        if *origin == server.origin() { Ok(Some(kept)) } else { Err(Error::Unreadable(path)) }
    }

    fn write(&self, server: &Server, kept: &Kept) -> Result<()> {
        file::write(&self.path(server), kept)
    }

    fn path(&self, server: &Server) -> PathBuf {
        self.folder.join(format!("{}.json", server.file_name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn server() -> Server {
        Server::parse("https://auth.example").unwrap()
    }

    fn profile(token: &str) -> Profile {
        let member = |name: &str| (name.to_owned(), json!(token));
        let names = ["username", "session", "access_token", "refresh_token", "signing_key", "receiving_key"];
        let mut profile: serde_json::Map<_, _> = names.into_iter().map(member).collect();
        profile.insert("origin".to_owned(), json!("https://auth.example"));
        serde_json::from_value(profile.into()).unwrap()
    }

    #[tokio::test]
    async fn a_session_is_kept_changed_and_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let storage = Storage::new(folder.path().join("new"));
        assert!(storage.load(&server()).await.unwrap().is_none());
        let place = storage.keep(&server(), &profile("one"), Choice::File).await.unwrap();
        assert_eq!(place, Place::File(folder.path().join("new/https_auth.example.json")));
        storage.update(&server(), &profile("two")).await.unwrap();
        assert_eq!(storage.load(&server()).await.unwrap().unwrap().access_token(), "two");
        assert_eq!(storage.server().unwrap().unwrap(), server());
        storage.forget(&server()).await.unwrap();
        storage.forget(&server()).await.unwrap();
        assert!(storage.load(&server()).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_broken_file_and_that_of_another_server_are_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let storage = Storage::new(folder.path());
        storage.keep(&server(), &profile("one"), Choice::File).await.unwrap();
        let (path, whole) = (storage.path(&server()), file::read(&storage.path(&server())).unwrap().unwrap());
        let other = String::from_utf8(whole.to_vec()).unwrap().replace("auth.example", "evil.example");
        for text in ["", "{}", &other] {
            std::fs::write(&path, text).unwrap();
            assert!(matches!(storage.load(&server()).await, Err(Error::Unreadable(_))), "{text}");
        }
    }

    #[tokio::test]
    async fn one_waits_for_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let storage = Storage::new(folder.path());
        let first = storage.lock(&server()).await.unwrap();
        let second = tokio::spawn({
            let storage = storage.clone();
            async move { storage.lock(&server()).await.map(drop) }
        });
        tokio::task::yield_now().await;
        let file = std::fs::File::open(storage.path(&server()).with_extension("lock")).unwrap();
        assert!(file.try_lock().is_err(), "held");
        drop(first);
        second.await.unwrap().unwrap();
    }
}
