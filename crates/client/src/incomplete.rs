//! Incomplete files of failed downloads, recorded so that a later success removes them.

use crate::{Error, Result, Storage};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// The record's name in the folder of [`Storage`], without its ending.
const NAME: &str = "incomplete";
const FILE: &str = "incomplete.json";
/// Maximum number of recorded files. The oldest are forgotten.
const MOST: usize = 100;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Recorded {
    files: Vec<IncompleteFile>,
}

/// A file that a failed download left.
#[derive(Debug, Serialize, Deserialize)]
struct IncompleteFile {
    target: PathBuf,
    part: PathBuf,
    identity: Identity,
}

/// The size and time of a file, so that one written by somebody else under the same name is recognized.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    bytes: u64,
    /// Whole seconds and the rest in nanoseconds.
    modified: (u64, u32),
}

impl Storage {
    /// Records the file that a failed download of `target` left.
    ///
    /// # Errors
    /// The record cannot be written, or the file cannot be found.
    pub async fn record_incomplete(&self, target: &Path, part: &Path) -> Result<()> {
        let (target, part) = (full(target)?, full(part)?);
        let Some(identity) = identity(&part) else { return Ok(()) };
        let _alone = self.lock_named(NAME).await?;
        let mut recorded = self.read::<Recorded>(FILE)?.unwrap_or_default();
        recorded.files.retain(|file| file.part != part);
        recorded.files.push(IncompleteFile { target, part, identity });
        let excess = recorded.files.len().saturating_sub(MOST);
        recorded.files.drain(..excess);
        self.write_file(FILE, &recorded)
    }

    /// Removes what failed downloads of `target` left, unless somebody has changed it. Returns the removed files.
    ///
    /// # Errors
    /// The record cannot be read or written.
    pub async fn remove_incomplete(&self, target: &Path) -> Result<Vec<PathBuf>> {
        if self.read::<Recorded>(FILE)?.is_none() {
            return Ok(Vec::new());
        }
        let (target, _alone) = (full(target)?, self.lock_named(NAME).await?);
        let mut recorded = self.read::<Recorded>(FILE)?.unwrap_or_default();
        let left: Vec<_> = recorded.files.extract_if(.., |file| file.target == target).collect();
        if left.is_empty() {
            return Ok(Vec::new());
        }
        self.write_file(FILE, &recorded)?;
        let ours = left.into_iter().filter(|file| identity(&file.part).as_ref() == Some(&file.identity));
        Ok(ours.map(|file| file.part).filter(|part| fs::remove_file(part).is_ok()).collect())
    }
}

/// Returns the identity of a regular file.
fn identity(path: &Path) -> Option<Identity> {
    let found = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file)?;
    let modified = found.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(Identity { bytes: found.len(), modified: (modified.as_secs(), modified.subsec_nanos()) })
}

/// Returns the same path for a file in each folder from which it is named.
fn full(path: &Path) -> Result<PathBuf> {
    let broken = |error| Error::File(path.to_owned(), error);
    let path = std::path::absolute(path).map_err(broken)?;
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => Ok(fs::canonicalize(folder).map_err(broken)?.join(name)),
        _ => Ok(path),
    }
}
