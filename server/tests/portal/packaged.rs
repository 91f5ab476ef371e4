//! What packages need of the program: manual pages, completions, a health check, and a look at the database's version.

use crate::support::{Program, postern, said};

#[test]
fn manual_pages_and_completions_name_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let written = postern(folder.path(), &["man", "pages"], "");
    assert!(written.status.success(), "{}", said(&written));
    let page = |name: &str| std::fs::read_to_string(folder.path().join("pages").join(name)).unwrap();
    assert!(page("postern.1").contains("postern\\-user(1)"));
    assert!(page("postern-user-add.1").contains("Add an account"));
    for shell in ["bash", "zsh", "fish"] {
        let text = said(&postern(folder.path(), &["completions", shell], ""));
        assert!(text.contains("set-password"), "{shell}");
    }
    assert!(!folder.path().join("data").exists(), "nothing else is made");
}

#[test]
fn the_version_is_the_packages() {
    let folder = tempfile::tempdir().unwrap();
    let version = said(&postern(folder.path(), &["--version"], ""));
    assert!(version.starts_with(concat!("postern ", env!("CARGO_PKG_VERSION"))), "{version}");
}

#[test]
fn the_health_check_follows_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), &[]);
    let listen = format!("operator.listen={}", program.operator_address());
    let healthy = postern(folder.path(), &["--set", &listen, "health"], "");
    assert_eq!((healthy.status.code(), said(&healthy).trim()), (Some(0), "ready"));
    program.end();
    let gone = postern(folder.path(), &["--set", &listen, "health"], "");
    assert_eq!(gone.status.code(), Some(1), "{}", said(&gone));
    let off = postern(folder.path(), &["--set", "operator.listen=off", "health"], "");
    assert!(said(&off).contains("operator.listen is off"), "{}", said(&off));
}

#[tokio::test]
async fn the_doctor_runs_no_migration() {
    use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};
    let folder = tempfile::tempdir().unwrap();
    assert!(postern(folder.path(), &["user", "add", "ada"], "correct horse battery staple\n").status.success());
    let file = folder.path().join("data/postern.db");
    let mut database = SqliteConnectOptions::new().filename(&file).connect().await.unwrap();
    let doctor = |says: &str| {
        let found = said(&postern(folder.path(), &["doctor"], ""));
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
