//! A server that vanishes from the network: its open connections get no answer and no error.

use crate::fixture::{Engine, Fixture, run};
use crate::make::{NOW, entry};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, Executor, PgConnection};
use std::time::Duration;
use store::audit::AuditEvent;
use store::{Error, StoreOptions, open};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A way to the server.
struct Way {
    url: String,
    age: watch::Sender<u32>,
}

impl Way {
    async fn to(fixture: &Fixture) -> Self {
        let server: PgConnectOptions = fixture.url.parse().unwrap();
        let address = format!("{}:{}", server.get_host(), server.get_port());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = fixture.url.replacen(&address, &listener.local_addr().unwrap().to_string(), 1);
        assert_ne!(url, fixture.url, "the URL names host and port");
        let age = watch::Sender::new(0);
        let current = age.clone();
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(&address).await.unwrap();
                tokio::spawn(carry(client, server, current.subscribe()));
            }
        });
        Self { url, age }
    }

    /// Ends the open connections at the server, and waits until nothing crosses them. The client learns nothing of it.
    async fn vanish(&self) {
        self.age.send_modify(|age| *age += 1);
        self.age.closed().await;
    }
}

async fn carry(mut client: TcpStream, mut server: TcpStream, mut age: watch::Receiver<u32>) {
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = age.changed() => {
            drop((server, age));
            std::future::pending::<()>().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn its_connections_are_replaced() {
    run(Engine::Postgres, replaced).await;
}

async fn replaced(fixture: Fixture) {
    let way = Way::to(&fixture).await;
    // Each statement here waits as long if nothing answers. The others need less, also on a busy machine.
    let statement_timeout = Duration::from_secs(3);
    let options = StoreOptions { connections: 2, statement_timeout, ..StoreOptions::default() };
    let store = open(&way.url, options).await.unwrap();

    // A read and a write wait for an answer.
    let mut other = PgConnection::connect(&fixture.url).await.unwrap();
    other.execute("BEGIN; LOCK TABLE users; LOCK TABLE audit").await.unwrap();
    let reading = tokio::spawn({
        let store = store.clone();
        async move { store.has_users().await }
    });
    let writing = tokio::spawn({
        let store = store.clone();
        async move { store.append(&entry(AuditEvent::Login, Some(&"ada".into()), NOW)).await }
    });
    let waiting = "SELECT COUNT(*) FROM pg_locks
        WHERE NOT granted AND relation IN ('users'::regclass, 'audit'::regclass)";
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut other).await.unwrap() < 2 {
        tokio::task::yield_now().await;
    }
    way.vanish().await;
    other.execute("ROLLBACK").await.unwrap();
    assert!(matches!(reading.await.unwrap(), Err(Error::NoAnswer)));
    assert!(matches!(writing.await.unwrap(), Err(Error::NoAnswer)));
    store.ping().await.unwrap();
    store.append(&entry(AuditEvent::Login, Some(&"ada".into()), NOW)).await.unwrap();

    // The idle ones are tested before they are used.
    way.vanish().await;
    store.ping().await.unwrap();
    store.append(&entry(AuditEvent::Login, Some(&"ada".into()), NOW)).await.unwrap();
    store.last_changes().await.unwrap();

    // A caller that stops waiting does not keep a connection either.
    let store = open(&way.url, options).await.unwrap();
    other.execute("BEGIN; LOCK TABLE users").await.unwrap();
    for _ in 0..2 {
        let reading = tokio::time::timeout(Duration::from_millis(300), store.has_users());
        assert!(reading.await.is_err(), "the table is locked");
    }
    way.vanish().await;
    other.execute("ROLLBACK").await.unwrap();
    store.ping().await.unwrap();

    // Nor does it keep the store from closing.
    other.execute("BEGIN; LOCK TABLE users").await.unwrap();
    for _ in 0..2 {
        let reading = tokio::time::timeout(Duration::from_millis(300), store.has_users());
        assert!(reading.await.is_err(), "the table is locked");
    }
    way.vanish().await;
    other.execute("ROLLBACK").await.unwrap();
    let closing = tokio::time::timeout(Duration::from_secs(20), store.close());
    closing.await.expect("closed, although nothing answers");
}
