//! No bytes make the parser panic, and only valid signatures are accepted.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64ct::{Base64UrlUnpadded, Encoding};
use passkey::{Assertion, Expected, PasskeyError, PublicKey, Registration};
use proptest::prelude::*;

const CHALLENGE: [u8; 32] = [5; 32];
const EXPECTED: Expected =
    Expected { relying_party: "example.org", origin: "https://example.org", challenge: &CHALLENGE };

/// An authenticator with one P-256 key.
struct Authenticator(EcdsaKeyPair);

impl Authenticator {
    fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key"))
    }

    fn key(&self) -> PublicKey {
        let point = self.0.public_key().as_ref();
        PublicKey::p256(point[1..33].try_into().expect("x"), point[33..].try_into().expect("y")).expect("a point")
    }

    fn assert(&self, client_data: &str, data: &[u8]) -> Result<passkey::AuthenticatorState, PasskeyError> {
        let message = [data, digest(&SHA256, client_data.as_bytes()).as_ref()].concat();
        let signature = self.0.sign(&SystemRandom::new(), &message).expect("signed");
        let received = Assertion {
            client_data_json: client_data.as_bytes(),
            authenticator_data: data,
            signature: signature.as_ref(),
        };
        passkey::verify_assertion(&EXPECTED, &self.key(), &received)
    }
}

fn client_data(kind: &str, more: &str) -> String {
    let challenge = Base64UrlUnpadded::encode_string(&CHALLENGE);
    format!(r#"{{"type":"webauthn.{kind}","challenge":"{challenge}","origin":"https://example.org"{more}}}"#)
}

fn data(flags: u8, rest: &[u8]) -> Vec<u8> {
    [digest(&SHA256, b"example.org").as_ref(), &[flags], &[0, 0, 1, 2], rest].concat()
}

#[test]
fn each_flag_is_judged() {
    let authenticator = Authenticator::new();
    let judge = |flags: u8, rest: &[u8]| authenticator.assert(&client_data("get", ""), &data(flags, rest));
    let state = judge(0b0001_1101, &[]).expect("accepted");
    assert!(state.backup_eligible && state.backed_up);
    assert_eq!(state.sign_count, 258);
    assert!(!judge(0b0000_1101, &[]).expect("accepted").backed_up);
    assert_eq!(judge(0b0000_0100, &[]), Err(PasskeyError::UserPresence));
    assert_eq!(judge(0b0000_0001, &[]), Err(PasskeyError::UserVerification));
    assert_eq!(judge(0b0001_0101, &[]), Err(PasskeyError::AuthenticatorData), "copied without being allowed to");
    // Extensions are skipped; bytes that no flag announces are refused.
    assert!(judge(0b1000_0101, &[0xa1, 0x61, b'a', 0xf5]).is_ok());
    for (flags, rest) in
        [(0b1000_0101, &[0xf5][..]), (0b1000_0101, &[0xa0, 0]), (0b0000_0101, &[0xa0]), (0b0100_0101, &[0; 18])]
    {
        assert!(judge(flags, rest).is_err(), "{flags:08b} {rest:?}");
    }
}

#[test]
fn client_data_of_other_frames_ceremonies_and_forms_is_refused() {
    let authenticator = Authenticator::new();
    let judge = |text: &str| authenticator.assert(text, &data(5, &[])).map(drop);
    let good = client_data("get", "");
    assert_eq!(judge(&good), Ok(()));
    assert_eq!(judge(&client_data("get", r#","crossOrigin":false,"other":{"a":[1]}"#)), Ok(()));
    for (text, error) in [
        (client_data("create", ""), PasskeyError::Type),
        (client_data("get", r#","crossOrigin":true"#), PasskeyError::CrossOrigin),
        (client_data("get", r#","topOrigin":"https://example.org""#), PasskeyError::CrossOrigin),
        (client_data("get", r#","crossOrigin":"no""#), PasskeyError::ClientData),
        (client_data("get", r#","origin":"https://example.org""#), PasskeyError::ClientData),
        (good.replace("https://example.org", "https://example.org.evil"), PasskeyError::Origin),
        (good.replace("https://example.org", "https://evil-example.org"), PasskeyError::Origin),
        (good.replace("https://example.org", "https://sub.example.org"), PasskeyError::Origin),
        (good.replace("https://example.org", "https://EXAMPLE.org"), PasskeyError::Origin),
        (good.replace("BQUF", "BQUG"), PasskeyError::Challenge),
        (good.replace("BQU\"", "BQV\""), PasskeyError::Challenge),
        (format!("\u{feff}{good}"), PasskeyError::ClientData),
        (format!("{good} {good}"), PasskeyError::ClientData),
        ("[]".to_owned(), PasskeyError::ClientData),
        (String::new(), PasskeyError::ClientData),
    ] {
        assert_eq!(judge(&text), Err(error), "{text}");
    }
}

#[test]
fn keys_of_odd_forms_are_refused() {
    let good = Authenticator::new().key().to_cose();
    assert_eq!(good.len(), 77);
    for bit in 0..good.len() * 8 {
        let mut changed = good.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        // With another coordinate, the point is not on the curve, except for its negative.
        if let Ok(key) = PublicKey::from_cose(&changed) {
            assert_eq!(key.to_cose(), changed, "a key with two forms");
        }
    }
    let parts = |entries: &[&[u8]]| {
        let count = u8::try_from(entries.len()).expect("few");
        [&[0xa0 | count][..], &entries.concat()].concat()
    };
    let (kty, alg, crv, x, y) = (&good[1..3], &good[3..5], &good[5..7], &good[7..42], &good[42..]);
    assert_eq!(parts(&[kty, alg, crv, x, y]), good);
    assert!(PublicKey::from_cose(&parts(&[y, x, crv, alg, kty])).is_ok(), "in any order");
    let odd: [&[&[u8]]; 7] = [
        &[kty, alg, crv, x],
        &[kty, alg, crv, x, y, y],
        &[kty, crv, x, y],
        &[alg, crv, x, y],
        &[kty, alg, x, y],
        &[kty, alg, crv, x, y, &[0x18, 0x2a, 0]],
        &[kty, alg, crv, x, &[0x22, 0xf5]],
    ];
    for entries in odd {
        assert_eq!(PublicKey::from_cose(&parts(entries)), Err(PasskeyError::PublicKey));
    }
    assert_eq!(PublicKey::from_cose(&[good.as_slice(), &[0]].concat()), Err(PasskeyError::PublicKey));
    // EdDSA's number on a P-256 key: the key's type decides.
    assert_eq!(PublicKey::from_cose(&parts(&[kty, &[3, 0x27], crv, x, y])), Err(PasskeyError::PublicKey));
    assert_eq!(PublicKey::from_cose(&parts(&[kty, &[3, 0x26 + 20], crv, x, y])).err(), Some(PasskeyError::PublicKey));
    assert!(PublicKey::rsa(&[0xff; 255], &[1, 0, 1]).is_none(), "2040 bits are too few");
    assert!(PublicKey::rsa(&[0xff; 1025], &[1, 0, 1]).is_none() && PublicKey::rsa(&[0xff; 256], &[]).is_none());
    assert!(PublicKey::p256([1; 32], [1; 32]).is_none(), "not on the curve");
}

proptest! {
    #[test]
    fn bytes_never_panic(client in prop::collection::vec(any::<u8>(), 0..300), object in prop::collection::vec(any::<u8>(), 0..300)) {
        let right = client_data("create", "");
        for client_data_json in [&client[..], right.as_bytes()] {
            let made = passkey::verify_registration(&EXPECTED, &Registration { client_data_json, attestation_object: &object });
            prop_assert!(made.is_err());
        }
        prop_assert!(PublicKey::from_cose(&object).map_or(true, |key| PublicKey::from_cose(&key.to_cose()) == Ok(key)));
    }

    #[test]
    fn authenticator_data_never_panics(rest in prop::collection::vec(any::<u8>(), 0..200), flags: u8) {
        let object = [&[0xa3, 0x63, b'f', b'm', b't', 0x64, b'n', b'o', b'n', b'e', 0x67, b'a', b't', b't', b'S', b't', b'm', b't', 0xa0, 0x68][..], b"authData",
            &[0x58, u8::try_from(data(flags, &rest).len()).expect("short")], &data(flags, &rest)].concat();
        let client = client_data("create", "");
        let made = passkey::verify_registration(&EXPECTED, &Registration { client_data_json: client.as_bytes(), attestation_object: &object });
        prop_assert!(made.is_err());
    }
}
