//! Checks of the machine: hashing speed, permissions of keys, disk space.

use super::{Finding, FindingLevel};
use crate::backup::{TruncatedDatabase, left_behind};
use crate::config::{Config, Settings};
use crate::connections::SPARE_FILES;
use crate::key_encryption::{KeySource, VARIABLE};
use crate::passwords::{measure, threads};
use crate::utc_time::utc_time_with_zone;
use domain::UnixMs;
use net::OpenFileLimit;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

/// Time of a hash that people notice. Concurrent sign-ins multiply it.
const SLOW: Duration = Duration::from_millis(500);
/// The check of the key file, the only one that the server creates.
const KEY_FILE: &str = "key_file";
const MIB: u64 = 1024 * 1024;
/// Minimum free disk space in bytes, enough for a journal and a day of audit rows.
const LOW: u64 = 1024 * MIB;
const FULL: u64 = 100 * MIB;
/// Period before the end of a certificate in which it should have been renewed.
const RENEW_MS: i64 = 14 * 24 * 60 * 60_000;

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

/// Checks the permissions and the content of the key file, or the variable. The check of encrypted values says whether
/// the key matches.
pub(super) fn key_file(config: &Config) -> Finding {
    let source = KeySource::of(config);
    let finding = match &source {
        KeySource::Variable => Finding::fine(KEY_FILE, format!("The key-encryption key comes from {VARIABLE}.")),
        KeySource::File(path) => private(KEY_FILE, "key-encryption key", path),
    };
    match source.keys() {
        Err(error) if finding.state == FindingLevel::Fine => Finding::new(
            KEY_FILE,
            FindingLevel::Problem,
            format!("The server cannot start with its key-encryption key: {error}."),
            "Put back the key with which the server ran last: 43 characters, one key on each line of a file.",
        ),
        _ => finding,
    }
}

/// Names temporary files of programs that were killed, if any exist.
pub(super) fn left_files(config: &Config) -> Option<Finding> {
    let mut left = config.sqlite_file().map(|file| left_behind(&file)).unwrap_or_default();
    left.extend(left_behind(&config.key_encryption_key_file()));
    let names: Vec<_> = left.iter().map(|file| file.display().to_string()).collect();
    (!names.is_empty()).then(|| {
        Finding::new(
            "left_files",
            FindingLevel::Warning,
            format!("A restore or a write of keys runs now, or was interrupted and left files: {}.", names.join(", ")),
            "The next start of the server removes copies of the database. Delete others that stay: they contain secrets.",
        )
    })
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
    config.settings.tls.key.as_deref().map(|path| private("tls_key", "TLS key", path))
}

/// Checks the dates of the server's own certificate. `None`: a proxy has the certificate.
pub(crate) fn certificate(config: &Config, now: UnixMs) -> Option<Finding> {
    const CHECK: &str = "tls_certificate";
    const RENEW: &str = "Renew the certificate. The server reads new files without a restart.";
    let files = &config.settings.tls;
    let (certificate, key) = files.certificate.as_deref().zip(files.key.as_deref())?;
    let validity = match net::validity(certificate, key) {
        Ok(validity) => validity,
        Err(error) => {
            let says = format!("The server cannot start with its certificate: {error}.");
            return Some(Finding::new(CHECK, FindingLevel::Problem, says, "Correct tls.certificate and tls.key."));
        }
    };
    let (from, until) = (validity.from.to_millis(), validity.until.to_millis());
    Some(if until <= now {
        let says =
            format!("The TLS certificate has expired on {}: browsers refuse this site.", utc_time_with_zone(until));
        Finding::new(CHECK, FindingLevel::Problem, says, RENEW)
    } else if from > now {
        let says =
            format!("The TLS certificate is not valid before {}: browsers refuse this site.", utc_time_with_zone(from));
        Finding::new(CHECK, FindingLevel::Problem, says, "Wait, use the earlier certificate, or correct the clock.")
    } else if until - now <= RENEW_MS {
        Finding::new(
            CHECK,
            FindingLevel::Warning,
            format!("The TLS certificate expires on {}.", utc_time_with_zone(until)),
            RENEW,
        )
    } else {
        Finding::fine(CHECK, format!("The TLS certificate is valid until {}.", utc_time_with_zone(until)))
    })
}

fn private(check: &'static str, what: &str, path: &Path) -> Finding {
    let shown = path.display();
    match std::fs::metadata(path) {
        Ok(data) if data.permissions().mode() & 0o077 != 0 => Finding::new(
            check,
            FindingLevel::Problem,
            format!("Other users can read the {what} (mode {:03o}): {shown}", data.permissions().mode() & 0o777),
            format!("chmod 600 {shown}"),
        ),
        // A file for its owner only may be another user's. (root reads it anyway.)
        Ok(_) if std::fs::File::open(path).is_err() => unreadable(check, what, path, &"it belongs to another user"),
        Ok(_) => Finding::fine(check, format!("Only its owner can read the {what}.")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && check == KEY_FILE => Finding::new(
            check,
            FindingLevel::Hint,
            format!("The {what} does not exist: {shown}"),
            "The first start with a new database creates it.",
        ),
        Err(error) => unreadable(check, what, path, &error),
    }
}

/// Reports a database file that has lost its content.
pub(super) fn truncated_database(truncated: &TruncatedDatabase) -> Finding {
    let says = format!("The database is lost: {truncated}.");
    Finding::new("database", FindingLevel::Problem, says, "Stop the server, and restore a backup.")
}

/// Reports a database file that does not exist. The server creates the file and `data_dir`, but no other folder.
pub(super) fn no_database(config: &Config) -> Finding {
    const CHECK: &str = "database";
    let file = config.sqlite_file().unwrap_or_default();
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if folder == config.settings.data_dir || folder.exists() {
        let says = format!("No database exists yet: {}", file.display());
        return Finding::new(CHECK, FindingLevel::Hint, says, "Start the server once to create it.");
    }
    let says = format!("The folder of the database does not exist: {}", folder.display());
    Finding::new(CHECK, FindingLevel::Problem, says, "Correct database_url, or create the folder.")
}

fn unreadable(check: &'static str, what: &str, path: &Path, why: &dyn std::fmt::Display) -> Finding {
    Finding::new(
        check,
        FindingLevel::Problem,
        format!("The {what} cannot be read: {}: {why}", path.display()),
        "Correct the path in the settings. Let the user of the server own the file, and run this as that user.",
    )
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
    fn a_certificate_that_ends_is_named_with_its_date() {
        const DAY: i64 = 24 * 60 * 60_000;
        let folder = tempfile::tempdir().expect("a folder");
        let files = ["certificate.pem", "key.pem"].map(|name| folder.path().join(name));
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut own = rcgen::CertificateParams::new(["localhost".to_owned()]).expect("a name");
        (own.not_before, own.not_after) = (rcgen::date_time_ymd(2026, 1, 1), rcgen::date_time_ymd(2026, 12, 1));
        let pem = own.self_signed(&key).expect("signed").pem();
        for (file, text) in files.iter().zip([pem, key.serialize_pem()]) {
            std::fs::write(file, text).expect("written");
        }
        let [own, private] = files.each_ref().map(|file| file.display());
        let text = format!("public_url = 'https://localhost'\ntls = {{ certificate = '{own}', key = '{private}' }}");
        let config = Config::new(toml::from_str(&text).expect("readable")).expect("valid");
        let end = UnixMs::from_millis(1_796_083_200_000);
        for (now, state) in [
            (end - 400 * DAY, FindingLevel::Problem),
            (end - 15 * DAY, FindingLevel::Fine),
            (end - 14 * DAY, FindingLevel::Warning),
            (end, FindingLevel::Problem),
        ] {
            let finding = certificate(&config, now).expect("own TLS");
            assert_eq!(finding.state, state, "{}", finding.says);
            assert!(now < end - 300 * DAY || finding.says.contains("2026-12-01 00:00:00 UTC"), "{}", finding.says);
        }
        assert_eq!(certificate(&Config::new(Settings::default()).expect("valid"), UnixMs::EPOCH), None);
    }

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
        assert_eq!(private(KEY_FILE, "key", &key).state, FindingLevel::Hint);
        assert_eq!(private("tls_key", "TLS key", &key).state, FindingLevel::Problem, "the server creates none");
        std::fs::write(&key, "x").expect("written");
        for (mode, state) in [
            (0o600, FindingLevel::Fine),
            (0o400, FindingLevel::Fine),
            (0o640, FindingLevel::Problem),
            (0o604, FindingLevel::Problem),
        ] {
            std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).expect("changed");
            assert_eq!(private(KEY_FILE, "key", &key).state, state, "{mode:o}");
        }
        let config = |url: &str| Config::new(toml::from_str(&format!("database_url = '{url}'")).expect("readable"));
        let state = |url: String| no_database(&config(&url).expect("valid")).state;
        assert_eq!(state(format!("sqlite:{}/new.db", folder.path().display())), FindingLevel::Hint);
        assert_eq!(state(format!("sqlite:{}/no/new.db", folder.path().display())), FindingLevel::Problem);
        assert_eq!(
            [room(99 * MIB), room(100 * MIB), room(LOW)].map(|found| found.state),
            [FindingLevel::Problem, FindingLevel::Warning, FindingLevel::Fine]
        );
    }
}
