//! The client's side, with a server's side that is made here.
#![expect(clippy::unwrap_used, reason = "a test that fails says so")]

use channel::client::{Conversation, HelloDraft, HelloError, ServerMessage, refusal};
use channel::{Keys, Opener, Randoms, Sealer};
use domain::encoding::{base64url, from_base64url, sha256};
use serde_json::{Value, json};
use wire::jwk::EcJwk;
use wire::tickets::IssuedTicket;
use wire::time::{Answer, CloseReason, Command, Greeting, Hello};
use wire::user_keys::UserKeyJwk;

const SERVER_RANDOM: [u8; 32] = [2; 32];

fn issued() -> IssuedTicket {
    IssuedTicket { ticket: "a.b.c.d.e".to_owned(), jti: "01J".to_owned(), version: 1, expires_at: 0, key_until: 0 }
}

fn content(k: String) -> UserKeyJwk {
    UserKeyJwk { kty: "oct".to_owned(), kid: "ada.1".to_owned(), k }
}

fn opening() -> HelloDraft {
    let greeting = serde_json::to_vec(&Greeting { server_random: base64url(&SERVER_RANDOM) }).unwrap();
    HelloDraft::new(&greeting, &issued(), &content(base64url(&[7; 32])), [1; 32]).unwrap()
}

fn both_ends() -> (Conversation, Sealer, Opener) {
    let (_, conversation) = opening().hello("a.b", &[9; 64]).unwrap();
    let (sealer, opener) = Keys::derive(&[7; 32], "01J", &Randoms { client: [1; 32], server: SERVER_RANDOM }).server();
    (conversation, sealer, opener)
}

fn answer(sealer: &mut Sealer, answer: &Answer) -> Vec<u8> {
    sealer.seal(&serde_json::to_vec(answer).unwrap()).unwrap()
}

fn time(text: &str) -> Answer {
    Answer::Time { time: text.to_owned(), held_ns: 0 }
}

#[test]
fn the_hello_holds_ticket_random_and_proof() {
    let key = EcJwk::p256("x".to_owned(), "y".to_owned());
    let unsigned = opening().unsigned(&key, "time", "id", 5);
    let claims: Value = serde_json::from_slice(&from_base64url(unsigned.split_once('.').unwrap().1).unwrap()).unwrap();
    let ath = base64url(&sha256(b"a.b.c.d.e"));
    let nonce = base64url(&SERVER_RANDOM);
    assert_eq!(claims, json!({"jti": "id", "htm": "HELLO", "htu": "time", "iat": 5, "nonce": nonce, "ath": ath}));

    let (hello, _) = opening().hello(&unsigned, &[9; 64]).unwrap();
    let hello: Hello = serde_json::from_str(&hello).unwrap();
    assert_eq!((hello.ticket.as_str(), hello.client_random), ("a.b.c.d.e", base64url(&[1; 32])));
    assert_eq!(hello.proof, format!("{unsigned}.{}", base64url(&[9; 64])));
}

#[test]
fn commands_go_out_and_answers_come_in() {
    let (mut conversation, mut sealer, mut opener) = both_ends();
    let mut command = |frame: Vec<u8>| serde_json::from_slice::<Command>(&opener.open(&frame).unwrap()).unwrap();
    assert_eq!(command(conversation.ask(1_000).unwrap()), Command::Time);
    assert_eq!(command(conversation.ask(2_000).unwrap()), Command::Time);
    let ticket = "t".to_owned();
    assert_eq!(command(conversation.renew(ticket.clone()).unwrap()), Command::Renew { ticket });
    assert_eq!(command(conversation.exit().unwrap()), Command::Exit);

    for (asked, now) in [(1_000, 5_000), (2_000, 9_000)] {
        let frame = answer(&mut sealer, &time("1970-01-01T00:00:00.000001Z"));
        let Ok(ServerMessage::Time(reading)) = conversation.decode(&frame, now) else { panic!("no time") };
        assert_eq!((reading.server_ns, reading.round_trip_ns), (1_000, now - asked));
    }
    let frame = answer(&mut sealer, &Answer::Renewed { until: 5 });
    assert_eq!(conversation.decode(&frame, 0), Ok(ServerMessage::Renewed { until: 5 }));
    let frame = answer(&mut sealer, &Answer::Closed { reason: CloseReason::Goodbye });
    assert_eq!(conversation.decode(&frame, 0), Ok(ServerMessage::Closed(CloseReason::Goodbye)));
}

#[test]
fn an_answer_that_is_none_ends_it() {
    let (mut conversation, mut sealer, _) = both_ends();
    let unasked = answer(&mut sealer, &time("1970-01-01T00:00:00Z"));
    assert_eq!(conversation.decode(&unasked, 0), Err(CloseReason::OutOfOrder));
    assert_eq!(conversation.decode(&unasked, 0), Err(CloseReason::Replayed));
    assert_eq!(conversation.decode(&sealer.seal(b"{}").unwrap(), 0), Err(CloseReason::BadCommand));
    conversation.ask(0).unwrap();
    assert_eq!(conversation.decode(&answer(&mut sealer, &time("noon")), 0), Err(CloseReason::BadCommand));
}

#[test]
fn an_invalid_hello_or_key_is_reported() {
    let good = content(base64url(&[7; 32]));
    for greeting in ["", "{}", r#"{"server_random":"AAAA"}"#, r#"{"answer":"closed","reason":"full"}"#] {
        let opening = HelloDraft::new(greeting.as_bytes(), &issued(), &good, [1; 32]);
        assert_eq!(opening.err(), Some(HelloError::Greeting), "{greeting}");
    }
    assert_eq!(refusal(br#"{"answer":"closed","reason":"full"}"#), Some(CloseReason::Full));
    assert_eq!(refusal(br#"{"answer":"closed","reason":"new"}"#), Some(CloseReason::Unknown));
    let greeting = serde_json::to_vec(&Greeting { server_random: base64url(&SERVER_RANDOM) }).unwrap();
    let short = HelloDraft::new(&greeting, &issued(), &content(base64url(&[7; 16])), [1; 32]);
    assert_eq!(short.err(), Some(HelloError::Key));
}
