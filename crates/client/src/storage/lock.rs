//! A lock between processes.

use crate::{Error, Result};
use std::fs::{File, TryLockError};
use std::path::PathBuf;

/// A lock that is held until it is dropped or its process ends.
#[derive(Debug)]
pub struct FileLock {
    _file: File,
}

/// Waits on a separate thread until the file is free.
pub(super) async fn hold(path: PathBuf) -> Result<FileLock> {
    let file = path.clone();
    let waiting = tokio::task::spawn_blocking(move || {
        let file = File::options().create(true).append(true).open(file)?;
        file.lock()?;
        Ok(file)
    });
    let locked = waiting.await.unwrap_or_else(|panicked| Err(std::io::Error::other(panicked)));
    locked.map(|file| FileLock { _file: file }).map_err(|error| Error::File(path, error))
}

/// Tries without waiting; `None`: another process holds it.
pub(super) fn try_hold(path: PathBuf) -> Result<Option<FileLock>> {
    let opened = File::options().create(true).append(true).open(&path);
    let file = opened.map_err(|error| Error::File(path.clone(), error))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(FileLock { _file: file })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(Error::File(path, error)),
    }
}
