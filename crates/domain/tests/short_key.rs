//! The `short_key`: only issued ones are accepted, with the binding that they were issued for.

use domain::CLOCK_TOLERANCE_MS as TOLERANCE;
use domain::UnixMs;
use domain::encoding::{base64url, from_base64url};
use domain::short_key::{
    LIFETIME_MS, PASSKEY_LIFETIME_MS, ShortKey, ShortKeyClaims, ShortKeyError, ShortKeyPurpose, hash,
};
use proptest::prelude::*;

const KEY: [u8; 32] = [7; 32];
const NOW: UnixMs = UnixMs::from_millis(1_750_000_000_000);

fn terms() -> ShortKeyClaims {
    ShortKeyClaims {
        expires_at: NOW + LIFETIME_MS,
        kid: Some([1; 32]),
        origin: hash("https://postern.example"),
        cookie: Some([3; 32]),
    }
}

#[test]
fn every_flipped_bit_is_forged() {
    let text = ShortKey::issue(&KEY, [5; 16], &terms());
    let bytes = from_base64url(&text).unwrap();
    assert!(ShortKey::authenticate(&KEY, &text).is_ok());
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(ShortKey::authenticate(&KEY, &base64url(&flipped)), Err(ShortKeyError::Forged), "bit {bit}");
    }
    for place in 0..text.len() {
        let mut other = text.clone().into_bytes();
        other[place] = if other[place] == b'A' { b'B' } else { b'A' };
        let other = String::from_utf8(other).unwrap();
        assert_eq!(ShortKey::authenticate(&KEY, &other), Err(ShortKeyError::Forged), "character {place}");
    }
}

#[test]
fn other_lengths_keys_and_encodings_are_forged() {
    let text = ShortKey::issue(&KEY, [5; 16], &terms());
    let cut = &text[..text.len() - 1];
    let standard = text.replace('-', "+").replace('_', "/");
    for wrong in ["", "A", cut, &format!("{text}A"), &format!("{text}="), &format!(" {text}"), &"é".repeat(102)] {
        assert_eq!(ShortKey::authenticate(&KEY, wrong), Err(ShortKeyError::Forged), "{wrong:?}");
    }
    if standard != text {
        assert_eq!(ShortKey::authenticate(&KEY, &standard), Err(ShortKeyError::Forged));
    }
    assert_eq!(ShortKey::authenticate(&[8; 32], &text), Err(ShortKeyError::Forged));
}

#[test]
fn the_terms_are_kept() {
    let key = ShortKey::authenticate(&KEY, &ShortKey::issue(&KEY, [5; 16], &terms())).unwrap();
    let ShortKeyClaims { kid, origin, cookie, expires_at } = terms();
    let (kid, other) = (kid.unwrap(), [9; 32]);
    let cases = [
        ("all right", vec![kid], origin, cookie, NOW, Ok(())),
        ("one of several keys", vec![other, kid], origin, cookie, NOW, Ok(())),
        ("the last millisecond", vec![kid], origin, cookie, expires_at + TOLERANCE - 1, Ok(())),
        ("run out", vec![kid], origin, cookie, expires_at + TOLERANCE, Err(ShortKeyError::Expired)),
        ("made by a clock a little ahead", vec![kid], origin, cookie, NOW - TOLERANCE, Ok(())),
        ("made by a clock far ahead", vec![kid], origin, cookie, NOW - TOLERANCE - 1, Err(ShortKeyError::NotYet)),
        ("a retired key", vec![other], origin, cookie, NOW, Err(ShortKeyError::Mismatch)),
        ("no key at all", vec![], origin, cookie, NOW, Err(ShortKeyError::Mismatch)),
        ("another origin", vec![kid], other, cookie, NOW, Err(ShortKeyError::Mismatch)),
        ("another cookie", vec![kid], origin, Some(other), NOW, Err(ShortKeyError::Mismatch)),
        ("a browser's, sent without its cookie", vec![kid], origin, None, NOW, Err(ShortKeyError::Mismatch)),
        ("run out and another origin", vec![kid], other, cookie, expires_at + TOLERANCE, Err(ShortKeyError::Expired)),
    ];
    for (name, kids, origin, cookie, now, verdict) in cases {
        assert_eq!(key.check(ShortKeyPurpose::Message, &kids, &origin, cookie.as_slice(), now), verdict, "{name}");
    }
}

#[test]
fn a_programs_key_has_no_cookie_and_is_no_browsers() {
    let of = |cookie| {
        let text = ShortKey::issue(&KEY, [5; 16], &ShortKeyClaims { cookie, ..terms() });
        ShortKey::authenticate(&KEY, &text).unwrap()
    };
    assert!(of(None).is_for_program());
    assert!(!of(Some([3; 32])).is_for_program());
    let ShortKeyClaims { kid, origin, .. } = terms();
    assert_eq!(
        of(None).check(ShortKeyPurpose::Message, &[kid.unwrap()], &origin, &[[3; 32]], NOW),
        Err(ShortKeyError::Mismatch)
    );
}

#[test]
fn only_a_registration_does_without_an_envelope_key() {
    let origin = terms().origin;
    for purpose in [ShortKeyPurpose::Message, ShortKeyPurpose::PasskeySignIn, ShortKeyPurpose::PasskeyRegistration] {
        let text = ShortKey::issue_for(purpose, &KEY, [5; 16], &ShortKeyClaims { kid: None, ..terms() });
        let key = ShortKey::authenticate(&KEY, &text).unwrap();
        let expected = match purpose {
            ShortKeyPurpose::PasskeyRegistration => Ok(()),
            _ => Err(ShortKeyError::Mismatch),
        };
        assert_eq!(key.check(purpose, &[], &origin, terms().cookie.as_slice(), NOW), expected, "{purpose:?}");
        assert_eq!(key.check(purpose, &[[0; 32]], &origin, terms().cookie.as_slice(), NOW), expected, "{purpose:?}");
        assert_eq!(key.check(purpose, &[], &origin, &[], NOW), Err(ShortKeyError::Mismatch), "{purpose:?}");
    }
}

proptest! {
    #[test]
    fn an_issued_key_is_read_back(
        key: [u8; 32], random: [u8; 16], expires_at: i64, kid: [u8; 32], origin: [u8; 32], cookie: [u8; 32],
    ) {
        let expires_at = UnixMs::from_millis(expires_at);
        let terms = ShortKeyClaims { expires_at, kid: Some(kid), origin, cookie: Some(cookie) };
        let text = ShortKey::issue(&key, random, &terms);
        let read = ShortKey::authenticate(&key, &text).unwrap();
        prop_assert_eq!((read.expires_at(), read.kid(), read.id()), (expires_at, Some(kid), base64url(&random)));
        prop_assert!(text.len() <= 256 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
    }

    #[test]
    fn any_other_text_is_forged(text in ".{0,300}") {
        prop_assert_eq!(ShortKey::authenticate(&KEY, &text), Err(ShortKeyError::Forged));
    }

    #[test]
    fn any_other_bytes_of_the_right_length_are_forged(bytes in proptest::collection::vec(any::<u8>(), 153)) {
        prop_assert_eq!(ShortKey::authenticate(&KEY, &base64url(&bytes)), Err(ShortKeyError::Forged));
    }
}

#[test]
fn one_for_a_passkey_waits_longer_and_serves_for_nothing_else() {
    let ShortKeyClaims { kid, origin, cookie, .. } = terms();
    let now = terms().expires_at;
    let claims = ShortKeyClaims { expires_at: now + PASSKEY_LIFETIME_MS, ..terms() };
    let uses = [ShortKeyPurpose::Message, ShortKeyPurpose::PasskeySignIn, ShortKeyPurpose::PasskeyRegistration];
    for issued in uses {
        let text = ShortKey::issue_for(issued, &KEY, [5; 16], &claims);
        let key = ShortKey::authenticate(&KEY, &text).unwrap();
        for used in uses {
            let expected = match (issued == used, used) {
                (false, _) => Err(ShortKeyError::Mismatch),
                (true, ShortKeyPurpose::Message) => Err(ShortKeyError::NotYet),
                (true, _) => Ok(()),
            };
            assert_eq!(
                key.check(used, &[kid.unwrap()], &origin, cookie.as_slice(), now),
                expected,
                "{issued:?} as {used:?}"
            );
        }
    }
}
