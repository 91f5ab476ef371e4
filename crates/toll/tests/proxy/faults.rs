//! An upstream that is away, silent, or comes back.

use crate::support::{Raw, Upstream, World, route};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::TcpListener;
use toll::upstream::ForwardSettings;

#[tokio::test]
async fn an_upstream_that_is_away_is_left_alone_for_a_moment_and_found_again() {
    // A port that no other program gets meanwhile: it is bound and does not listen.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let away = socket.local_addr().unwrap();
    let world = World::with(|_| vec![route("away", "/**", away, &ForwardSettings::default())]).await;
    for _ in 0..3 {
        assert_eq!(world.get("/", "").await.status, 502);
    }
    let reply = world.get("/", "").await;
    assert_eq!(reply.status, 503);
    assert!(reply.head.contains("retry-after: 2"), "{}", reply.head);
    assert_eq!(reply.json()["code"], "unavailable");

    let listener: TcpListener = socket.listen(16).unwrap();
    let _upstream = Upstream::on(listener);
    assert_eq!(world.get("/", "").await.status, 503, "not yet");
    world.now.fetch_add(2_000, Ordering::SeqCst);
    assert_eq!(world.get("/", "").await.status, 200);
    assert_eq!(world.get("/", "").await.status, 200);
}

#[tokio::test]
async fn one_that_says_nothing_is_waited_for_so_long() {
    let hurried = ForwardSettings { answer_within: Duration::from_millis(50), ..ForwardSettings::default() };
    let patient = ForwardSettings::default();
    let world = World::with(|upstream| {
        vec![route("never", "/never", upstream, &hurried), route("all", "/**", upstream, &patient)]
    })
    .await;
    let reply = world.get("/never", "").await;
    assert_eq!((reply.status, &reply.json()["code"]), (504, &"unavailable".into()));
    assert_eq!(world.get("/broken", "").await.status, 500, "its own answer is its own");
}

#[tokio::test]
async fn a_client_that_stops_in_its_body_does_not_close_the_upstream_to_others() {
    // Long enough for the answer to the last request.
    let forward = ForwardSettings { answer_within: Duration::from_secs(1), ..ForwardSettings::default() };
    let world = World::with(|upstream| vec![route("all", "/**", upstream, &forward)]).await;
    for _ in 0..4 {
        let reply = world.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234").await;
        assert_eq!((reply.status, &reply.json()["code"]), (408, &"timeout".into()));
    }
    assert_eq!(world.get("/", "").await.status, 200);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let forward = ForwardSettings { max_body: 10, ..ForwardSettings::default() };
    let world = World::with(|upstream| vec![route("all", "/**", upstream, &forward)]).await;
    let post = |framing: &str, body: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n{body}");
    assert_eq!(world.ask(&post("Content-Length: 10", "0123456789")).await.status, 200);
    let reply = world.ask(&post("Content-Length: 11", "0123456789a")).await;
    assert_eq!((reply.status, &reply.json()["code"]), (413, &"too_large".into()));
    let chunked = world.ask(&post("Transfer-Encoding: chunked", "b\r\n0123456789a\r\n0\r\n\r\n")).await;
    assert_eq!((chunked.status, &chunked.json()["code"]), (413, &"too_large".into()));
    let whole = world.ask(&post("Transfer-Encoding: chunked", "a\r\n0123456789\r\n0\r\n\r\n")).await;
    assert_eq!((whole.status, &whole.json()["body"]), (200, &"0123456789".into()));
}

#[tokio::test]
async fn open_requests_are_answered_when_it_stops() {
    let world = World::new().await;
    let mut raw = Raw::connect(world.address).await;
    raw.send("GET /ticks HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(raw.head().await.contains(" 200 "));
    world.stop.send(true).unwrap();
    world.upstream.seen.ticks.0.add_permits(1);
    assert_eq!(raw.chunk().await.as_deref(), Some(b"tick".as_slice()));
}
