//! Files for their owner only, which appear completely or not at all.
//!
//! A file is written under a random name in the same folder, with mode 0600 from the start. It gets its name after its
//! content is on the disk, and the folder is synchronized after that. If anything fails, for example because the disk is
//! full, the old file remains and the temporary one is deleted. A program that is killed leaves its temporary file. The
//! next one for the same name deletes it after an hour, and [`leftovers`] finds it.

use std::fs::{self, File};
use std::io::{Error, ErrorKind, Result, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::{Builder, NamedTempFile};

/// The end of a temporary name, and the length of its random part.
const SUFFIX: &str = ".new";
const RANDOM: usize = 6;
/// Age at which a temporary file has no program any more: each writes all the time.
const ABANDONED: Duration = Duration::from_hours(1);

/// A file that has no name yet. It is deleted unless it gets one.
#[derive(Debug)]
pub struct OwnerFile(NamedTempFile);

/// Writes a file, and replaces an existing one.
///
/// # Errors
/// It cannot be written, or its name is that of something that may not be replaced: see [`may_replace`].
pub fn write(path: &Path, content: &[u8]) -> Result<()> {
    let mut file = OwnerFile::beside(path)?;
    file.write_all(content)?;
    file.replace(path)
}

/// Writes a file that must not exist.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`], or it cannot be written.
pub fn create(path: &Path, content: &[u8]) -> Result<()> {
    let mut file = OwnerFile::beside(path)?;
    file.write_all(content)?;
    file.create(path)
}

impl OwnerFile {
    /// Creates an empty file in the folder of `path`.
    ///
    /// # Errors
    /// As [`may_replace`], or the folder does not exist or may not be written.
    pub fn beside(path: &Path) -> Result<Self> {
        may_replace(path)?;
        let mut prefix = std::ffi::OsString::from(".");
        prefix.push(path.file_name().ok_or_else(|| Error::new(ErrorKind::InvalidInput, "this is not a file's name"))?);
        prefix.push(".");
        let file = Builder::new().prefix(&prefix).rand_bytes(RANDOM).suffix(SUFFIX).tempfile_in(folder(path));
        let file = file.map_err(without_name)?;
        remove_abandoned(path, file.as_file());
        Ok(Self(file))
    }

    /// Returns the temporary name, for a library that writes by name.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Gives the file its name, and replaces an existing file.
    ///
    /// # Errors
    /// As [`may_replace`], or the disk fails. Then the old file remains.
    pub fn replace(self, path: &Path) -> Result<()> {
        self.0.as_file().sync_all()?;
        may_replace(path)?;
        self.0.persist(path).map_err(|error| error.error)?;
        sync_folder(path)
    }

    /// Gives the file its name, which must be free.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`], or the disk fails.
    pub fn create(self, path: &Path) -> Result<()> {
        self.0.as_file().sync_all()?;
        self.0.persist_noclobber(path).map_err(|error| error.error)?;
        sync_folder(path)
    }
}

impl Write for OwnerFile {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.0.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        self.0.as_file_mut().flush()
    }
}

/// Returns the temporary files for `path`, with those that SQLite keeps beside a database. A running program may still
/// need them.
///
/// # Errors
/// The folder cannot be read.
pub fn leftovers(path: &Path) -> Result<Vec<PathBuf>> {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder(path))? {
        let entry = entry?;
        let is_ours = entry.file_name().to_str().is_some_and(|file| is_temporary(file, name));
        if is_ours && entry.metadata().is_ok_and(|found| found.is_file() && is_own(&found)) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Whether this is the name of a temporary file: `.NAME.Ab3xY9.new`, or a file beside it: `.NAME.Ab3xY9.new-wal`.
fn is_temporary(file: &str, name: &str) -> bool {
    let rest = file.strip_prefix('.').and_then(|file| file.strip_prefix(name)?.strip_prefix('.'));
    let Some((random, rest)) = rest.and_then(|rest| rest.split_at_checked(RANDOM)) else { return false };
    let ending = rest.strip_prefix(SUFFIX);
    random.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && ending.is_some_and(|ending| ending.is_empty() || ending.starts_with('-'))
}

/// Removes what killed programs left for the same name. A failure changes nothing for the new file.
fn remove_abandoned(path: &Path, new: &File) {
    let Ok(now) = new.metadata().and_then(|new| new.modified()) else { return };
    for left in leftovers(path).unwrap_or_default() {
        let changed = fs::symlink_metadata(&left).and_then(|left| left.modified());
        if changed.is_ok_and(|changed| now.duration_since(changed).is_ok_and(|age| age > ABANDONED)) {
            let _ = fs::remove_file(left);
        }
    }
}

/// Checks that a name is free, or that of a regular file of this user.
///
/// # Errors
/// It is a symbolic link, a folder, a device or a file of another user. The text says what to do.
pub fn may_replace(path: &Path) -> Result<()> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    if found.is_symlink() {
        let problem = "is a symbolic link, which is not replaced: name the file that it leads to";
        return Err(Error::new(ErrorKind::InvalidInput, problem));
    }
    if !found.is_file() {
        return Err(Error::new(ErrorKind::InvalidInput, "is not a regular file: name another one"));
    }
    if !is_own(&found) {
        let problem = "belongs to another user: run this as the owner of the file";
        return Err(Error::new(ErrorKind::PermissionDenied, problem));
    }
    Ok(())
}

#[cfg(unix)]
fn is_own(found: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::uid(found) == rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
fn is_own(_: &fs::Metadata) -> bool {
    true
}

/// Makes the new name durable.
#[cfg(unix)]
fn sync_folder(path: &Path) -> Result<()> {
    File::open(folder(path))?.sync_all()
}

/// Does nothing, because other systems cannot open folders.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> Result<()> {
    Ok(())
}

/// Returns an error without the temporary name, which nobody has typed.
fn without_name(error: Error) -> Error {
    let text = error.to_string();
    Error::new(error.kind(), text.split(" at path ").next().unwrap_or_default())
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_file_is_complete_for_its_owner_only_and_alone() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("key");
        create(&path, b"one")?;
        assert_eq!(create(&path, b"two").map_err(|error| error.kind()), Err(ErrorKind::AlreadyExists));
        assert_eq!(fs::read(&path)?, b"one");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644))?;
        let linked = folder.path().join("other name");
        fs::hard_link(&path, &linked)?;
        write(&path, b"two")?;
        assert_eq!((fs::read(&path)?, fs::read(&linked)?), (b"two".to_vec(), b"one".to_vec()));
        assert_eq!(fs::metadata(&path)?.permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path())?.count(), 2, "nothing is left beside it");
        Ok(())
    }

    #[test]
    fn what_a_killed_program_left_is_removed_after_an_hour() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("key");
        let old = ["", "-wal"].map(|ending| folder.path().join(format!(".key.Ab3xY9.new{ending}")));
        let kept = [".key.Zz3xY9.new", ".other.Ab3xY9.new", ".key.Ab3xY9.old", ".key.Ab3-Y9.new", "key.Ab3xY9.new"];
        for file in old.iter().cloned().chain(kept.map(|name| folder.path().join(name))) {
            fs::write(&file, "half a secr")?;
            let age = if file.ends_with(kept[0]) { 60 } else { 4000 };
            let changed = fs::metadata(&file)?.modified()? - Duration::from_secs(age);
            File::options().write(true).open(&file)?.set_modified(changed)?;
        }
        assert_eq!(leftovers(&path)?.len(), 3);
        write(&path, b"new")?;
        assert!(old.iter().all(|file| !file.exists()));
        assert!(kept.iter().all(|name| folder.path().join(name).exists()));
        Ok(())
    }

    #[test]
    fn links_and_folders_are_not_replaced() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        write(&real, b"old")?;
        symlink(&real, &link)?;
        symlink("nowhere", folder.path().join("dangling"))?;
        for name in ["link", "dangling", ""] {
            assert!(write(&folder.path().join(name), b"new").is_err(), "{name}");
        }
        assert_eq!(fs::read(&real)?, b"old");
        let missing = write(&folder.path().join("missing/file"), b"new").unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
        assert!(!missing.to_string().contains(".file."), "the temporary name is shown: {missing}");
        assert_eq!(fs::read_dir(folder.path())?.count(), 3);
        Ok(())
    }
}
