//! Backup and restore with the program itself.

use crate::support::{PASSWORD, Program, output_text, postern};
use futures::future::join_all;
use http::StatusCode;
use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use wire::envelope::EnvelopeKind;
use wire::paths;

const PASSPHRASE: &str = "a lantern at the gate\n";

async fn in_background(folder: &Path, arguments: &[&str]) -> Output {
    let (folder, arguments) = (folder.to_owned(), arguments.iter().map(ToString::to_string).collect::<Vec<_>>());
    tokio::task::spawn_blocking(move || {
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        postern(&folder, &arguments, "")
    })
    .await
    .unwrap()
}

fn add(folder: &Path, name: &str) {
    assert!(postern(folder, &["user", "add", name], &format!("{PASSWORD}\n")).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_taken_while_people_sign_in_lets_them_sign_in_elsewhere() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(here.path().join("passphrase"), PASSPHRASE).unwrap();
    for name in ["ada", "bob", "eve"] {
        add(here.path(), name);
    }
    let program = Program::start(here.path(), &["ban.limits.sign_in_per_minute=60000", "ban.limits.at_once=1000"]);
    let (stop, logins) = (AtomicBool::new(false), AtomicUsize::new(0));
    let people = ["ada", "bob", "eve"].map(async |name| {
        while !stop.load(Ordering::SeqCst) {
            program.browser().signed_in(name).await;
            logins.fetch_add(1, Ordering::SeqCst);
        }
    });
    let backups = async {
        let with_key = ["backup", "full.db", "--with-key", "--passphrase-file", "passphrase"];
        let (full, bare) =
            (in_background(here.path(), &with_key).await, in_background(here.path(), &["backup", "bare.db"]).await);
        stop.store(true, Ordering::SeqCst);
        (full, bare)
    };
    let ((full, bare), _) = tokio::join!(backups, join_all(people));
    assert!(full.status.success() && bare.status.success(), "{}{}", output_text(&full), output_text(&bare));
    assert!(logins.load(Ordering::SeqCst) > 0);
    assert!(output_text(&bare).contains("It does not contain the key-encryption key"), "{}", output_text(&bare));
    assert!(!output_text(&full).contains("does not contain"), "{}", output_text(&full));
    for name in ["full.db", "bare.db"] {
        let file = here.path().join(name);
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let key = std::fs::read_to_string(here.path().join("data/key-encryption.key")).unwrap();
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(43).any(|window| window == key.trim().as_bytes()), "the key is never plain");
    }
    let twice = postern(here.path(), &["backup", "bare.db"], "");
    assert!(output_text(&twice).contains("is not replaced"), "{}", output_text(&twice));
    let full = here.path().join("full.db").display().to_string();
    let in_use = postern(here.path(), &["restore", &full, "--force", "--without-key"], "");
    assert!(output_text(&in_use).contains("stop it first"), "{}", output_text(&in_use));
    program.end();

    let no_passphrase = postern(there.path(), &["restore", &full], "");
    assert!(output_text(&no_passphrase).contains("--passphrase-file"), "{}", output_text(&no_passphrase));
    std::fs::write(there.path().join("wrong"), "a lantern at the gatf\n").unwrap();
    let wrong = postern(there.path(), &["restore", &full, "--passphrase-file", "wrong"], "");
    assert!(output_text(&wrong).contains("passphrase is wrong"), "{}", output_text(&wrong));
    let left: Vec<_> =
        std::fs::read_dir(there.path().join("data")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left, ["postern.db.lock"], "nothing half-done");
    std::fs::write(there.path().join("passphrase"), PASSPHRASE).unwrap();
    let restored = postern(there.path(), &["restore", &full, "--passphrase-file", "passphrase"], "");
    assert!(restored.status.success(), "{}", output_text(&restored));
    for name in ["data/postern.db", "data/key-encryption.key"] {
        assert_eq!(there.path().join(name).metadata().unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
    let program = Program::start(there.path(), &[]);
    for name in ["ada", "bob", "eve"] {
        assert_eq!(program.browser().login(name, PASSWORD).await.status, StatusCode::OK);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn restoring_ends_sessions_and_links_unless_sessions_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    add(folder.path(), "ada");
    let run = |arguments: &[&str]| {
        let output = postern(folder.path(), arguments, "");
        assert!(output.status.success(), "{arguments:?}: {}", output_text(&output));
        output_text(&output)
    };
    let invitation = run(&["invite", "--role", "administrator"]);
    let reset = run(&["user", "reset", "ada"]);
    let program = Program::start(folder.path(), &[]);
    let ada = program.browser().signed_in("ada").await;
    assert!(in_background(folder.path(), &["backup", "then.db"]).await.status.success());
    program.end();
    for (more, line, status) in [
        (Some("--keep-sessions"), "Sessions kept: 1,", StatusCode::OK),
        (None, "Sessions ended: 1\n", StatusCode::UNAUTHORIZED),
        // The restore before has ended it.
        (Some("--keep-sessions"), "Sessions kept: 0, without", StatusCode::UNAUTHORIZED),
    ] {
        let arguments: Vec<_> = ["restore", "then.db", "--force"].into_iter().chain(more).collect();
        let said = run(&arguments);
        for words in ["Restored the backup of 20", "Accounts: 1\n", line, "Invitations and reset links voided: 2\n"] {
            assert!(said.contains(words), "{words}: {said}");
        }
        let program = Program::start(folder.path(), &[]);
        let mut again = program.browser();
        again.cookies = Arc::clone(&ada.cookies);
        again.key.clone_from(&ada.key);
        assert_eq!(again.get(paths::SESSION).await.status, status, "{more:?}");
        let refreshed = again.refresh().await;
        assert_eq!(refreshed.status, status, "{more:?}: {}", refreshed.text);
        let code = |link: &str| link.split("#code=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
        let stranger = program.browser();
        let request = json!({"code": code(&reset), "password": "a new lantern at the gate"});
        assert_eq!(stranger.post_sealed(EnvelopeKind::Reset, &request).await.code(), "link_used_up", "{more:?}");
        let account = json!({"username": "eve", "password": "a new lantern at the gate", "code": code(&invitation)});
        assert_eq!(stranger.post_sealed(EnvelopeKind::Signup, &account).await.code(), "signup_closed", "{more:?}");
        program.end();
    }
}

#[test]
fn restoring_names_what_was_changed_since() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], input: &str| {
        let output = postern(folder.path(), arguments, input);
        assert!(output.status.success(), "{arguments:?}: {}", output_text(&output));
        output_text(&output)
    };
    for name in ["ada", "bob", "dan", "eve"] {
        add(folder.path(), name);
    }
    for name in ["ada", "bob"] {
        run(&["user", "role", name, "administrator"], "");
    }
    run(&["backup", "then.db"], "");
    run(&["user", "role", "bob", "user"], "");
    run(&["user", "disable", "dan"], "");
    run(&["user", "delete", "eve", "--yes"], "");
    run(&["user", "set-password", "ada"], "a new lantern at the gate\n");
    add(folder.path(), "fay");
    let said = run(&["restore", "then.db", "--force"], "");
    for line in [
        "Accounts: 4",
        "Deleted since the backup, exist again: eve",
        "Disabled since the backup, enabled again: dan",
        "Administrators again: bob",
        "Password changed since the backup, old password valid again: ada",
        "Created since the backup, no longer exist: fay",
    ] {
        assert!(said.lines().any(|said| said == line), "{line}: {said}");
    }
    std::fs::remove_file(folder.path().join("data/postern.db")).unwrap();
    let said = run(&["restore", "then.db"], "");
    assert!(said.contains("no database to compare with"), "{said}");
}

#[test]
fn nothing_else_uses_a_database_that_is_being_replaced() {
    let folder = tempfile::tempdir().unwrap();
    add(folder.path(), "ada");
    let run = |arguments: &[&str]| postern(folder.path(), arguments, "");
    assert!(run(&["backup", "good.db"]).status.success());
    let lock = std::fs::File::open(folder.path().join("data/postern.db.lock")).unwrap();
    lock.lock().unwrap();
    let second = run(&["restore", "good.db", "--force"]);
    assert!(output_text(&second).contains("stop it first"), "{}", output_text(&second));
    for command in [&["user", "list"][..], &["serve", "--listen", "127.0.0.1:0", "--set", "operator.listen=off"]] {
        let refused = run(command);
        assert!(output_text(&refused).contains("wait until it is done"), "{}", output_text(&refused));
    }
    lock.unlock().unwrap();
    assert!(run(&["restore", "good.db", "--force"]).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_killed_server_is_copied_whole() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    add(here.path(), "ada");
    let program = Program::start(here.path(), &[]);
    add(here.path(), "bob");
    program.kill();
    let journal = here.path().join("data/postern.db-wal");
    assert!(journal.metadata().is_ok_and(|journal| journal.len() > 0), "bob is in the journal");
    for ending in ["", "-wal"] {
        let name = format!("postern.db{ending}");
        std::fs::copy(here.path().join("data").join(&name), there.path().join(&name)).unwrap();
    }
    let run = |folder: &Path, arguments: &[&str]| {
        let output = postern(folder, arguments, "");
        assert!(output.status.success(), "{arguments:?}: {}", output_text(&output));
        output_text(&output)
    };
    assert!(run(there.path(), &["restore", "postern.db"]).contains("Accounts: 2\n"));
    let left = std::fs::read_dir(there.path().join("data")).unwrap();
    assert!(left.map(|file| file.unwrap().file_name()).all(|name| !name.to_string_lossy().ends_with(".new-wal")));
    run(here.path(), &["backup", "then.db"]);
    assert!(run(here.path(), &["restore", "then.db", "--force"]).contains("Accounts: 2\n"));
}

#[test]
fn a_full_disk_leaves_no_half_backup() {
    let folder = tempfile::tempdir().unwrap();
    add(folder.path(), "ada");
    // A file may not grow over 64 blocks of 1,024 bytes: smaller than the database, and larger than what a command reads.
    let limited = |arguments: &str| {
        let script = format!("trap '' XFSZ; ulimit -f 64; exec \"$0\" --data-dir data {arguments}");
        Command::new("bash")
            .args(["-c", &script, env!("CARGO_BIN_EXE_postern")])
            .current_dir(folder.path())
            .output()
            .unwrap()
    };
    // The rows may still be in the write-ahead log.
    let size_of = |name| folder.path().join(name).metadata().map_or(0, |file| file.len());
    let size = size_of("data/postern.db") + size_of("data/postern.db-wal");
    assert!(size > 128 * 1024, "{size}");
    let names = || -> Vec<_> {
        let files =
            std::fs::read_dir(folder.path()).unwrap().chain(std::fs::read_dir(folder.path().join("data")).unwrap());
        files.map(|file| file.unwrap().file_name()).collect()
    };
    let failed = limited("backup then.db");
    assert_eq!(failed.status.code(), Some(1), "{}", output_text(&failed));
    assert!(!output_text(&failed).contains("panicked"), "{}", output_text(&failed));
    assert!(postern(folder.path(), &["backup", "good.db"], "").status.success());
    let failed = limited("restore --force good.db");
    assert_eq!(failed.status.code(), Some(1), "{}", output_text(&failed));
    let left = names();
    assert!(left.iter().all(|name| name != "then.db" && !name.to_string_lossy().contains(".new")), "{left:?}");
    assert_eq!(output_text(&postern(folder.path(), &["user", "list"], "")).lines().count(), 1);
}

fn make_newer(from: &Path, to: &Path) {
    std::fs::copy(from, to).unwrap();
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (99999999999999, 'later', TRUE, x'00', 0)";
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = SqliteConnectOptions::new().filename(to).connect().await.unwrap();
        sqlx::raw_sql(newer).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}

#[test]
fn nothing_is_replaced_by_what_does_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    add(folder.path(), "ada");
    let run = |arguments: &[&str]| postern(folder.path(), arguments, "");
    assert!(run(&["backup", "good.db"]).status.success());
    add(folder.path(), "bob");
    let refused = |file: &str, reason: &str| {
        let output = run(&["restore", file, "--force"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(output_text(&output).contains(reason), "{file}: {}", output_text(&output));
        assert_eq!(output_text(&run(&["user", "list"])).lines().count(), 2, "{file}");
    };
    assert!(output_text(&run(&["restore", "good.db"])).contains("--force"));
    refused("missing.db", "missing.db");
    std::fs::write(folder.path().join("text.db"), "no database").unwrap();
    refused("text.db", "is not a Postern backup");
    let mut bytes = std::fs::read(folder.path().join("good.db")).unwrap();
    bytes.truncate(bytes.len() - 8192);
    std::fs::write(folder.path().join("cut.db"), &bytes).unwrap();
    refused("cut.db", "");
    make_newer(&folder.path().join("good.db"), &folder.path().join("newer.db"));
    refused("newer.db", "newer version");
    let left: Vec<_> =
        std::fs::read_dir(folder.path().join("data")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains(".new")), "{left:?}");

    assert!(output_text(&run(&["audit", "--event", "backup_made"])).contains("good.db"));
    assert!(run(&["restore", "good.db", "--force"]).status.success());
    assert_eq!(output_text(&run(&["user", "list"])).lines().count(), 1, "bob came after the backup");
    assert!(output_text(&run(&["audit", "--event", "backup_restored"])).contains("good.db"));
}

#[test]
fn postgresql_has_its_own_tools() {
    let folder = tempfile::tempdir().unwrap();
    let output =
        postern(folder.path(), &["--set", "database_url=postgres://nobody@127.0.0.1:1/none", "restore", "x"], "");
    assert!(output_text(&output).contains("pg_dump"), "{}", output_text(&output));
}

#[test]
fn a_killed_restore_leaves_no_copy_of_the_database() {
    let folder = tempfile::tempdir().unwrap();
    add(folder.path(), "ada");
    let run = |arguments: &[&str]| postern(folder.path(), arguments, "");
    assert!(run(&["backup", "good.db"]).status.success());
    let data = folder.path().join("data");
    let left = || {
        let files = std::fs::read_dir(&data).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        files.filter(|name| name.starts_with(".postern.db.")).collect::<Vec<_>>()
    };
    let kill = || {
        for name in [".postern.db.Ab3xY9.new", ".postern.db.Ab3xY9.new-wal", ".postern.db.Ab3xY9.new-journal"] {
            std::fs::copy(folder.path().join("good.db"), data.join(name)).unwrap();
        }
    };
    kill();
    let said = output_text(&run(&["doctor"]));
    assert!(said.contains("was interrupted") && said.contains(".postern.db.Ab3xY9.new-wal"), "{said}");
    assert!(run(&["user", "list"]).status.success());
    assert_eq!(left(), [""; 0], "a command removes them, if it is alone");
    kill();
    assert!(run(&["restore", "good.db", "--force"]).status.success());
    assert_eq!(left(), [""; 0], "and so does a restore");
    let program = Program::start(folder.path(), &[]);
    kill();
    assert!(run(&["user", "list"]).status.success());
    assert_eq!(left().len(), 3, "nothing is removed while something else uses the database");
    program.end();
    Program::start(folder.path(), &[]).end();
    assert_eq!(left(), [""; 0], "a start removes them");
}
