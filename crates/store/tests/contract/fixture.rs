//! A database of its own for every case.

use sqlx::{Connection, Executor, PgConnection};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use store::{Store, StoreOptions, open};

#[derive(Clone, Copy)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
    /// PostgreSQL as behind a pooler that gives each transaction another session.
    Pooled,
}

/// An empty database that can be opened more than once, as processes would.
pub(crate) struct Fixture {
    pub url: String,
}

impl Fixture {
    pub(crate) async fn open(&self) -> Arc<dyn Store> {
        self.open_with(StoreOptions::default()).await
    }

    pub(crate) async fn open_with(&self, options: StoreOptions) -> Arc<dyn Store> {
        open(&self.url, options).await.expect("the store opens")
    }
}

pub(crate) async fn run(engine: Engine, case: impl AsyncFnOnce(Fixture)) {
    match engine {
        Engine::Sqlite => {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("postern.db");
            case(Fixture { url: format!("sqlite:{}", path.display()) }).await;
        }
        Engine::Postgres | Engine::Pooled => {
            if let Some(server) = postgres() {
                let schema = schema(&server).await;
                let mark = if server.contains('?') { '&' } else { '?' };
                let pooler = if matches!(engine, Engine::Pooled) { "&pooler=transaction" } else { "" };
                case(Fixture { url: format!("{server}{mark}options=-csearch_path%3D{schema}{pooler}") }).await;
                drop_schema(&server, &schema).await;
            }
        }
    }
}

fn postgres() -> Option<String> {
    let server = std::env::var("TEST_POSTGRES_URL").ok().filter(|url| !url.is_empty());
    if server.is_none() {
        assert!(std::env::var_os("CI").is_none(), "TEST_POSTGRES_URL must name a server under CI");
        println!("skipped: TEST_POSTGRES_URL names no server");
    }
    server
}

async fn schema(server: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("case_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let mut connection = PgConnection::connect(server).await.expect("PostgreSQL answers");
    let sql = format!("DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}");
    connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql))).await.unwrap();
    name
}

async fn drop_schema(server: &str, name: &str) {
    let mut connection = PgConnection::connect(server).await.unwrap();
    let sql = format!("SET client_min_messages = warning; DROP SCHEMA {name} CASCADE");
    connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql))).await.unwrap();
}
