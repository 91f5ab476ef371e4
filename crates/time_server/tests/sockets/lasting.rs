//! The duration of a connection: it lasts as long as the key of its newest ticket.

use crate::support::{Client, Person, World};
use channel::client::ServerMessage;
use serde_json::json;
use wire::time::CloseReason;

const HOUR: i64 = 3_600_000;

async fn renew(client: &mut Client, ticket: String) {
    let frame = client.conversation.renew(ticket).unwrap();
    client.wire.send(&frame).await;
}

#[tokio::test]
async fn it_ends_with_the_key_although_nobody_says_a_word() {
    let world = World::with(axum::http::StatusCode::OK, |config| config.idle *= 100).await;
    let mut client = world.connect(&Person::new("ada")).await;
    client.time().await;
    world.clock.advance(HOUR - 1);
    client.time().await;
    world.clock.advance(1);
    assert_eq!(client.closed().await, CloseReason::KeyEnded);
}

#[tokio::test]
async fn a_newer_ticket_lets_it_run_on() {
    let world = World::with(axum::http::StatusCode::OK, |config| config.idle *= 100).await;
    let ada = Person::new("ada");
    let mut client = world.connect(&ada).await;
    client.time().await;
    world.clock.advance(HOUR / 2);
    renew(&mut client, world.ticket(&ada).ticket).await;
    assert_eq!(client.receive().await, ServerMessage::Renewed { until: (world.now() + HOUR).as_millis() });
    world.clock.advance(HOUR - 1);
    client.time().await;
    world.clock.advance(1);
    assert_eq!(client.closed().await, CloseReason::KeyEnded);
}

#[tokio::test]
async fn only_a_ticket_of_the_same_session_and_key_renews() {
    let (world, ada) = (World::start().await, Person::new("ada"));
    let changed = |name: &'static str, value: serde_json::Value| {
        world.changed_ticket(&ada, move |_, claims| *claims.pointer_mut(name).unwrap() = value).ticket
    };
    let expired = json!(world.now().to_seconds() - 30);
    for (name, ticket, reason) in [
        ("somebody else's", world.ticket(&Person::new("eve")).ticket, CloseReason::BadTicket),
        ("another session's", changed("/sid", json!("other")), CloseReason::BadTicket),
        ("another device's", changed("/cnf/jkt", json!("other")), CloseReason::BadTicket),
        ("another version's", changed("/user_key/version", json!(2)), CloseReason::BadTicket),
        ("an old one", changed("/exp", expired), CloseReason::TicketExpired),
        ("none", "ticket".to_owned(), CloseReason::BadTicket),
    ] {
        let mut client = world.connect(&ada).await;
        renew(&mut client, ticket).await;
        assert_eq!(client.closed().await, reason, "{name}");
    }
}

#[tokio::test]
async fn a_session_that_ended_takes_its_connections_along() {
    let world = World::start().await;
    let (ada, grace) = (Person::new("ada"), Person::new("grace"));
    let (mut of_ada, mut of_grace) = (world.connect(&ada).await, world.connect(&grace).await);
    of_ada.time().await;
    of_grace.time().await;
    world.sign_out(&ada);
    world.clock.advance(2_000);
    assert_eq!(of_ada.closed().await, CloseReason::KeyEnded, "within two seconds, although it says nothing");
    of_grace.time().await;
    let mut again = world.connect(&ada).await;
    assert_eq!(again.wire.refused().await, CloseReason::BadTicket, "nor does its ticket open another");
}

#[tokio::test]
async fn without_a_list_a_connection_runs_a_minute_past_its_ticket() {
    let (world, ada) = (World::start().await, Person::new("ada"));
    let mut client = world.connect(&ada).await;
    client.time().await;
    world.lose_list();
    world.clock.advance(5 * 60_000 + 59_999);
    client.time().await;
    world.clock.advance(2_000);
    assert_eq!(client.closed().await, CloseReason::Unavailable);
}
