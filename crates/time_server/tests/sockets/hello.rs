//! Hellos that are accepted, and refusals with their reasons.

use crate::support::{Client, NOW, Person, World, hello, random, seal};
use axum::http::StatusCode;
use jwe::PrivateKey;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use wire::tickets::IssuedTicket;
use wire::time::{CloseReason, Hello};

async fn refusal(world: &World, person: &Person, ticket: &IssuedTicket) -> CloseReason {
    Client::open(world.tcp, person, ticket).await.wire.refused().await
}

#[tokio::test]
async fn a_ticket_tells_the_time_to_the_nanosecond() {
    let (world, ada) = (World::start().await, Person::new("ada"));
    let reading = world.connect(&ada).await.time().await;
    assert_eq!(reading.time, "2030-03-17T17:46:40.000000000Z");
    assert_eq!(reading.server_ns, NOW.as_millis() * 1_000_000);
}

#[tokio::test]
async fn a_session_that_was_ended_opens_nothing() {
    let (world, mallory) = (World::start().await, Person::new("mallory"));
    assert_eq!(refusal(&world, &mallory, &world.ticket(&mallory)).await, CloseReason::BadTicket);
    let ada = Person::new("ada");
    world.connect(&ada).await.time().await;
}

#[tokio::test]
async fn a_ticket_that_is_not_whole_or_not_for_us_is_refused() {
    type Change = fn(&mut Value, &mut Value);
    let changes: [(&str, Change, CloseReason); 10] = [
        ("another service", |_, claims| claims["aud"] = json!("mail"), CloseReason::BadTicket),
        ("another issuer", |_, claims| claims["iss"] = json!("http://localhost:4000"), CloseReason::BadTicket),
        ("another kind", |header, _| header["typ"] = json!("at+jwt"), CloseReason::BadTicket),
        ("an unknown key", |header, _| header["kid"] = json!("other"), CloseReason::BadTicket),
        ("an extension", |header, _| header["crit"] = json!(["exp"]), CloseReason::BadTicket),
        ("unsigned", |header, _| header["alg"] = json!("none"), CloseReason::BadTicket),
        ("a short key", |_, claims| claims["user_key"]["k"] = json!("AAAA"), CloseReason::BadTicket),
        ("of later", |_, claims| claims["nbf"] = json!(NOW.to_seconds() + 31), CloseReason::TicketExpired),
        ("over", |_, claims| claims["exp"] = json!(NOW.to_seconds() - 30), CloseReason::TicketExpired),
        (
            "of a key that is over",
            |_, claims| claims["user_key"]["until"] = json!(NOW.to_seconds()),
            CloseReason::KeyEnded,
        ),
    ];
    let (world, ada) = (World::start().await, Person::new("ada"));
    for (name, change, reason) in changes {
        assert_eq!(refusal(&world, &ada, &world.changed_ticket(&ada, change)).await, reason, "{name}");
    }
    let good = world.ticket(&ada);
    let (other, own) = (PrivateKey::generate(&random()).unwrap(), &world.service_key);
    let elsewhere = World::start().await.ticket(&ada).ticket;
    let tickets = [
        ("cut", good.ticket[..good.ticket.len() - 4].to_owned(), CloseReason::BadTicket),
        ("sealed to another service", seal(&other, "a.b.c"), CloseReason::BadTicket),
        ("of another auth server", elsewhere, CloseReason::BadTicket),
        ("nothing signed inside", seal(own, "ada"), CloseReason::BadTicket),
        ("no ticket", String::new(), CloseReason::BadTicket),
        ("too long", "a".repeat(3073), CloseReason::TooLarge),
    ];
    for (name, ticket, reason) in tickets {
        assert_eq!(refusal(&world, &ada, &IssuedTicket { ticket, ..good.clone() }).await, reason, "{name}");
    }
}

#[tokio::test]
async fn a_ticket_is_good_only_with_a_proof_for_this_connection() {
    let (world, ada, eve) = (World::start().await, Person::new("ada"), Person::new("eve"));
    let ticket = world.ticket(&ada);
    assert_eq!(refusal(&world, &eve, &ticket).await, CloseReason::BadProof, "a copied ticket");

    let (mut first, mut second) = (world.wire().await, world.wire().await);
    let (copied, _) = hello(&first.receive().await.unwrap(), &ada, &ticket);
    second.receive().await.unwrap();
    second.send(copied.as_bytes()).await;
    assert_eq!(second.refused().await, CloseReason::BadProof, "a copied hello");

    let mut third = world.wire().await;
    let (swapped, _) = hello(&third.receive().await.unwrap(), &ada, &ticket);
    let swapped = Hello { ticket: world.ticket(&ada).ticket, ..serde_json::from_str(&swapped).unwrap() };
    third.send(&serde_json::to_vec(&swapped).unwrap()).await;
    assert_eq!(third.refused().await, CloseReason::BadProof, "a proof for another ticket");
}

#[tokio::test]
async fn another_protocol_is_refused() {
    let world = World::start().await;
    for (said, reason) in [
        (b"GET / HTTP/1.1".as_slice(), CloseReason::BadTicket),
        (b"{}", CloseReason::BadTicket),
        (b"", CloseReason::BadTicket),
    ] {
        let mut wire = world.wire().await;
        wire.receive().await.unwrap();
        wire.send(said).await;
        assert_eq!(wire.refused().await, reason);
    }
    let mut wire = world.wire().await;
    wire.receive().await.unwrap();
    wire.send_raw(&4097_u16.to_be_bytes()).await;
    assert_eq!(wire.refused().await, CloseReason::TooLarge);
}

#[tokio::test]
async fn without_the_auth_servers_keys_nobody_is_judged() {
    let world = World::with(StatusCode::SERVICE_UNAVAILABLE, |_| {}).await;
    let ada = Person::new("ada");
    assert_eq!(refusal(&world, &ada, &world.ticket(&ada)).await, CloseReason::Unavailable);
}

#[tokio::test]
async fn a_hello_must_come_within_five_seconds() {
    let world = World::start().await;
    let mut wire = world.wire().await;
    wire.receive().await.unwrap();
    world.clock.advance(5_000);
    assert_eq!(wire.refused().await, CloseReason::TooSlow);
}

/// Counts the warnings about tickets.
#[derive(Clone, Default)]
struct Warnings(Arc<AtomicUsize>);

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::WARN && metadata.target() == "time_server::tickets"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn an_old_ticket_is_logged_at_most_once_a_minute() {
    let warnings = Warnings::default();
    let _guard = tracing::subscriber::set_default(warnings.clone());
    let (world, ada) = (World::start().await, Person::new("ada"));
    for (wait_ms, logged) in [(0, 1), (0, 1), (59_999, 1), (1, 2), (0, 2)] {
        world.clock.advance(wait_ms);
        let expired = json!(world.now().to_seconds() - 30);
        let old = world.changed_ticket(&ada, |_, claims| claims["exp"] = expired);
        assert_eq!(refusal(&world, &ada, &old).await, CloseReason::TicketExpired);
        assert_eq!(warnings.0.load(Ordering::SeqCst), logged);
    }
}
