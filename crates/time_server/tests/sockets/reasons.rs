//! Each way for a connection to end, once, with its reason sealed.

use crate::support::{Client, Person, World};
use axum::http::StatusCode;
use wire::time::CloseReason;

async fn connected() -> (World, Client) {
    let (world, ada) = (World::start().await, Person::new("ada"));
    let mut client = world.connect(&ada).await;
    client.time().await;
    (world, client)
}

#[tokio::test]
async fn exit_is_a_goodbye() {
    let (_world, mut client) = connected().await;
    let frame = client.conversation.exit().unwrap();
    client.wire.send(&frame).await;
    assert_eq!(client.closed().await, CloseReason::Goodbye);
}

#[tokio::test]
async fn frames_that_are_not_the_next_end_it() {
    type Change = fn(&mut Client) -> Vec<u8>;
    let changes: [(&str, Change, CloseReason); 6] = [
        ("replayed", |client| client.wire.sent.last().unwrap().clone(), CloseReason::Replayed),
        ("reflected", |client| client.wire.received.last().unwrap().clone(), CloseReason::Unreadable),
        ("out of order", |client| ask_twice(client).1, CloseReason::OutOfOrder),
        ("changed", |client| [&ask_twice(client).0[..40], &[0]].concat(), CloseReason::Unreadable),
        ("truncated", |client| ask_twice(client).0[..20].to_vec(), CloseReason::Truncated),
        ("too long a ticket", |client| client.conversation.renew("x".repeat(3073)).unwrap(), CloseReason::TooLarge),
    ];
    for (name, change, reason) in changes {
        let (_world, mut client) = connected().await;
        let frame = change(&mut client);
        client.wire.send(&frame).await;
        assert_eq!(client.closed().await, reason, "{name}");
    }
}

fn ask_twice(client: &mut Client) -> (Vec<u8>, Vec<u8>) {
    (client.conversation.ask(0).unwrap(), client.conversation.ask(0).unwrap())
}

#[tokio::test]
async fn a_sealed_message_must_be_a_command() {
    let (world, ada) = (World::start().await, Person::new("ada"));
    let mut wire = world.wire().await;
    let greeting = wire.receive().await.unwrap();
    let ticket = world.ticket(&ada);
    let (hello, mut conversation) = crate::support::hello(&greeting, &ada, &ticket);
    let parsed: wire::time::Hello = serde_json::from_str(&hello).unwrap();
    let greeting: wire::time::Greeting = serde_json::from_slice(&greeting).unwrap();
    let bytes = |text: &str| domain::encoding::from_base64url(text).unwrap().try_into().unwrap();
    let randoms = channel::Randoms { client: bytes(&parsed.client_random), server: bytes(&greeting.server_random) };
    let (mut sealer, _) = channel::Keys::derive(&ada.key, &ticket.jti, &randoms).client();
    wire.send(hello.as_bytes()).await;
    wire.send(&sealer.seal(br#"{"command":"shutdown"}"#).unwrap()).await;
    let last = wire.receive().await.unwrap();
    let received = conversation.decode(&last, 0).unwrap();
    assert_eq!(received, channel::client::ServerMessage::Closed(CloseReason::BadCommand));
}

#[tokio::test]
async fn a_message_over_the_limit_is_not_read() {
    let (_world, mut client) = connected().await;
    client.wire.send_raw(&u16::MAX.to_be_bytes()).await;
    assert_eq!(client.closed().await, CloseReason::TooLarge);
}

#[tokio::test]
async fn a_client_that_is_silent_for_too_long_is_closed() {
    let (world, mut client) = connected().await;
    world.clock.advance(599_999);
    client.time().await;
    world.clock.advance(599_999);
    client.time().await;
    world.clock.advance(600_000);
    assert_eq!(client.closed().await, CloseReason::TooSlow);
}

#[tokio::test]
async fn a_full_server_says_so() {
    let world = World::with(StatusCode::OK, |config| config.max_connections = 1).await;
    let mut first = world.connect(&Person::new("ada")).await;
    first.time().await;
    assert_eq!(world.wire().await.refused().await, CloseReason::Full);
    first.time().await;
}

#[tokio::test]
async fn a_server_that_stops_closes_every_connection() {
    let (world, mut client) = connected().await;
    let mut stranger = world.wire().await;
    stranger.receive().await.unwrap();
    world.stop.send(true).unwrap();
    assert_eq!(stranger.refused().await, CloseReason::GoingAway);
    assert_eq!(client.closed().await, CloseReason::GoingAway);
    drop((client, stranger));
    world.serving.await.unwrap();
    assert!(tokio::net::TcpStream::connect(world.tcp).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn many_questions_may_be_out_at_once() {
    let (_world, mut client) = connected().await;
    let frames: Vec<_> = (0..500).map(|_| client.conversation.ask(0).unwrap()).collect();
    for frame in &frames {
        client.wire.send(frame).await;
    }
    for _ in &frames {
        assert!(matches!(client.receive().await, channel::client::ServerMessage::Time(_)));
    }
}
