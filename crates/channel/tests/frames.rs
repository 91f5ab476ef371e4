//! A frame is read once, in order, by the other end of its own connection, or not at all.
#![expect(clippy::unwrap_used, reason = "a test that fails says so")]

use channel::{Keys, OVERHEAD, Opener, Randoms, Sealer};
use proptest::prelude::*;
use wire::time::{CloseReason, LONGEST_MESSAGE};

const USER: [u8; 32] = [7; 32];
const RANDOMS: Randoms = Randoms { client: [1; 32], server: [2; 32] };

fn keys() -> Keys {
    Keys::derive(&USER, "jti", &RANDOMS)
}

fn to_server() -> (Sealer, Opener) {
    (keys().client().0, keys().server().1)
}

#[test]
fn both_directions_in_order() {
    let ((mut client, mut from_server), (mut server, mut from_client)) = (keys().client(), keys().server());
    for message in [b"".as_slice(), b"time", &[0; LONGEST_MESSAGE - OVERHEAD]] {
        assert_eq!(from_client.open(&client.seal(message).unwrap()).unwrap(), message);
        assert_eq!(from_server.open(&server.seal(message).unwrap()).unwrap(), message);
    }
}

#[test]
fn each_way_of_being_wrong_has_its_reason() {
    type Change = fn(Vec<Vec<u8>>) -> Vec<u8>;
    let changes: [(&str, Change, CloseReason); 11] = [
        ("replayed", |sent| sent[0].clone(), CloseReason::Replayed),
        ("out of order", |sent| sent[2].clone(), CloseReason::OutOfOrder),
        ("empty", |_| Vec::new(), CloseReason::Truncated),
        ("cut to a counter", |sent| sent[1][..8].to_vec(), CloseReason::Truncated),
        ("cut to less than a tag", |sent| sent[1][..OVERHEAD - 1].to_vec(), CloseReason::Truncated),
        ("cut by one", |sent| sent[1][..sent[1].len() - 1].to_vec(), CloseReason::Unreadable),
        ("longer by one", |sent| [&sent[1][..], &[0]].concat(), CloseReason::Unreadable),
        ("too large", |_| vec![0; LONGEST_MESSAGE + 1], CloseReason::TooLarge),
        ("another's counter", |sent| [&sent[1][..8], &sent[2][8..]].concat(), CloseReason::Unreadable),
        ("all zero", |_| vec![0; 64], CloseReason::Unreadable),
        ("the other direction", |_| reflected(), CloseReason::Unreadable),
    ];
    for (name, change, reason) in changes {
        let (mut sealer, mut opener) = to_server();
        let sent: Vec<_> = (0..3).map(|_| sealer.seal(b"time").unwrap()).collect();
        opener.open(&sent[0]).unwrap();
        assert_eq!(opener.open(&change(sent)), Err(reason), "{name}");
    }
}

/// Returns the second frame that the server itself would send.
fn reflected() -> Vec<u8> {
    let mut server = keys().server().0;
    server.seal(b"first").unwrap();
    server.seal(b"time").unwrap()
}

#[test]
fn other_keys_do_not_open_it() {
    let mut frame = keys().client().0.seal(b"time").unwrap();
    let others = [
        ("another user's key, or an older version", Keys::derive(&[8; 32], "jti", &RANDOMS)),
        ("another ticket", Keys::derive(&USER, "jti2", &RANDOMS)),
        ("another client's random", Keys::derive(&USER, "jti", &Randoms { client: [3; 32], ..RANDOMS })),
        ("another server's random", Keys::derive(&USER, "jti", &Randoms { server: [3; 32], ..RANDOMS })),
        (
            "randoms the other way round",
            Keys::derive(&USER, "jti", &Randoms { client: RANDOMS.server, server: RANDOMS.client }),
        ),
    ];
    for (name, other) in others {
        assert_eq!(other.server().1.open(&frame), Err(CloseReason::Unreadable), "{name}");
    }
    assert_eq!(keys().server().1.open_in_place(&mut frame).unwrap(), b"time");
}

/// Compares with a fixed vector for other implementations, made with Python's `cryptography`.
#[test]
fn the_bytes_are_those_of_the_description() {
    let frame = keys().client().0.seal(b"time").unwrap();
    assert_eq!(hex(&frame), include_str!("frame.hex").trim());
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

#[test]
fn a_long_message_is_not_sealed_and_takes_no_counter() {
    let (mut sealer, mut opener) = to_server();
    let mut frame = Vec::new();
    assert_eq!(sealer.seal_into(&[0; LONGEST_MESSAGE], &mut frame), Err(CloseReason::TooLarge));
    assert!(frame.is_empty());
    assert_eq!(opener.open(&sealer.seal(b"next").unwrap()).unwrap(), b"next");
}

#[test]
fn nothing_secret_is_shown() {
    let (sealer, opener) = to_server();
    let shown = format!("{:?} {sealer:?} {opener:?}", keys());
    assert!(!shown.contains('['), "{shown}");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(to_server().1.open(&bytes).is_err());
        prop_assert_eq!(channel::client::refusal(&bytes), None);
    }

    #[test]
    fn no_bytes_make_it_panic_and_no_bit_can_be_changed(message: Vec<u8>, at: prop::sample::Index, bit in 0..8_u8) {
        let (mut sealer, mut opener) = to_server();
        let mut frame = sealer.seal(&message).unwrap();
        *at.get_mut(&mut frame) ^= 1 << bit;
        prop_assert_eq!(opener.open(&frame), Err(CloseReason::Unreadable));
    }

    /// However frames are delivered, the messages that are read are a beginning of those that were sent.
    #[test]
    fn each_message_is_read_as_it_was_sent(
        sent in proptest::collection::vec(any::<[u8; 3]>(), 1..6),
        delivered in proptest::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let (mut sealer, mut opener) = to_server();
        let frames: Vec<_> = sent.iter().map(|message| sealer.seal(message).unwrap()).collect();
        let read = delivered.iter().map_while(|at| opener.open(at.get::<Vec<u8>>(&frames)).ok()).collect::<Vec<_>>();
        prop_assert!(read.iter().zip(&sent).all(|(read, sent)| read == sent) && read.len() <= sent.len());
    }
}
