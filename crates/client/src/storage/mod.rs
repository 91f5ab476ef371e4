//! Where secrets are kept: each in the keyring or in a file, never in both.
//!
//! The folder holds for each server a file that only its owner can read, one of its session and one of what
//! was paid there. It says where the secret is; where there is no keyring, it holds the secret as well.

mod file;
mod keyring;
mod lock;
mod transactions;

use crate::{Error, Profile, Result, Server};
use serde::de::DeserializeOwned;
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

/// What is kept of a server.
pub trait Keepsake: Serialize + DeserializeOwned + Send + Sync {
    /// Keeps the kinds apart: a folder below the storage's own, and part of the keyring's name.
    const SHELF: &'static str;

    /// The server's.
    fn origin(&self) -> &str;
}

impl Keepsake for Profile {
    const SHELF: &'static str = "";

    fn origin(&self) -> &str {
        &self.origin
    }
}

/// Where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Keyring,
    File(PathBuf),
}

#[derive(Serialize)]
#[serde(tag = "storage", rename_all = "snake_case")]
enum Keeping<'a, T> {
    Keyring { origin: &'a str },
    File { content: &'a T },
}

#[derive(Deserialize)]
#[serde(tag = "storage", rename_all = "snake_case")]
enum Kept<T> {
    Keyring {
        origin: String,
    },
    File {
        #[serde(alias = "profile")]
        content: T,
    },
}

impl<T: Keepsake> Kept<T> {
    fn origin(&self) -> &str {
        match self {
            Self::Keyring { origin } => origin,
            Self::File { content } => content.origin(),
        }
    }
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
        let defaults = self.read::<Defaults>("default.json")?;
        defaults.map(|defaults| Server::parse(&defaults.server)).transpose()
    }

    /// What is kept of `server`.
    ///
    /// # Errors
    /// The file or the keyring cannot be read, or others can read the file.
    pub async fn load<T: Keepsake>(&self, server: &Server) -> Result<Option<T>> {
        match self.kept(server)? {
            Some(Kept::File { content }) => Ok(Some(content)),
            Some(Kept::Keyring { .. }) => keyring::get(server).await,
            None => Ok(None),
        }
    }

    /// Where the session is.
    pub fn place(&self, server: &Server) -> Result<Option<Place>> {
        self.place_of::<Profile>(server)
    }

    pub(crate) fn place_of<T: Keepsake>(&self, server: &Server) -> Result<Option<Place>> {
        Ok(self.kept::<T>(server)?.map(|kept| match kept {
            Kept::File { .. } => Place::File(self.path::<T>(server)),
            Kept::Keyring { .. } => Place::Keyring,
        }))
    }

    /// Keeps a new session, in place of one that was kept, and makes its server the default.
    ///
    /// # Errors
    /// It cannot be written; the keyring was asked for and does not answer.
    pub async fn keep(&self, server: &Server, profile: &Profile, choice: Choice) -> Result<Place> {
        let _alone = self.lock::<Profile>(server).await?;
        let place = self.put(server, profile, choice).await?;
        self.write_file("default.json", &Defaults { server: server.origin() })?;
        Ok(place)
    }

    /// Keeps it in place of what was kept. The caller holds the lock.
    pub(crate) async fn put<T: Keepsake>(&self, server: &Server, content: &T, choice: Choice) -> Result<Place> {
        let in_keyring = match choice {
            Choice::File => false,
            Choice::Keyring => keyring::set(server, content).await.map(|()| true)?,
            Choice::Auto => keyring::set(server, content).await.is_ok(),
        };
        if in_keyring {
            self.write::<T>(server, &Keeping::Keyring { origin: &server.origin() })?;
            return Ok(Place::Keyring);
        }
        let before = self.kept::<T>(server);
        self.write(server, &Keeping::File { content })?;
        if matches!(before, Ok(Some(Kept::Keyring { .. }))) {
            keyring::delete::<T>(server).await?;
        }
        Ok(Place::File(self.path::<T>(server)))
    }

    /// Keeps a change where it is kept. The caller holds the lock.
    pub(crate) async fn update<T: Keepsake>(&self, server: &Server, content: &T) -> Result<()> {
        match self.kept::<T>(server)? {
            Some(Kept::Keyring { .. }) => keyring::set(server, content).await,
            _ => self.write(server, &Keeping::File { content }),
        }
    }

    /// Forgets the session.
    ///
    /// # Errors
    /// It cannot be removed.
    pub async fn forget(&self, server: &Server) -> Result<()> {
        let _alone = self.lock::<Profile>(server).await?;
        if matches!(self.kept::<Profile>(server), Ok(Some(Kept::Keyring { .. }))) {
            keyring::delete::<Profile>(server).await?;
        }
        let path = self.path::<Profile>(server);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::File(path, error)),
            _ => Ok(()),
        }
    }

    /// All that is kept of one kind, whichever servers.
    ///
    /// # Errors
    /// The folder, a file or the keyring cannot be read.
    pub async fn all<T: Keepsake>(&self) -> Result<Vec<T>> {
        let mut all = Vec::new();
        for origin in self.origins::<T>()? {
            all.extend(self.load(&Server::parse(&origin)?).await?);
        }
        Ok(all)
    }

    /// Waits until no other process of this person changes it.
    ///
    /// # Errors
    /// The lock's file cannot be used.
    pub async fn lock<T: Keepsake>(&self, server: &Server) -> Result<Lock> {
        file::make_folder(&self.folder.join(T::SHELF))?;
        lock::hold(self.path::<T>(server).with_extension("lock")).await
    }

    /// As [`Self::lock`], where nobody else has it now.
    ///
    /// # Errors
    /// The lock's file cannot be used.
    pub(crate) fn try_lock<T: Keepsake>(&self, server: &Server) -> Result<Option<Lock>> {
        file::make_folder(&self.folder.join(T::SHELF))?;
        lock::try_hold(self.path::<T>(server).with_extension("lock"))
    }

    /// Waits until no other process of this person has the lock of this name.
    ///
    /// # Errors
    /// The lock's file cannot be used.
    pub(crate) async fn lock_named(&self, name: &str) -> Result<Lock> {
        file::make_folder(&self.folder)?;
        lock::hold(self.folder.join(name).with_extension("lock")).await
    }

    /// Reads a file of the folder that is of no server.
    pub(crate) fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let path = self.folder.join(name);
        let Some(text) = file::read(&path)? else { return Ok(None) };
        serde_json::from_slice(&text).map(Some).map_err(|_| Error::Unreadable(path))
    }

    pub(crate) fn write_file(&self, name: &str, content: &impl Serialize) -> Result<()> {
        file::make_folder(&self.folder)?;
        file::write(&self.folder.join(name), content)
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn kept<T: Keepsake>(&self, server: &Server) -> Result<Option<Kept<T>>> {
        let path = self.path::<T>(server);
        let Some(text) = file::read(&path)? else { return Ok(None) };
        let kept: Kept<T> = serde_json::from_slice(&text).map_err(|_| Error::Unreadable(path.clone()))?;
        // Two origins with one file name: neither gets the other's secrets.
        if kept.origin() == server.origin() { Ok(Some(kept)) } else { Err(Error::Unreadable(path)) }
    }

    fn origins<T: Keepsake>(&self) -> Result<Vec<String>> {
        let folder = self.folder.join(T::SHELF);
        let broken = |error| Error::File(folder.clone(), error);
        let entries = match std::fs::read_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(broken)?,
        };
        let mut origins = Vec::new();
        for entry in entries {
            let path = entry.map_err(broken)?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let Some(text) = file::read(&path)? else { continue };
            let kept: Kept<T> = serde_json::from_slice(&text).map_err(|_| Error::Unreadable(path))?;
            origins.push(kept.origin().to_owned());
        }
        origins.sort_unstable();
        Ok(origins)
    }

    fn write<T: Keepsake>(&self, server: &Server, kept: &Keeping<'_, T>) -> Result<()> {
        file::write(&self.path::<T>(server), kept)
    }

    fn path<T: Keepsake>(&self, server: &Server) -> PathBuf {
        self.folder.join(T::SHELF).join(format!("{}.json", server.file_name()))
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
        assert!(storage.load::<Profile>(&server()).await.unwrap().is_none());
        let place = storage.keep(&server(), &profile("one"), Choice::File).await.unwrap();
        assert_eq!(place, Place::File(folder.path().join("new/https_auth.example.json")));
        storage.update(&server(), &profile("two")).await.unwrap();
        assert_eq!(storage.load::<Profile>(&server()).await.unwrap().unwrap().access_token(), "two");
        assert_eq!(storage.server().unwrap().unwrap(), server());
        storage.forget(&server()).await.unwrap();
        storage.forget(&server()).await.unwrap();
        assert!(storage.load::<Profile>(&server()).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_broken_file_and_that_of_another_server_are_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let storage = Storage::new(folder.path());
        storage.keep(&server(), &profile("one"), Choice::File).await.unwrap();
        let (path, whole) =
            (storage.path::<Profile>(&server()), file::read(&storage.path::<Profile>(&server())).unwrap().unwrap());
        let other = String::from_utf8(whole.to_vec()).unwrap().replace("auth.example", "evil.example");
        for text in ["", "{}", &other] {
            std::fs::write(&path, text).unwrap();
            assert!(matches!(storage.load::<Profile>(&server()).await, Err(Error::Unreadable(_))), "{text}");
        }
    }

    #[tokio::test]
    async fn one_waits_for_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let storage = Storage::new(folder.path());
        let first = storage.lock::<Profile>(&server()).await.unwrap();
        let second = tokio::spawn({
            let storage = storage.clone();
            async move { storage.lock::<Profile>(&server()).await.map(drop) }
        });
        tokio::task::yield_now().await;
        let file = std::fs::File::open(storage.path::<Profile>(&server()).with_extension("lock")).unwrap();
        assert!(file.try_lock().is_err(), "held");
        drop(first);
        second.await.unwrap().unwrap();
    }
}
