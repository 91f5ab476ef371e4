//! Checks of the machine: hashing speed, permissions of keys, disk space.

use super::{Finding, FindingLevel};
use crate::config::{Config, Settings};
use crate::connections::SPARE_FILES;
use crate::key_encryption::VARIABLE;
use crate::passwords::{measure, threads};
use net::OpenFileLimit;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

/// Time of a hash that people notice. Concurrent sign-ins multiply it.
const SLOW: Duration = Duration::from_millis(500);
const MIB: u64 = 1024 * 1024;
/// Minimum free disk space in bytes, enough for a journal and a day of audit rows.
const LOW: u64 = 1024 * MIB;
const FULL: u64 = 100 * MIB;

pub(super) fn password_time(settings: &Settings) -> Finding {
    const CHECK: &str = "password_time";
    match measure(settings.password.memory_kib, settings.password.passes, threads(settings)) {
        Ok(time) if time > SLOW => Finding::new(
            CHECK,
            FindingLevel::Warning,
            format!("Hashing one password takes {} ms: sign-ins will queue.", time.as_millis()),
            "Run 'postern calibrate', or give the machine more cores.",
        ),
        Ok(time) => Finding::fine(CHECK, format!("Hashing one password takes {} ms.", time.as_millis())),
        Err(error) => Finding::new(
            CHECK,
            FindingLevel::Problem,
            format!("Passwords cannot be hashed: {error}."),
            "Correct [password].",
        ),
    }
}

/// Checks the permissions of the key file. `postern serve` checks whether the key matches.
pub(super) fn key_file(config: &Config) -> Finding {
    const CHECK: &str = "key_file";
    if std::env::var_os(VARIABLE).is_some() {
        return Finding::fine(CHECK, format!("The key-encryption key comes from {VARIABLE}."));
    }
    private(CHECK, "The key-encryption key", &config.key_encryption_key_file())
}

pub(super) fn key_place(config: &Config) -> Finding {
    const CHECK: &str = "key_place";
    let beside = config.sqlite_file().is_some_and(|file| file.parent() == config.key_encryption_key_file().parent());
    if beside && std::env::var_os(VARIABLE).is_none() {
        return Finding::new(
            CHECK,
            FindingLevel::Hint,
            "The key-encryption key is in the same folder as the database: a copy of the folder contains both.",
            "Set key_encryption_key_file to a location outside that folder.",
        );
    }
    Finding::fine(CHECK, "The key-encryption key is not in the database's folder.")
}

pub(super) fn tls_key(config: &Config) -> Option<Finding> {
    config.settings.tls.key.as_deref().map(|path| private("tls_key", "The TLS key", path))
}

fn private(check: &'static str, what: &str, path: &Path) -> Finding {
    let shown = path.display();
    match std::fs::metadata(path) {
        Ok(data) if data.permissions().mode() & 0o077 != 0 => Finding::new(
            check,
            FindingLevel::Problem,
            format!("Other users can read {what} (mode {:03o}): {shown}", data.permissions().mode() & 0o777),
            format!("chmod 600 {shown}"),
        ),
        Ok(_) => Finding::fine(check, format!("Only its owner can read it: {what}.")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Finding::new(
            check,
            FindingLevel::Hint,
            format!("{what} does not exist: {shown}"),
            "The first start with a new database creates it.",
        ),
        Err(error) => Finding::new(
            check,
            FindingLevel::Problem,
            format!("{what} cannot be read: {shown}: {error}"),
            "Run this as the user that the server runs as.",
        ),
    }
}

/// Checks the hard limit of open files, because `postern serve` raises the soft limit to it.
pub(super) fn open_files(config: &Config) -> Finding {
    let connections = config.settings.connections.max;
    files(&OpenFileLimit::possible(connections, 1, SPARE_FILES), connections)
}

fn files(files: &OpenFileLimit, wanted: usize) -> Finding {
    const CHECK: &str = "open_files";
    let Some(limit) = files.limit.filter(|_| files.is_short()) else {
        return Finding::fine(CHECK, format!("The limit of open files leaves room for {wanted} connections."));
    };
    let says = format!(
        "connections.max is {wanted}, but the limit of {limit} open files leaves room for {}: no more are accepted.",
        files.connections
    );
    let advice =
        format!("Raise the limit to {} (LimitNOFILE= in systemd, ulimit -n), or lower connections.max.", files.needed);
    Finding::new(CHECK, FindingLevel::Warning, says, advice)
}

pub(super) fn disk(config: &Config) -> Finding {
    const CHECK: &str = "disk";
    // Before the first start the folder does not exist, but its disk does.
    let folder =
        config.settings.data_dir.ancestors().find(|path| path.try_exists().unwrap_or(true)).unwrap_or(Path::new("."));
    match rustix::fs::statvfs(folder) {
        Ok(disk) => room(disk.f_bavail.saturating_mul(disk.f_frsize)),
        Err(error) => Finding::new(
            CHECK,
            FindingLevel::Warning,
            format!("The free space in {} is unknown: {error}.", folder.display()),
            "Check with df.",
        ),
    }
}

fn room(free: u64) -> Finding {
    const CHECK: &str = "disk";
    let says = format!("{} MiB are free in the data folder.", free / MIB);
    let state = match free {
        0..FULL => FindingLevel::Problem,
        FULL..LOW => FindingLevel::Warning,
        _ => return Finding::fine(CHECK, says),
    };
    Finding::new(CHECK, state, says, "Free some space: on a full disk nobody can sign in.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_open_files_are_said() {
        let short = files(&OpenFileLimit::plan(4096, 1, SPARE_FILES, Some(1024)), 4096);
        assert_eq!(short.state, FindingLevel::Warning);
        assert!(short.says.contains("1024") && short.says.contains("768"), "{}", short.says);
        assert_eq!(files(&OpenFileLimit::plan(4096, 1, SPARE_FILES, None), 4096).state, FindingLevel::Fine);
    }

    #[test]
    fn files_for_their_owner_and_room_on_the_disk() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = folder.path().join("key");
        assert_eq!(private("key_file", "The key", &key).state, FindingLevel::Hint);
        std::fs::write(&key, "x").expect("written");
        for (mode, state) in [
            (0o600, FindingLevel::Fine),
            (0o400, FindingLevel::Fine),
            (0o640, FindingLevel::Problem),
            (0o604, FindingLevel::Problem),
        ] {
            std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).expect("changed");
            assert_eq!(private("key_file", "The key", &key).state, state, "{mode:o}");
        }
        assert_eq!(
            [room(99 * MIB), room(100 * MIB), room(LOW)].map(|found| found.state),
            [FindingLevel::Problem, FindingLevel::Warning, FindingLevel::Fine]
        );
    }
}
