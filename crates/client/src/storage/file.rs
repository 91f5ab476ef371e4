//! Files that only their owner can read, replaced atomically.

use crate::{Error, Result};
use serde::Serialize;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::Path;
use zeroize::Zeroizing;

/// Reads a file. Refuses one that others can read.
pub(super) fn read(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>> {
    let broken = |error| Error::File(path.to_owned(), error);
    let mut file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(broken(error)),
    };
    if is_exposed(&file.metadata().map_err(broken)?) {
        return Err(Error::Exposed(path.to_owned()));
    }
    let mut text = Zeroizing::new(Vec::with_capacity(4096));
    file.read_to_end(&mut text).map_err(broken)?;
    Ok(Some(text))
}

/// Writes a temporary file for the owner only and renames it. A reader sees either the old or the new file.
pub(super) fn write(path: &Path, value: &impl Serialize) -> Result<()> {
    let broken = |error| Error::File(path.to_owned(), error);
    let text = Zeroizing::new(serde_json::to_vec(value).map_err(|error| broken(error.into()))?);
    owner_file::write(path, &text).map_err(broken)
}

pub(super) fn make_folder(path: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| Error::File(path.to_owned(), error))
}

#[cfg(unix)]
fn is_exposed(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0
}

/// Returns `false`, because on other systems the folder is private already.
#[cfg(not(unix))]
fn is_exposed(_: &fs::Metadata) -> bool {
    false
}
