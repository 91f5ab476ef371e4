//! Storage of secrets: each in the keyring or in a file, never in both.
//!
//! For each server, the folder has a file for its session and one for payments, readable by the owner only. It says
//! where the secret is, and contains it if there is no keyring.

mod file;
mod keyring;
mod location;
mod lock;
mod record;
mod record_file;
mod transactions;

use crate::{Error, Profile, Result, Server};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use keyring::Keyring;
use record_file::{StoredFile, StoredFileRef};

pub use location::{KeyringItem, Location, StorageChoice, StoreOutcome};
pub(crate) use lock::FileLock;
pub use record::StoredRecord;

#[derive(Debug, Serialize, Deserialize)]
struct Defaults {
    server: String,
}

#[derive(Debug, Clone)]
pub struct Storage {
    folder: PathBuf,
    keyring: Keyring,
}

impl Storage {
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), keyring: Keyring::default() }
    }

    /// Returns the server of the last login.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn server(&self) -> Result<Option<Server>> {
        let defaults = self.read::<Defaults>("default.json")?;
        defaults.map(|defaults| Server::parse(&defaults.server)).transpose()
    }

    /// Returns the record of `server`.
    ///
    /// # Errors
    /// The file or the keyring cannot be read, or others can read the file.
    pub async fn load<T: StoredRecord>(&self, server: &Server) -> Result<Option<T>> {
        match self.kept(server)? {
            Some(StoredFile::File { content, .. }) => Ok(Some(content)),
            Some(StoredFile::Keyring { .. }) => self.keyring.get(server).await,
            Some(StoredFile::Left { .. }) | None => Ok(None),
        }
    }

    /// Returns the location of the session.
    pub fn location(&self, server: &Server) -> Result<Option<Location>> {
        self.location_of::<Profile>(server)
    }

    pub(crate) fn location_of<T: StoredRecord>(&self, server: &Server) -> Result<Option<Location>> {
        Ok(self.kept::<T>(server)?.and_then(|kept| match kept {
            StoredFile::File { .. } => Some(Location::File(self.path::<T>(server))),
            StoredFile::Keyring { .. } => Some(Location::Keyring),
            StoredFile::Left { .. } => None,
        }))
    }

    /// Returns the id of a session in the keyring, without using the keyring.
    pub fn session_in_keyring(&self, server: &Server) -> Option<String> {
        match self.kept::<Profile>(server) {
            Ok(Some(StoredFile::Keyring { name, .. })) => name,
            _ => None,
        }
    }

    /// Returns an item that remains in the keyring by mistake: see [`StoreOutcome::left`].
    pub fn leftover(&self, server: &Server) -> Option<KeyringItem> {
        match self.kept::<Profile>(server) {
            Ok(Some(StoredFile::File { left_in_keyring: true, .. } | StoredFile::Left { .. })) => {
                Some(keyring::item::<Profile>(server))
            }
            _ => None,
        }
    }

    /// Stores a new session, replacing an earlier one, and makes its server the default.
    ///
    /// # Errors
    /// It cannot be written; the keyring was requested and does not answer.
    pub async fn keep(&self, server: &Server, profile: &Profile, choice: StorageChoice) -> Result<StoreOutcome> {
        let _alone = self.lock::<Profile>(server).await?;
        let stored = self.put(server, profile, choice).await?;
        self.write_file("default.json", &Defaults { server: server.origin() })?;
        Ok(stored)
    }

    /// Stores a record, replacing an earlier one. The caller holds the lock.
    pub(crate) async fn put<T: StoredRecord>(
        &self,
        server: &Server,
        content: &T,
        choice: StorageChoice,
    ) -> Result<StoreOutcome> {
        let in_keyring = match choice {
            StorageChoice::File => false,
            StorageChoice::Keyring => self.keyring.set(server, content).await.map(|()| true)?,
            StorageChoice::Auto => self.keyring.set(server, content).await.is_ok(),
        };
        if in_keyring {
            self.write::<T>(server, &StoredFileRef::Keyring { origin: &server.origin(), name: content.name() })?;
            return Ok(StoreOutcome { place: Location::Keyring, left: None });
        }
        let place = Location::File(self.path::<T>(server));
        let before = matches!(self.kept::<T>(server), Ok(Some(kept)) if kept.is_in_keyring());
        // A keyring that timed out may still have stored it.
        let left_in_keyring = before || self.keyring.is_silent();
        self.write(server, &StoredFileRef::File { content, left_in_keyring })?;
        if !left_in_keyring {
            return Ok(StoreOutcome { place, left: None });
        }
        if self.keyring.delete::<T>(server).await.is_err() {
            return Ok(StoreOutcome { place, left: Some(keyring::item::<T>(server)) });
        }
        self.write(server, &StoredFileRef::File { content, left_in_keyring: false })?;
        Ok(StoreOutcome { place, left: None })
    }

    /// Updates a record where it is stored. The caller holds the lock.
    pub(crate) async fn update<T: StoredRecord>(&self, server: &Server, content: &T) -> Result<()> {
        let left_in_keyring = match self.kept::<T>(server)? {
            Some(StoredFile::Keyring { .. }) => return self.keyring.set(server, content).await,
            kept => kept.is_some_and(|kept| kept.is_in_keyring()),
        };
        self.write(server, &StoredFileRef::File { content, left_in_keyring })
    }

    /// Deletes the session, even if the keyring does not answer. Returns what could not be removed from it.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub async fn forget(&self, server: &Server) -> Result<Option<KeyringItem>> {
        let _alone = self.lock::<Profile>(server).await?;
        if matches!(self.kept::<Profile>(server), Ok(Some(kept)) if kept.is_in_keyring())
            && self.keyring.delete::<Profile>(server).await.is_err()
        {
            // Recorded, so that the next sign-in or sign-out removes it.
            self.write::<Profile>(server, &StoredFileRef::Left { origin: &server.origin() })?;
            return Ok(Some(keyring::item::<Profile>(server)));
        }
        let path = self.path::<Profile>(server);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::File(path, error)),
            _ => Ok(None),
        }
    }

    /// Returns the records of one kind for all servers.
    ///
    /// # Errors
    /// The folder, a file or the keyring cannot be read.
    pub async fn all<T: StoredRecord>(&self) -> Result<Vec<T>> {
        let mut all = Vec::new();
        for origin in self.origins::<T>()? {
            all.extend(self.load(&Server::parse(&origin)?).await?);
        }
        Ok(all)
    }

    /// Waits for exclusive access among the processes of this person.
    ///
    /// # Errors
    /// The lock file cannot be used.
    pub async fn lock<T: StoredRecord>(&self, server: &Server) -> Result<FileLock> {
        file::make_folder(&self.folder.join(T::KIND))?;
        lock::hold(self.path::<T>(server).with_extension("lock")).await
    }

    /// Like [`Self::lock`], but without waiting.
    ///
    /// # Errors
    /// The lock file cannot be used.
    pub(crate) fn try_lock<T: StoredRecord>(&self, server: &Server) -> Result<Option<FileLock>> {
        file::make_folder(&self.folder.join(T::KIND))?;
        lock::try_hold(self.path::<T>(server).with_extension("lock"))
    }

    /// Waits for the lock of this name.
    ///
    /// # Errors
    /// The lock file cannot be used.
    pub(crate) async fn lock_named(&self, name: &str) -> Result<FileLock> {
        file::make_folder(&self.folder)?;
        lock::hold(self.folder.join(name).with_extension("lock")).await
    }

    /// Reads a file that belongs to no server.
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

    fn kept<T: StoredRecord>(&self, server: &Server) -> Result<Option<StoredFile<T>>> {
        let path = self.path::<T>(server);
        let Some(text) = file::read(&path)? else { return Ok(None) };
        let kept: StoredFile<T> = serde_json::from_slice(&text).map_err(|_| Error::Unreadable(path.clone()))?;
        // If two origins have the same file name, neither may get the other's secrets.
        if kept.origin() == server.origin() { Ok(Some(kept)) } else { Err(Error::Unreadable(path)) }
    }

    fn origins<T: StoredRecord>(&self) -> Result<Vec<String>> {
        let folder = self.folder.join(T::KIND);
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
            let kept: StoredFile<T> = serde_json::from_slice(&text).map_err(|_| Error::Unreadable(path))?;
            if !matches!(kept, StoredFile::Left { .. }) {
                origins.push(kept.origin().to_owned());
            }
        }
        origins.sort_unstable();
        Ok(origins)
    }

    fn write<T: StoredRecord>(&self, server: &Server, kept: &StoredFileRef<'_, T>) -> Result<()> {
        file::write(&self.path::<T>(server), kept)
    }

    fn path<T: StoredRecord>(&self, server: &Server) -> PathBuf {
        self.folder.join(T::KIND).join(format!("{}.json", server.file_name()))
    }
}

#[cfg(test)]
mod tests;
