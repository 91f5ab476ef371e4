//! The file of a backup or a restored database, until it gets its name.

use super::BackupError;
use owner_file::OwnerFile;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Endings of the files that SQLite keeps beside a database. With another database they would be applied to that.
pub(super) const JOURNALS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// A temporary file in the same folder, deleted unless it is kept.
#[derive(Debug)]
pub(super) struct DraftFile {
    file: OwnerFile,
    _journals: Journals,
}

/// The journals of a draft, deleted with it.
#[derive(Debug)]
struct Journals(PathBuf);

impl DraftFile {
    /// Creates an empty file with mode 0600.
    pub(super) fn beside(file: &Path) -> Result<Self, BackupError> {
        let draft = OwnerFile::beside(file).map_err(at(file))?;
        let journals = Journals(draft.path().to_owned());
        Ok(Self { file: draft, _journals: journals })
    }

    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Copies a database, with the journal of one that was not closed.
    pub(super) fn copy_from(&mut self, from: &Path) -> Result<(), BackupError> {
        let mut source = File::open(from).map_err(at(from))?;
        std::io::copy(&mut source, &mut self.file).map_err(at(from))?;
        for ending in ["-wal", "-journal"] {
            let journal = with_ending(from, ending);
            if journal.try_exists().map_err(at(&journal))? {
                // SQLite gives the journal the mode of the database when it opens it.
                owner_file::create(&with_ending(self.path(), ending), &fs::read(&journal).map_err(at(&journal))?)
                    .map_err(at(&journal))?;
            }
        }
        Ok(())
    }

    /// Renames it to `file`, unless that exists.
    pub(super) fn keep_as_new(self, file: &Path) -> Result<(), BackupError> {
        match self.file.create(file) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(BackupError::Exists(file.to_owned()))
            }
            other => other.map_err(at(file)),
        }
    }

    /// Renames it to `file`, replacing an existing one.
    pub(super) fn keep_as(self, file: &Path) -> Result<(), BackupError> {
        self.file.replace(file).map_err(at(file))
    }
}

impl Drop for Journals {
    fn drop(&mut self) {
        for ending in JOURNALS {
            let _ = fs::remove_file(with_ending(&self.0, ending));
        }
    }
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
