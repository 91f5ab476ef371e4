//! Sealed content opens again, for its recipient only and unchanged.
#![expect(clippy::unwrap_used, reason = "a test that fails says so")]

use jwe::{ALG, ENC, Error, PrivateKey, Random, check_public, parse, seal, thumbprint};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use wire::jwk::EcJwk;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    alg: String,
    enc: String,
    typ: String,
    epk: EcJwk,
}

fn header(epk: EcJwk) -> Header {
    Header { alg: ALG.to_owned(), enc: ENC.to_owned(), typ: "test+jwe".to_owned(), epk }
}

fn key(seed: u8) -> PrivateKey {
    PrivateKey::generate(&[seed; 32]).unwrap()
}

fn random(seed: u8) -> Random {
    Random { ephemeral: [seed; 32], content_key: [seed ^ 0x55; 32], iv: [seed; 12] }
}

fn open(token: &str, key: &PrivateKey) -> Result<Vec<u8>, Error> {
    let sealed = parse::<Header>(token)?;
    sealed.open(&*key.agree(sealed.epk())?).map(|content| content.to_vec())
}

#[test]
fn a_sealed_message_opens_for_its_recipient() {
    for content in [b"".as_slice(), b"a", &[0; 16], &[7; 1000]] {
        let token = seal(&key(1).public(), header, content, &random(2)).unwrap();
        assert_eq!(open(&token, &key(1)).unwrap(), content);
        assert_eq!(parse::<Header>(&token).unwrap().header(), &header(key(2).public()));
        assert_eq!(open(&token, &key(3)), Err(Error::Unopened));
    }
}

#[test]
fn no_character_can_be_changed() {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let own = key(1);
    let token = seal(&own.public(), header, b"attack at dawn", &random(2)).unwrap();
    let epk = parse::<Header>(&token).unwrap().epk().clone();
    let secret = own.agree(&epk).unwrap();
    for (at, was) in token.bytes().enumerate() {
        let mut changed = token.clone().into_bytes();
        let place = ALPHABET.iter().position(|byte| *byte == was);
        changed[at] = place.map_or(b'A', |place| ALPHABET[(place + 1) % ALPHABET.len()]);
        let changed = String::from_utf8(changed).unwrap();
        let Ok(sealed) = parse::<Header>(&changed) else { continue };
        // Key agreement is slow and gives the same result for the same key.
        let secret = if *sealed.epk() == epk { Ok(secret.clone()) } else { own.agree(sealed.epk()) };
        let Ok(secret) = secret else { continue };
        assert_eq!(sealed.open(&secret).err(), Some(Error::Unopened), "character {at}");
    }
    for end in 0..token.len() {
        assert!(parse::<Header>(&token[..end]).map_or(true, |sealed| sealed.open(&secret).is_err()), "cut at {end}");
    }
}

#[test]
fn only_what_is_understood_is_parsed() {
    let with = |name: &str, value: &str| {
        let own = key(1);
        let mut token = serde_json::to_value(header(own.public())).unwrap();
        token[name] = serde_json::from_str(value).unwrap();
        let header = domain::encoding::base64url(token.to_string().as_bytes());
        let good = seal(&own.public(), self::header, b"", &random(2)).unwrap();
        parse::<Header>(&format!("{header}.{}", good.split_once('.').unwrap().1)).map(drop)
    };
    assert_eq!(with("typ", r#""other+jwe""#), Ok(()));
    for (name, value) in [
        ("alg", r#""ECDH-ES""#),
        ("alg", r#""none""#),
        ("enc", r#""A128GCM""#),
        ("epk", "null"),
        ("crit", r#"["exp"]"#),
        ("crit", "null"),
        ("b64", "false"),
        ("zip", r#""DEF""#),
        ("zip", "null"),
        ("apu", r#""QWxpY2U""#),
        ("apv", r#""Qm9i""#),
    ] {
        assert_eq!(with(name, value), Err(Error::Header), "{name} {value}");
    }
}

#[test]
fn a_header_that_says_something_else_is_not_sealed() {
    let other = |epk| Header { enc: "A128GCM".to_owned(), ..header(epk) };
    assert_eq!(seal(&key(1).public(), other, b"", &random(2)), Err(Error::Header));
    let foreign = |_| header(key(9).public());
    assert_eq!(seal(&key(1).public(), foreign, b"", &random(2)), Err(Error::Header));
}

#[test]
fn a_point_off_the_curve_is_no_key() {
    let good = key(1).public();
    assert_eq!(check_public(&good), Ok(()));
    let zero = domain::encoding::base64url(&[0; 32]);
    let bad = [
        EcJwk::p256(good.x.clone(), good.x.clone()),
        EcJwk::p256(good.y.clone(), good.x.clone()),
        EcJwk::p256(zero.clone(), zero),
        EcJwk::p256(good.x[1..].to_owned(), good.y.clone()),
        EcJwk::p256(String::new(), String::new()),
        EcJwk { crv: "P-384".to_owned(), ..good.clone() },
        EcJwk { kty: "OKP".to_owned(), ..good.clone() },
    ];
    for bad in bad {
        assert_eq!(check_public(&bad), Err(Error::Key), "{bad:?}");
        assert_eq!(key(2).agree(&bad).err(), Some(Error::Key));
        assert_eq!(seal(&bad, header, b"", &random(2)), Err(Error::Key));
    }
}

#[test]
fn private_keys_are_written_and_read() {
    let own = key(5);
    let text = own.to_jwk();
    assert_eq!(PrivateKey::from_jwk(&text).unwrap().public(), own.public());
    assert!(!format!("{own:?}").contains(&text[10..20]));
    let other = key(6).public();
    for (was, now) in [(own.public().x, other.x), ("P-256".to_owned(), "P-384".to_owned())] {
        assert_eq!(PrivateKey::from_jwk(&text.replace(&was, &now)).err(), Some(Error::Key));
    }
    // Zero and numbers past the curve's order are no private keys; their hashes are.
    assert!(PrivateKey::generate(&[0; 32]).is_ok() && PrivateKey::generate(&[0xff; 32]).is_ok());
}

/// Compares with the key and the thumbprint of RFC 9449, sections 4.1 and 6.1.
#[test]
fn the_thumbprint_is_that_of_the_standard() {
    let key = EcJwk::p256(
        "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs".to_owned(),
        "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA".to_owned(),
    );
    assert_eq!(thumbprint(&key).to_string(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
}

/// The same file is opened by an npm library in `end2end/tests/jose.spec.ts`, which made the other token.
#[test]
fn another_library_opens_what_we_seal_and_seals_what_we_open() {
    let sample: serde_json::Value = serde_json::from_str(include_str!("sample.json")).unwrap();
    let own = PrivateKey::from_jwk(&sample["recipient"].to_string()).unwrap();
    let content = sample["content"].as_str().unwrap();
    let here = seal(&own.public(), header, content.as_bytes(), &random(2)).unwrap();
    assert_eq!(here, sample["sealed_here"].as_str().unwrap());
    let there = sample["sealed_by_jose"].as_str().unwrap();
    assert_eq!(open(there, &own).unwrap(), content.as_bytes());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(parts in proptest::collection::vec("[A-Za-z0-9_-]{0,80}", 0..7), whole in ".{0,200}") {
        prop_assert!(parse::<Header>(&parts.join(".")).is_err());
        prop_assert!(parse::<Header>(&whole).is_err());
        drop(PrivateKey::from_jwk(&whole));
    }

    #[test]
    fn no_bytes_make_it_panic_behind_a_good_header(
        wrapped in any::<[u8; 40]>(), iv in any::<[u8; 12]>(), content: Vec<u8>, tag in any::<[u8; 16]>(), secret: [u8; 32],
    ) {
        use domain::encoding::base64url;
        let header = serde_json::to_vec(&header(EcJwk::p256("AA".to_owned(), "AA".to_owned()))).unwrap();
        let parts = [header.as_slice(), &wrapped, &iv, &content, &tag].map(base64url);
        prop_assert_eq!(parse::<Header>(&parts.join(".")).unwrap().open(&secret).err(), Some(Error::Unopened));
    }
}
