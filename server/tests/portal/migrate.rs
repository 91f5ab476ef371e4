//! `postern migrate` with the program itself.

use crate::support::{PASSWORD, Program, output_text, postern};
use http::StatusCode;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use wire::paths;

/// Creates a schema of its own in the PostgreSQL of `tools/with-postgres.sh`. Returns `None` if there is none.
async fn database(name: &str) -> Option<String> {
    let Some(server) = std::env::var("TEST_POSTGRES_URL").ok().filter(|url| !url.is_empty()) else {
        assert!(std::env::var_os("CI").is_none(), "TEST_POSTGRES_URL must name a server under CI");
        println!("skipped: TEST_POSTGRES_URL names no server");
        return None;
    };
    let name = format!("{name}_{}", std::process::id());
    let mut connection = PgConnection::connect(&server).await.unwrap();
    let sql = format!("DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}");
    connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.unwrap();
    let mark = if server.contains('?') { '&' } else { '?' };
    Some(format!("{server}{mark}options=-csearch_path%3D{name}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_stay_signed_in_on_the_other_engine() {
    let Some(to) = database("migrate").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| postern(folder.path(), arguments, &format!("{PASSWORD}\n"));
    let added = run(&["user", "add", "ada", "--role", "administrator"]);
    assert!(added.status.success(), "{}", output_text(&added));
    let before = Program::start(folder.path(), &[]);
    let ada = before.browser().signed_in("ada").await;
    assert_eq!(ada.get(paths::SESSION).await.status, StatusCode::OK);

    let tried = run(&["migrate", "--to", &to, "--dry-run"]);
    assert!(tried.status.success() && output_text(&tried).contains("Nothing was changed"), "{}", output_text(&tried));
    assert_eq!(ada.refresh().await.status, StatusCode::OK);
    // The server is running, and cannot write to the old database from now on.
    let moved = run(&["migrate", "--to", &to]);
    assert!(
        moved.status.success() && output_text(&moved).contains("were moved, read back and compared"),
        "{}",
        output_text(&moved)
    );
    assert_eq!(ada.refresh().await.status, StatusCode::SERVICE_UNAVAILABLE);
    before.end();

    let setting = format!("database_url={to}");
    let after = Program::start(folder.path(), &[&setting]);
    let ada = after.browser_of(&ada);
    assert_eq!(ada.get(paths::SESSION).await.status, StatusCode::OK, "the same cookie");
    assert_eq!(ada.refresh().await.status, StatusCode::OK);
    assert_eq!(after.browser().login("ada", PASSWORD).await.status, StatusCode::OK);
    assert_eq!(after.operator().get("/readyz").await.status, StatusCode::OK);

    let other = postern(folder.path(), &["migrate", "--to", &to], "");
    assert_eq!(other.status.code(), Some(1));
    assert!(output_text(&other).contains("has rows already"), "{}", output_text(&other));
    after.end();
    let given_up = postern(folder.path(), &["migrate", "--reopen"], "");
    assert!(given_up.status.success(), "{}", output_text(&given_up));
    let back = Program::start(folder.path(), &[]);
    assert_eq!(back.browser().login("ada", PASSWORD).await.status, StatusCode::OK);
    back.end();
}
