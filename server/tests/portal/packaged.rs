//! The parts of the program that packages need: manual pages, completions, a health check, and the version of the
//! database.

use crate::support::{Program, output_text, postern};

#[test]
fn manual_pages_and_completions_name_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let written = postern(folder.path(), &["man", "pages"], "");
    assert!(written.status.success(), "{}", output_text(&written));
    let page = |name: &str| std::fs::read_to_string(folder.path().join("pages").join(name)).unwrap();
    assert!(page("postern.1").contains("postern\\-user(1)"));
    assert!(page("postern-user-add.1").contains("Add an account"));
    for shell in ["bash", "zsh", "fish"] {
        let text = output_text(&postern(folder.path(), &["completions", shell], ""));
        assert!(text.contains("set-password"), "{shell}");
    }
    assert!(!folder.path().join("data").exists(), "nothing else is made");
}

#[test]
fn the_version_is_the_packages() {
    let folder = tempfile::tempdir().unwrap();
    let version = output_text(&postern(folder.path(), &["--version"], ""));
    assert!(version.starts_with(concat!("postern ", env!("CARGO_PKG_VERSION"))), "{version}");
}

#[test]
fn the_health_check_follows_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), &[]);
    let listen = format!("operator.listen={}", program.operator_address());
    let healthy = postern(folder.path(), &["--set", &listen, "health"], "");
    assert_eq!((healthy.status.code(), output_text(&healthy).trim()), (Some(0), "ready"));
    program.end();
    let gone = postern(folder.path(), &["--set", &listen, "health"], "");
    assert_eq!(gone.status.code(), Some(1), "{}", output_text(&gone));
    let off = postern(folder.path(), &["--set", "operator.listen=off", "health"], "");
    assert!(output_text(&off).contains("operator.listen is off"), "{}", output_text(&off));
}

#[tokio::test]
async fn a_command_leaves_a_database_of_an_earlier_version_to_the_server() {
    use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};
    let folder = tempfile::tempdir().unwrap();
    assert!(postern(folder.path(), &["user", "add", "ada"], "correct horse battery staple\n").status.success());
    let file = folder.path().join("data/postern.db");
    let mut database = SqliteConnectOptions::new().filename(&file).connect().await.unwrap();
    let undo = "DROP INDEX oauth_logouts_next; DELETE FROM _sqlx_migrations WHERE version = 38";
    sqlx::raw_sql(undo).execute(&mut database).await.unwrap();
    let backup = folder.path().join("backup.db").display().to_string();
    for command in [&["client", "list"][..], &["user", "list"], &["backup", &backup]] {
        let refused = postern(folder.path(), command, "");
        assert_eq!(refused.status.code(), Some(1), "{command:?}: {}", output_text(&refused));
        assert!(output_text(&refused).contains("start the server of this version"), "{}", output_text(&refused));
    }
    Program::start(folder.path(), &[]).end();
    let listed = postern(folder.path(), &["user", "list"], "");
    assert!(listed.status.success(), "{}", output_text(&listed));
}

/// Runs a script of the package in a folder instead of `/`, with a program that prints its settings.
fn script(folder: &std::path::Path, name: &str, arguments: &[&str]) -> String {
    use std::os::unix::fs::PermissionsExt;
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/debian/postern/");
    let script = std::fs::read_to_string(format!("{shipped}{name}")).unwrap();
    let here = |path: &str| folder.join(path).display().to_string();
    let script = script.replace("/usr/bin/postern", &here("postern")).replace("/etc/postern", &here("etc"));
    std::fs::create_dir_all(folder.join("etc")).unwrap();
    std::fs::write(folder.join("etc/postern.toml"), "").unwrap();
    std::fs::write(folder.join("etc/environment"), "DATABASE_URL=postgres://db.example/postern\n").unwrap();
    let programs = [
        ("postern", r#"echo "database_url = \"$DATABASE_URL\"  # environment""#),
        ("bin/runuser", r#"shift 3; exec "$@""#),
        ("bin/getent", "exit 0"),
        ("bin/install", "exit 0"),
        ("bin/dpkg-statoverride", "exit 0"),
        ("bin/deb-systemd-helper", "exit 0"),
        ("bin/deb-systemd-invoke", "exit 0"),
        ("bin/systemctl", "exit 0"),
    ];
    std::fs::create_dir_all(folder.join("bin")).unwrap();
    for (path, text) in programs {
        std::fs::write(folder.join(path), format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(folder.join(path), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:{}", here("bin"), std::env::var("PATH").unwrap());
    let output = std::process::Command::new("sh")
        .args(["-c", &script, name])
        .args(arguments)
        .env("PATH", path)
        .env_remove("DATABASE_URL")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", output_text(&output));
    output_text(&output)
}

#[test]
fn the_package_reads_the_servers_environment() {
    let folder = tempfile::tempdir().unwrap();
    let before = script(folder.path(), "preinst", &["upgrade", "0.1.0"]);
    assert!(before.contains("back it up with pg_dump"), "{before}");
    let after = script(folder.path(), "postinst", &["configure", ""]);
    assert!(after.contains("postgres://db.example/postern"), "{after}");
}

#[tokio::test]
async fn the_doctor_runs_no_migration() {
    use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};
    let folder = tempfile::tempdir().unwrap();
    assert!(postern(folder.path(), &["user", "add", "ada"], "correct horse battery staple\n").status.success());
    let file = folder.path().join("data/postern.db");
    let mut database = SqliteConnectOptions::new().filename(&file).connect().await.unwrap();
    let doctor = |says: &str| {
        let found = output_text(&postern(folder.path(), &["doctor"], ""));
        assert!(found.contains(says), "{says}: {found}");
    };
    doctor("every change that this version needs");

    sqlx::raw_sql("DELETE FROM _sqlx_migrations WHERE version = 18").execute(&mut database).await.unwrap();
    doctor("changes of the database are pending: 18 gates.");
    doctor("changes of the database are pending: 18 gates.");

    sqlx::raw_sql("UPDATE _sqlx_migrations SET version = 9999 WHERE version = 16")
        .execute(&mut database)
        .await
        .unwrap();
    doctor("A newer version of Postern has changed the database");
}
