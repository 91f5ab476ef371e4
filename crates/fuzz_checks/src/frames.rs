//! Frames of a time connection: each message arrives once and in order, or the connection ends.

use channel::{Keys, Randoms};
use std::collections::VecDeque;
use wire::time::{Answer, Command, Greeting, Hello};

/// Checks `data`: JSON of the protocol; and steps of two bytes, each a frame that is sent, changed, duplicated, omitted
/// or delivered early.
pub(crate) fn check(data: &[u8]) {
    json(data);
    let keys = Keys::derive(&[1; 32], "jti", &Randoms { client: [2; 32], server: [3; 32] });
    let ((mut sealer, _), (_, mut opener)) = (keys.client(), keys.server());
    let mut on_the_way: VecDeque<(u64, Vec<u8>)> = VecDeque::new();
    let (mut sent, mut read) = (0_u64, 0_u64);
    for &[step, what] in data.as_chunks::<2>().0 {
        if step % 8 < 4 {
            let message = [&sent.to_be_bytes(), vec![what; usize::from(what)].as_slice()].concat();
            on_the_way.push_back((sent, sealer.seal(&message).expect("short enough")));
            sent += 1;
        }
        let Some((number, frame)) = on_the_way.front().cloned() else { continue };
        match step % 8 {
            0 | 1 => continue,
            2 | 3 | 6 => drop(on_the_way.pop_front()),
            4 => {
                let mut changed = frame;
                let at = usize::from(what) % changed.len();
                changed[at] ^= 1 + (step >> 3);
                assert!(opener.open(&changed).is_err(), "a changed frame opens");
                return;
            }
            5 => {
                let cut = usize::from(what) % frame.len();
                assert!(opener.open(&frame[..cut]).is_err(), "a part of a frame opens");
                return;
            }
            _ => on_the_way.rotate_left(1),
        }
        // The sixth kind is lost in transit.
        if step % 8 != 6 {
            match opener.open(&frame) {
                Ok(message) => {
                    assert_eq!(message[..8], number.to_be_bytes(), "another message arrives");
                    assert_eq!(number, read, "out of order");
                    read += 1;
                }
                Err(_) => {
                    assert_ne!(number, read, "a good frame is refused");
                    return;
                }
            }
        }
    }
}

fn json(data: &[u8]) {
    fn there_and_back<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(data: &[u8]) {
        let Ok(read) = serde_json::from_slice::<T>(data) else { return };
        let written = serde_json::to_vec(&read).expect("JSON");
        assert_eq!(serde_json::from_slice::<T>(&written).expect("JSON"), read);
    }
    there_and_back::<Greeting>(data);
    there_and_back::<Hello>(data);
    there_and_back::<Command>(data);
    let _: Result<Answer, _> = serde_json::from_slice(data);
}
