//! Files that appear complete or not at all, readable by their owner only.

use super::BackupError;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A temporary file in the same folder, deleted unless it is kept.
#[derive(Debug)]
pub(super) struct DraftFile(PathBuf);

impl DraftFile {
    /// Creates an empty file with mode 0600.
    pub(super) fn beside(file: &Path) -> Result<Self, BackupError> {
        let draft = Self(with_ending(file, &format!(".{}.new", std::process::id())));
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft.0).map_err(at(file))?;
        Ok(draft)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn fill(&self, content: &[u8]) -> Result<(), BackupError> {
        let mut file = OpenOptions::new().write(true).truncate(true).open(&self.0).map_err(at(&self.0))?;
        file.write_all(content).map_err(at(&self.0))
    }

    pub(super) fn copy_from(&self, from: &Path) -> Result<(), BackupError> {
        let mut source = File::open(from).map_err(at(from))?;
        let mut target = OpenOptions::new().write(true).truncate(true).open(&self.0).map_err(at(&self.0))?;
        std::io::copy(&mut source, &mut target).map(drop).map_err(at(&self.0))
    }

    /// Renames it to `file`, unless that exists.
    pub(super) fn keep_as_new(self, file: &Path) -> Result<(), BackupError> {
        self.sync()?;
        match fs::hard_link(&self.0, file) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(BackupError::Exists(file.to_owned()))
            }
            other => other.map_err(at(file)),
        }?;
        sync_folder(file)
    }

    /// Renames it to `file`, replacing an existing one.
    pub(super) fn keep_as(self, file: &Path) -> Result<(), BackupError> {
        self.sync()?;
        fs::rename(&self.0, file).map_err(at(file))?;
        sync_folder(file)
    }

    fn sync(&self) -> Result<(), BackupError> {
        File::open(&self.0).and_then(|file| file.sync_all()).map_err(at(&self.0))
    }
}

impl Drop for DraftFile {
    fn drop(&mut self) {
        // A kept file was renamed, so nothing is left to delete.
        let _ = fs::remove_file(&self.0);
    }
}

/// Syncs the folder of a file, because its name is durable only then.
fn sync_folder(file: &Path) -> Result<(), BackupError> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))
}

pub(super) fn with_ending(file: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(ending);
    name.into()
}

pub(super) fn at(path: &Path) -> impl FnOnce(std::io::Error) -> BackupError {
    let path = path.to_owned();
    move |error| BackupError::File(path, error)
}
