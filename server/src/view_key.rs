//! The view key of the paid gate.

use crate::config::{ConfigError, TollSettings};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tpat::{Address, ViewPair};
use zeroize::Zeroizing;

/// Returns the view key of the settings, with the address that it belongs to. `None`: no view key is set.
///
/// # Errors
/// It cannot be read, others may read it, or it belongs to another address.
pub(crate) fn view_pair(settings: &TollSettings) -> Result<Option<ViewPair>, ConfigError> {
    let Some(file) = &settings.view_key_file else { return Ok(None) };
    let primary: Address = settings.primary_address.parse().map_err(|error| wrong("toll.primary_address", error))?;
    let key = secret(file)?;
    Ok(Some(ViewPair::new(&primary, key.trim()).map_err(|error| wrong("toll.view_key_file", error))?))
}

fn wrong(setting: &str, error: impl std::fmt::Display) -> ConfigError {
    ConfigError::invalid(setting, &error.to_string())
}

/// Reads a file that only its owner may read.
fn secret(file: &Path) -> Result<Zeroizing<String>, ConfigError> {
    let failed =
        |problem: &dyn std::fmt::Display| wrong("toll.view_key_file", format!("{}: {problem}", file.display()));
    let mode = std::fs::metadata(file).map_err(|error| failed(&error))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(failed(&format!("other users can read it (mode {:03o}): run chmod 600", mode & 0o777)));
    }
    std::fs::read_to_string(file).map(Zeroizing::new).map_err(|error| failed(&error))
}
