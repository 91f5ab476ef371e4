//! Cases for a database file.

use crate::make::{NOW, entry, session, user};
use domain::authentication::{Authentication, Methods};
use futures::future::join_all;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use store::audit::AuditEvent;
use store::{Error, StoreOptions, open, open_sqlite};

#[tokio::test]
#[cfg(unix)]
async fn the_file_and_its_journal_are_readable_by_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/postern.db", folder.path().display());
    let store = open(&url, StoreOptions::default()).await.unwrap();
    user(&*store, "ada").await;
    let mut files = 0;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let mode = file.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        files += 1;
    }
    assert_eq!(files, 3, "the database, its journal and the journal's index");
    store.close().await;
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "closing puts the journal away");
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_an_error_and_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let url = format!("sqlite:{}/postern.db", missing.display());
    assert!(matches!(open(&url, StoreOptions::default()).await, Err(Error::Database(sqlx::Error::Io(_)))));
    assert!(!missing.exists());
}

#[tokio::test]
async fn other_addresses_are_refused() {
    for url in ["", "postern.db", "mysql://localhost/x", "sqlite::memory:", "sqlite:", "sqlite:x?mode=memory"] {
        assert!(open(url, StoreOptions::default()).await.is_err(), "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_is_not_committed_is_answered_with_errors() {
    let folder = tempfile::tempdir().unwrap();
    let connect = SqliteConnectOptions::new().filename(folder.path().join("postern.db"));
    let broken = Arc::new(AtomicBool::new(false));
    let commits = Arc::new(AtomicU32::new(0));
    let hook = (broken.clone(), commits.clone());
    let writer = SqlitePoolOptions::new().after_connect(move |connection, _| {
        let (broken, commits) = hook.clone();
        Box::pin(async move {
            connection.lock_handle().await?.set_commit_hook(move || {
                commits.fetch_add(1, Ordering::Relaxed);
                !broken.load(Ordering::Relaxed)
            });
            Ok(())
        })
    });
    let store = open_sqlite(connect, writer, StoreOptions::default()).await.unwrap();
    let write_fifty = async || {
        let tasks = (0..50).map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.append(&entry(AuditEvent::Login, Some(&"ada".into()), NOW)).await })
        });
        join_all(tasks).await.into_iter().map(Result::unwrap).collect::<Vec<_>>()
    };
    broken.store(true, Ordering::Relaxed);
    assert!(write_fifty().await.iter().all(|answer| matches!(answer, Err(Error::Commit(_)))));
    assert!(store.audit_of(&"ada".into(), 100).await.unwrap().is_empty());

    broken.store(false, Ordering::Relaxed);
    commits.store(0, Ordering::Relaxed);
    assert!(write_fifty().await.iter().all(Result::is_ok), "the writer goes on with a new connection");
    assert_eq!(store.audit_of(&"ada".into(), 100).await.unwrap().len(), 50);
    let commits = commits.load(Ordering::Relaxed);
    assert!(commits < 50, "fifty writes took {commits} commits");
}

#[tokio::test]
async fn names_of_an_earlier_version_follow_todays_rules_and_collisions_are_not_merged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("postern.db");
    let url = format!("sqlite:{}", path.display());
    let store = open(&url, StoreOptions::default()).await.unwrap();
    let [root, wide, zoe] = [user(&*store, "root").await, user(&*store, "wide").await, user(&*store, "zoe").await];
    store.close().await;

    let pool = SqlitePoolOptions::new().connect_with(SqliteConnectOptions::new().filename(&path)).await.unwrap();
    for (id, name) in [(&root, "root"), (&wide, "\u{ff52}\u{ff4f}\u{ff4f}\u{ff54}"), (&zoe, "\u{ff5a}\u{ff4f}\u{ff45}")]
    {
        let set = sqlx::query("UPDATE users SET name = $2, name_key = $2, skeleton = '' WHERE id = $1");
        set.bind(id.as_str()).bind(name).execute(&pool).await.unwrap();
    }
    pool.close().await;

    let store = open(&url, StoreOptions::default()).await.unwrap();
    assert_eq!(store.user_by_key("root").await.unwrap().unwrap().id, root, "the one that had the name keeps it");
    assert_eq!(store.user_by_key("zoe").await.unwrap().unwrap().id, zoe, "found in every width now");
    let stray = store::users::NamedAccount { id: wide.clone(), name: "\u{ff52}\u{ff4f}\u{ff4f}\u{ff54}".to_owned() };
    assert_eq!(store.odd_names().await.unwrap().stray, std::slice::from_ref(&stray));
    let alike = store.look_alikes(100).await.unwrap();
    assert_eq!(alike.iter().map(Vec::len).collect::<Vec<_>>(), [2]);
    assert_eq!((&alike[0][0].id, &alike[0][1]), (&root, &stray));
    assert_eq!(store.user_count().await.unwrap(), 3);
    assert_eq!(store.add_user(&crate::make::new_user("r\u{f3}ot")).await.unwrap(), store::users::AddUserOutcome::Added);

    let name = domain::account::AccountName::parse("wide").unwrap();
    let row = entry(AuditEvent::UserRenamed, Some(&wide), NOW);
    assert_eq!(store.rename_user(&wide, &name, &row, NOW).await.unwrap(), store::users::RenameOutcome::Renamed);
    assert!(store.odd_names().await.unwrap().stray.is_empty());
}

#[tokio::test]
async fn display_names_of_an_earlier_version_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("postern.db");
    let url = format!("sqlite:{}", path.display());
    let store = open(&url, StoreOptions::default()).await.unwrap();
    for number in 0..1100 {
        user(&*store, &format!("user{number}")).await;
    }
    store.close().await;
    let pool = SqlitePoolOptions::new().connect_with(SqliteConnectOptions::new().filename(&path)).await.unwrap();
    sqlx::query("UPDATE users SET display_name = 'Ł of ' || name").execute(&pool).await.unwrap();
    pool.close().await;

    let store = open(&url, StoreOptions::default()).await.unwrap();
    assert_eq!(store.search_users("ł of user", "", 2000).await.unwrap().len(), 1100);
}

#[tokio::test]
async fn a_second_dot_of_an_earlier_version_is_seen_as_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("postern.db");
    let url = format!("sqlite:{}", path.display());
    let store = open(&url, StoreOptions::default()).await.unwrap();
    let id = user(&*store, "alix").await;
    store.close().await;

    let pool = SqlitePoolOptions::new().connect_with(SqliteConnectOptions::new().filename(&path)).await.unwrap();
    let name = "ali\u{307}ce";
    let set = sqlx::query("UPDATE users SET name = $2, name_key = $2, skeleton = $2 WHERE id = $1");
    set.bind(id.as_str()).bind(name).execute(&pool).await.unwrap();
    sqlx::query("DELETE FROM _sqlx_migrations WHERE version = 53").execute(&pool).await.unwrap();
    pool.close().await;

    let store = open(&url, StoreOptions::default()).await.unwrap();
    assert_eq!(store.user_by_key(name).await.unwrap().unwrap().id, id, "the account keeps its name");
    let added = store.add_user(&crate::make::new_user("alice")).await.unwrap();
    assert_eq!(added, store::users::AddUserOutcome::NameConfusable);
}

#[tokio::test]
async fn sessions_of_an_earlier_version_began_with_a_password_when_they_were_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("postern.db");
    let url = format!("sqlite:{}", path.display());
    let store = open(&url, StoreOptions::default()).await.unwrap();
    let ada = user(&*store, "ada").await;
    let id = session(&*store, &ada, NOW).await;
    store.close().await;

    let pool = SqlitePoolOptions::new().connect_with(SqliteConnectOptions::new().filename(&path)).await.unwrap();
    for undo in [
        "ALTER TABLE sessions DROP COLUMN auth_time",
        "ALTER TABLE sessions DROP COLUMN methods",
        "DELETE FROM _sqlx_migrations WHERE version = 19",
    ] {
        sqlx::query(undo).execute(&pool).await.unwrap();
    }
    pool.close().await;

    let store = open(&url, StoreOptions::default()).await.unwrap();
    let row = store.session(&id).await.unwrap().unwrap();
    assert_eq!(row.authentication, Authentication { methods: Methods::PASSWORD, at: NOW });
}

#[tokio::test]
async fn frequent_queries_read_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("postern.db");
    open(&format!("sqlite:{}", path.display()), StoreOptions::default()).await.unwrap().close().await;
    let pool = SqlitePoolOptions::new().connect_with(SqliteConnectOptions::new().filename(&path)).await.unwrap();
    for (begins, index) in [
        ("SELECT l.session_id, l.client_id, l.user_id, l.tries FROM oauth_logouts", "oauth_logouts_next"),
        ("UPDATE oauth_logouts SET next_at =\n", "oauth_logouts_next"),
        ("UPDATE mails SET given_up_at = $1", "mails_deadline"),
        ("UPDATE mails SET sealed", "mails_link"),
        ("DELETE FROM mails WHERE given_up_at", "mails_given_up"),
        ("DELETE FROM users WHERE deleted_at <", "users_deleted"),
        ("DELETE FROM bans WHERE until <", "bans_until"),
        ("DELETE FROM bans WHERE lifted_at <", "bans_lifted"),
        ("DELETE FROM reservations WHERE until", "reservations_until"),
        ("DELETE FROM turns WHERE taken_at", "turns_taken"),
        ("DELETE FROM sessions WHERE COALESCE", "sessions_over"),
        ("UPDATE user_keys SET sealed = '' WHERE ends_at", "user_keys_ended"),
        ("DELETE FROM totp WHERE created_at", "totp_waiting"),
        ("SELECT COUNT(*) AS n FROM users WHERE deleted_at IS NULL", "users_search"),
        ("SELECT at - at % 3600000 AS hour", "audit_sign_ins"),
        ("SELECT user_id AS id, version, 'user_keys/'", "user_keys_sealer"),
        ("DELETE FROM oauth_codes WHERE client_id", "oauth_codes_client"),
        ("DELETE FROM oauth_consents WHERE client_id", "oauth_consents_client"),
        ("DELETE FROM oauth_documents WHERE id IN", "oauth_documents_fetched"),
    ] {
        let sql = store::sql::all_statements().find(|sql| sql.starts_with(begins)).expect("a statement");
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"))).fetch_all(&pool).await.unwrap();
        let steps: Vec<_> = plan.into_iter().map(|(_, _, _, step)| step).collect();
        assert!(steps.iter().any(|step| format!("{step} ").contains(&format!("INDEX {index} "))), "{sql}: {steps:?}");
    }
    pool.close().await;
}
