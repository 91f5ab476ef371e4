//! The service's private key, in a file for its owner only, with a second file for the public half.

use jwe::PrivateKey;
use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

#[derive(Debug, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct Error {
    path: PathBuf,
    problem: String,
}

/// Reads the key, or creates it from 32 random bytes if it does not exist.
///
/// # Errors
/// The file cannot be read or created, others can read it, or its content is invalid.
pub fn load(path: &Path, random: &[u8; 32]) -> Result<PrivateKey, Error> {
    let fail = |problem: String| Error { path: path.to_owned(), problem };
    let key = match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            create(path, random).map_err(|error| fail(error.to_string()))?;
            read(path)
        }
        Err(error) => Err(error.to_string()),
        Ok(about) if about.permissions().mode() & 0o077 != 0 => {
            Err(format!("other users can read it (mode {:03o}): run chmod 600", about.permissions().mode() & 0o777))
        }
        Ok(_) => read(path),
    };
    let key = key.map_err(fail)?;
    publish(path, &key).map_err(|error| fail(error.to_string()))?;
    Ok(key)
}

/// Returns the public half for `postern service add`.
pub fn public_jwk(key: &PrivateKey) -> String {
    // Four strings can always be serialized.
    serde_json::to_string(&key.public()).unwrap_or_default()
}

/// Returns the public half's file name.
pub fn public_file(path: &Path) -> PathBuf {
    path.with_extension("jwk")
}

fn read(path: &Path) -> Result<PrivateKey, String> {
    let text = Zeroizing::new(fs::read_to_string(path).map_err(|error| error.to_string())?);
    PrivateKey::from_jwk(&text).map_err(|error| error.to_string())
}

/// Writes the key, unless another process does so at the same time.
fn create(path: &Path, random: &[u8; 32]) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let key = PrivateKey::generate(random).map_err(io::Error::other)?;
    let text = Zeroizing::new([key.to_jwk().as_bytes(), b"\n"].concat());
    // Of two concurrent first starts, one key wins.
    match owner_file::create(path, &text) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

fn publish(path: &Path, key: &PrivateKey) -> io::Result<()> {
    let (file, text) = (public_file(path), public_jwk(key) + "\n");
    if fs::read_to_string(&file).is_ok_and(|was| was == text) {
        return Ok(());
    }
    owner_file::write(&file, text.as_bytes())?;
    // The public half is for everybody.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("data").join("time-server.key");
        let made = load(&path, &[1; 32]).expect("made");
        assert_eq!(load(&path, &[2; 32]).expect("read").public(), made.public());
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        let public = fs::read_to_string(public_file(&path)).expect("beside it");
        assert_eq!(public.trim(), public_jwk(&made));
        assert!(!public.contains(r#""d""#));
    }

    #[test]
    fn a_file_that_is_open_or_no_key_is_refused_and_not_quoted() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("time-server.key");
        load(&path, &[1; 32]).expect("made");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("changed");
        assert!(load(&path, &[1; 32]).expect_err("open").to_string().ends_with("chmod 600"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("changed");
        fs::write(&path, "secret").expect("written");
        assert!(!load(&path, &[1; 32]).expect_err("no key").to_string().contains("secret"));
    }
}
