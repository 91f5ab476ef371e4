//! The time of the last backup, stored in the data folder for `postern doctor`.

use super::BackupError;
use super::files::at;
use crate::config::Config;
use domain::UnixMs;
use std::path::PathBuf;

pub(super) fn path(config: &Config) -> PathBuf {
    config.settings.data_dir.join("last-backup")
}

/// Returns the time; `None`: no backup was made here.
pub(crate) fn last(config: &Config) -> Option<UnixMs> {
    std::fs::read_to_string(path(config)).ok()?.trim().parse().ok().map(UnixMs::from_millis)
}

pub(super) fn remember(config: &Config, now: UnixMs) -> Result<(), BackupError> {
    let path = path(config);
    owner_file::write(&path, format!("{now}\n").as_bytes()).map_err(at(&path))
}
