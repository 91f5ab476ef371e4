//! `TPAT-MAC` and `TPAT-MAC-Key`: one value has one text, no made-up MAC is valid, and each number is accepted once.

use crate::input;
use std::collections::HashSet;
use tpat::Thumbprint;
use tpat::mac::{
    AgreedKey, Agreement, CoveredRequest, EphemeralPoint, KeyAnswer, KeyId, ReplayWindow, RequestMac, WINDOW,
};
use wire::jwk::EcJwk;

/// Checks `data`: a header's value; after a line break, numbers of requests, each of eight bytes.
pub(crate) fn check(data: &[u8]) {
    let (value, numbers) = input::halves(data);
    if let Some(value) = input::text(value) {
        if let Ok(mac) = value.parse::<RequestMac>() {
            assert_eq!(mac.to_string(), value);
            let request = CoveredRequest { method: "GET", url: "https://api.example/price" };
            assert!(!key().verifies(&mac, request), "a made-up MAC is valid");
        }
        if let Ok(answer) = value.parse::<KeyAnswer>() {
            assert_eq!(answer.to_string(), value);
            assert_eq!(EphemeralPoint::of(&answer.point.jwk()), Some(answer.point));
        }
    }
    window(numbers.as_chunks::<8>().0.iter().map(|number| u64::from_be_bytes(*number)));
}

fn key() -> AgreedKey {
    let zeros = "A".repeat(43);
    let point = EphemeralPoint::of(&EcJwk::p256(zeros.clone(), zeros)).expect("32 bytes each");
    let (id, holder) = (KeyId([0; 16]), Thumbprint([0; 32]));
    AgreedKey::derive(&[7; 32], &Agreement { id, holder, token: "token", client: point, gate: point })
}

fn window(numbers: impl Iterator<Item = u64>) {
    let (mut window, mut used, mut highest) = (ReplayWindow::default(), HashSet::new(), 0);
    for number in numbers {
        let expected = number > 0 && highest - number.min(highest) < WINDOW && used.insert(number);
        assert_eq!(window.accept(number), expected, "{number} after {highest}");
        highest = highest.max(number);
    }
}
