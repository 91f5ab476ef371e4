//! Refresh tokens: distinguished from forgeries, and followed by the same successor each time.

use domain::UnixMs;
use domain::encoding::{base64url, from_base64url};
use domain::refresh_token::RefreshToken;
use proptest::prelude::*;

const KEY: [u8; 32] = [7; 32];

#[test]
fn every_flipped_bit_is_an_invention() {
    let text = RefreshToken::first([1; 16], [2; 32]).reveal(&KEY);
    let bytes = from_base64url(&text).unwrap();
    assert!(RefreshToken::authenticate(&KEY, &text).is_some());
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(RefreshToken::authenticate(&KEY, &base64url(&flipped)), None, "bit {bit}");
    }
}

#[test]
fn other_lengths_and_keys_are_inventions() {
    let text = RefreshToken::first([1; 16], [2; 32]).reveal(&KEY);
    let cut = &text[..text.len() - 4];
    for wrong in ["", "A", cut, &format!("{text}AAAA"), &format!("{text}="), &format!("{text} ")] {
        assert_eq!(RefreshToken::authenticate(&KEY, wrong), None, "{wrong:?}");
    }
    assert_eq!(RefreshToken::authenticate(&[8; 32], &text), None);
}

#[test]
fn debug_shows_no_secret() {
    let token = RefreshToken::first([1; 16], [0xAB; 32]);
    assert_eq!(format!("{token:?}"), "RefreshToken(generation 0)");
}

#[test]
fn generations_count_up() {
    let mut token = RefreshToken::first([1; 16], [2; 32]);
    let mut hashes = std::collections::HashSet::new();
    for generation in 0..100 {
        assert_eq!((token.generation(), token.session()), (generation, [1; 16]));
        assert!(hashes.insert(token.hash()));
        token = token.successor(&KEY);
    }
}

proptest! {
    #[test]
    fn a_revealed_token_is_read_back(key: [u8; 32], session: [u8; 16], secret: [u8; 32], steps in 0..5) {
        let token = (0..steps).fold(RefreshToken::first(session, secret), |token, _| token.successor(&key));
        prop_assert_eq!(RefreshToken::authenticate(&key, &token.reveal(&key)), Some(token));
    }

    #[test]
    fn the_successor_is_the_same_wherever_it_is_asked_for(key: [u8; 32], session: [u8; 16], secret: [u8; 32]) {
        let token = RefreshToken::first(session, secret);
        let elsewhere = RefreshToken::authenticate(&key, &token.reveal(&key)).unwrap();
        prop_assert_eq!(token.successor(&key), elsewhere.successor(&key));
    }

    #[test]
    fn the_successor_depends_on_everything(a: [u8; 32], b: [u8; 32], s: [u8; 16], t: [u8; 16], k: [u8; 32]) {
        prop_assume!(a != b && s != t && k != KEY);
        let token = RefreshToken::first(s, a);
        let successor = token.successor(&KEY);
        prop_assert_ne!(successor.hash(), token.hash());
        for other in [
            RefreshToken::first(s, b).successor(&KEY),
            RefreshToken::first(t, a).successor(&KEY),
            token.successor(&k),
            successor.successor(&KEY),
        ] {
            prop_assert_ne!(successor.hash(), other.hash());
        }
    }

    #[test]
    fn any_other_text_is_an_invention(text in ".{0,200}") {
        prop_assert_eq!(RefreshToken::authenticate(&KEY, &text), None);
    }

    #[test]
    fn a_short_key_is_no_refresh_token_under_the_same_key(random: [u8; 16], kid: [u8; 32]) {
        let terms = domain::short_key::ShortKeyClaims { expires_at: UnixMs::from_millis(1), kid: Some(kid), origin: kid, cookie: Some(kid) };
        let text = domain::short_key::ShortKey::issue(&KEY, random, &terms);
        prop_assert_eq!(RefreshToken::authenticate(&KEY, &text), None);
        let refresh = RefreshToken::first(random, kid).reveal(&KEY);
        prop_assert!(domain::short_key::ShortKey::authenticate(&KEY, &refresh).is_err());
    }
}
