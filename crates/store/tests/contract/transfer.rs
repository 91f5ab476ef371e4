//! The move from SQLite to PostgreSQL.

use crate::fixture::{Engine, Fixture, run};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection};
use std::collections::BTreeSet;
use store::transfer::{TransferError, TransferOutcome, reopen, transfer};
use store::{StoreOptions, open};

/// Number of rows of each table.
const ROWS: u64 = 3;

/// Every character that PostgreSQL's text format escapes, and some that it does not.
const STRANGE: &str = "tab\t line\n return\r back\u{8} form\u{c} vertical\u{b} \\N \\. \\\\ 'é' \u{10ffff}";

struct Moving {
    _folder: tempfile::TempDir,
    from: String,
    file: SqliteConnection,
    to: String,
    target: PgConnection,
}

/// Makes a source of which every table has rows. In a row, every text is the same, so that rows refer to each other.
async fn moving(fixture: &Fixture) -> Moving {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("postern.db");
    let from = format!("sqlite:{}", path.display());
    open(&from, StoreOptions::default()).await.unwrap().close().await;
    let mut file = SqliteConnectOptions::new().filename(&path).foreign_keys(false).connect().await.unwrap();
    for table in tables(&mut file).await {
        let columns: Vec<(String, String)> = sqlx::query_as("SELECT name, type FROM pragma_table_info($1)")
            .bind(&table)
            .fetch_all(&mut file)
            .await
            .unwrap();
        for n in 0..ROWS {
            let values: Vec<_> = columns
                .iter()
                .map(|(_, kind)| match kind.as_str() {
                    "TEXT" => format!("'{n} {}'", STRANGE.replace('\'', "''")),
                    _ => (i64::MAX - i64::try_from(n).unwrap()).to_string(),
                })
                .collect();
            let sql = format!("INSERT INTO \"{table}\" VALUES ({})", values.join(", "));
            file.execute(AssertSqlSafe(sql)).await.unwrap();
        }
    }
    let target = PgConnection::connect(&fixture.url).await.unwrap();
    Moving { _folder: folder, from, file, to: fixture.url.clone(), target }
}

async fn tables(file: &mut SqliteConnection) -> Vec<String> {
    let all =
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('_sqlx_migrations', 'sqlite_stat1')";
    sqlx::query_scalar(all).fetch_all(file).await.unwrap()
}

/// Returns the tables that the migrations make and keep.
fn made_by_migrations() -> BTreeSet<String> {
    let mut files: Vec<_> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    let mut made = BTreeSet::new();
    for file in files {
        for line in std::fs::read_to_string(&file).unwrap().lines() {
            let words: Vec<_> = line.split([' ', ';', '(']).filter(|word| !word.is_empty()).collect();
            match words.as_slice() {
                ["CREATE", "TABLE", name, ..] => drop(made.insert((*name).to_owned())),
                ["DROP", "TABLE", name, ..] => drop(made.remove(*name)),
                ["ALTER", "TABLE", name, "RENAME", "TO", new, ..] => {
                    made.remove(*name);
                    made.insert((*new).to_owned());
                }
                _ => {}
            }
        }
    }
    made
}

async fn count(target: &mut PgConnection, table: &str) -> i64 {
    let sql = format!("SELECT COUNT(*) FROM \"{table}\"");
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(target).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_of_every_table_arrives_once() {
    run(Engine::Postgres, every_row).await;
}

async fn every_row(fixture: Fixture) {
    let mut moving = moving(&fixture).await;
    let mut seen = BTreeSet::new();
    let mut look = |table: &store::transfer::TransferredTable| {
        assert_eq!(table.rows.rows, ROWS, "{}", table.name);
        seen.insert(table.name.clone());
    };
    assert_eq!(transfer(&moving.from, &moving.to, true, &mut look).await.unwrap(), TransferOutcome::Tried);
    let exist = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema()";
    let made: i64 = sqlx::query_scalar(exist).fetch_one(&mut moving.target).await.unwrap();
    assert_eq!(made, 0, "a dry run changes nothing");

    assert_eq!(transfer(&moving.from, &moving.to, false, &mut look).await.unwrap(), TransferOutcome::Moved);
    assert_eq!(seen, made_by_migrations());
    let text: String =
        sqlx::query_scalar("SELECT name FROM users WHERE id LIKE '2 %'").fetch_one(&mut moving.target).await.unwrap();
    assert_eq!(text, format!("2 {STRANGE}"));

    let made = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name";
    let made: Vec<String> = sqlx::query_scalar(made).fetch_all(&mut moving.file).await.unwrap();
    let there = "SELECT CAST(c.relname AS TEXT) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE c.relnamespace = CAST(current_schema() AS regnamespace) AND c.relname NOT LIKE '_sqlx%'
            AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype <> 'f')
        ORDER BY CAST(c.relname AS TEXT)";
    let there: Vec<String> = sqlx::query_scalar(there).fetch_all(&mut moving.target).await.unwrap();
    assert_eq!(there, made, "the indexes that were dropped for the move");
    let mut references = 0;
    for table in &seen {
        let own = "SELECT COUNT(*) FROM pragma_foreign_key_list($1)";
        let own: i64 = sqlx::query_scalar(own).bind(table).fetch_one(&mut moving.file).await.unwrap();
        references += own;
    }
    let there = "SELECT COUNT(*) FROM pg_constraint
        WHERE contype = 'f' AND connamespace = CAST(current_schema() AS regnamespace)";
    let there: i64 = sqlx::query_scalar(there).fetch_one(&mut moving.target).await.unwrap();
    assert_eq!(there, references);

    let refused = moving.file.execute("DELETE FROM users").await.unwrap_err();
    assert!(refused.to_string().contains("moved to PostgreSQL"), "{refused}");
    assert_eq!(transfer(&moving.from, &moving.to, false, |_| ()).await.unwrap(), TransferOutcome::WasThere);
    open(&moving.to, StoreOptions::default()).await.unwrap().close().await;

    moving.target.execute("DELETE FROM audit WHERE id LIKE '1 %'").await.unwrap();
    let refused = transfer(&moving.from, &moving.to, false, |_| ()).await.unwrap_err();
    assert!(matches!(refused, TransferError::NotEmpty(_)), "{refused}");
    reopen(&moving.from).await.unwrap();
    moving.file.execute("DELETE FROM strikes").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_fails_leaves_nothing_and_is_made_again() {
    run(Engine::Postgres, fails).await;
}

async fn fails(fixture: Fixture) {
    let mut moving = moving(&fixture).await;
    open(&moving.to, StoreOptions::default()).await.unwrap().close().await;
    // The last table but one refuses a row.
    moving.target.execute("ALTER TABLE user_keys ADD CONSTRAINT broken CHECK (version < 0)").await.unwrap();
    assert!(transfer(&moving.from, &moving.to, false, |_| ()).await.is_err());
    for table in made_by_migrations() {
        assert_eq!(count(&mut moving.target, &table).await, 0, "{table}");
    }
    moving.file.execute("UPDATE audit SET outcome = outcome").await.unwrap();

    // A row that arrives with another content is noticed.
    moving
        .target
        .execute(
            "ALTER TABLE user_keys DROP CONSTRAINT broken;
            CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN NEW.outcome = ''other''; RETURN NEW; END';
            CREATE TRIGGER spoil BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION spoil()",
        )
        .await
        .unwrap();
    let refused = transfer(&moving.from, &moving.to, false, |_| ()).await.unwrap_err();
    assert!(matches!(&refused, TransferError::Differs(table) if table == "audit"), "{refused}");
    assert_eq!(count(&mut moving.target, "users").await, 0);

    moving.target.execute("DROP TRIGGER spoil ON audit").await.unwrap();
    assert_eq!(transfer(&moving.from, &moving.to, false, |_| ()).await.unwrap(), TransferOutcome::Moved);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_is_done_even_if_the_planner_learns_nothing_of_it() {
    run(Engine::Postgres, analyze_fails).await;
}

async fn analyze_fails(fixture: Fixture) {
    let mut moving = moving(&fixture).await;
    open(&moving.to, StoreOptions::default()).await.unwrap().close().await;
    // From the commit on, a statement may take a millisecond. A table with a waiting trigger can get no index.
    moving
        .target
        .execute(
            "CREATE FUNCTION hurry() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN PERFORM set_config(''statement_timeout'', ''1'', false); RETURN NULL; END';
            CREATE CONSTRAINT TRIGGER hurry AFTER INSERT ON services DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION hurry()",
        )
        .await
        .unwrap();
    assert_eq!(transfer(&moving.from, &moving.to, false, |_| ()).await.unwrap(), TransferOutcome::Moved);
    let refused = moving.file.execute("DELETE FROM users").await.unwrap_err();
    assert!(refused.to_string().contains("moved to PostgreSQL"), "{refused}");
}

#[tokio::test]
async fn other_engines_and_old_sources_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let from = format!("sqlite:{}", folder.path().join("postern.db").display());
    for (from, to) in [("postgres://a/b", "postgres://a/b"), (from.as_str(), "sqlite:other.db"), ("mysql:x", "y")] {
        assert!(matches!(transfer(from, to, false, |_| ()).await, Err(TransferError::Engines)));
    }
    assert!(transfer(&from, "postgres://127.0.0.1:1/none", false, |_| ()).await.is_err(), "there is no file");
    std::fs::write(folder.path().join("postern.db"), "").unwrap();
    let refused = transfer(&from, "postgres://127.0.0.1:1/none", false, |_| ()).await.unwrap_err();
    assert!(matches!(&refused, TransferError::Older(_)), "{refused}");
}
