//! An attacker who reads and writes on the wire.

use crate::support::{Person, World};
use domain::encoding::base64url;
use wire::time::CloseReason;

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn the_wire_holds_neither_time_nor_key() {
    let (world, ada) = (World::start().await, Person::new("ada"));
    let mut client = world.connect(&ada).await;
    let time = client.time().await.time;
    let frame = client.conversation.renew(world.ticket(&ada).ticket).unwrap();
    client.wire.send(&frame).await;
    client.receive().await;

    let (greeting, answers) = client.wire.received.split_first().unwrap();
    let (hello, commands) = client.wire.sent.split_first().unwrap();
    assert!(holds(hello, b"ticket") && holds(greeting, b"server_random"), "the search finds what is there");
    for frame in answers.iter().chain(commands) {
        for word in [time.as_bytes(), &time.as_bytes()[..4], b"time", b"command", b"answer", b"ticket"] {
            assert!(!holds(frame, word), "{}", String::from_utf8_lossy(word));
        }
    }
    let text = base64url(&ada.key);
    let hex = ada.key.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    for message in client.wire.received.iter().chain(&client.wire.sent) {
        for form in [&ada.key[..8], &text.as_bytes()[..10], &hex.as_bytes()[..16]] {
            assert!(!holds(message, form));
        }
    }
}

#[tokio::test]
async fn nobody_reads_or_writes_in_anothers_connection() {
    let (world, ada, eve) = (World::start().await, Person::new("ada"), Person::new("eve"));
    let (mut adas, mut eves) = (world.connect(&ada).await, world.connect(&eve).await);
    adas.time().await;
    eves.time().await;

    // Frames that Eve captured from Ada are refused in her connection, and her frames are refused in Ada's.
    let captured = adas.wire.received.last().unwrap().clone();
    assert_eq!(eves.conversation.decode(&captured, 0), Err(CloseReason::Unreadable));
    let own = eves.conversation.ask(0).unwrap();
    adas.wire.send(&own).await;
    assert_eq!(adas.closed().await, CloseReason::Unreadable);

    // A frame of one of Ada's connections is refused in another.
    let (mut first, mut second) = (world.connect(&ada).await, world.connect(&ada).await);
    let frame = first.conversation.ask(0).unwrap();
    second.wire.send(&frame).await;
    assert_eq!(second.closed().await, CloseReason::Unreadable);
}

#[tokio::test]
async fn an_older_key_does_not_speak_for_a_newer_one() {
    let (world, mut ada) = (World::start().await, Person::new("ada"));
    let ticket = world.ticket(&ada);
    ada.key = [1; 32];
    let mut client = crate::support::Client::open(world.tcp, &ada, &ticket).await;
    let frame = client.conversation.ask(0).unwrap();
    client.wire.send(&frame).await;
    let last = client.wire.receive().await.unwrap();
    assert_eq!(client.conversation.decode(&last, 0), Err(CloseReason::Unreadable), "nor does it read");
    assert_eq!(client.wire.receive().await, None);
}
