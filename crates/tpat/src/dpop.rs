//! Proofs that a client holds its private key: DPoP (RFC 9449) for method, URL, nonce and token, signed with P-256
//! (`ES256`) or Ed25519 (`EdDSA`).

use crate::binding::Thumbprint;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};
use domain::authority::Origin;
use domain::encoding::{base64url, from_base64url, sha256};
use serde::Deserialize;
use std::borrow::Cow;
use wire::jose::{self, Absent};
use wire::jwk::{EcJwk, OkpJwk, VerifyingJwk};

const LONGEST: usize = 2048;

/// The content of a valid proof. The caller checks nonce, `jti` and `ath`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DpopProof {
    /// The key that signed it.
    pub thumbprint: Thumbprint,
    pub jti: String,
    pub nonce: Option<String>,
    /// Hash of the proof's token: see [`token_hash`].
    pub ath: Option<String>,
}

/// The reason why a proof is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DpopError {
    /// The proof is invalid.
    #[error("the proof of possession is invalid")]
    Proof,
    /// The proof is valid, but for another URL than the requested one.
    #[error("the proof of possession is for another URL")]
    OtherUrl(String),
}

#[derive(Deserialize)]
struct Header<'a> {
    // JSON may escape any character, and some writers escape the plus sign here.
    #[serde(borrow)]
    typ: Cow<'a, str>,
    #[serde(borrow)]
    alg: Cow<'a, str>,
    #[serde(borrow)]
    jwk: Jwk<'a>,
}

/// The relevant members of the key (RFC 7517).
#[derive(Deserialize)]
struct Jwk<'a> {
    #[serde(borrow)]
    kty: Cow<'a, str>,
    #[serde(borrow)]
    crv: Cow<'a, str>,
    #[serde(borrow)]
    x: Cow<'a, str>,
    #[serde(borrow, default)]
    y: Option<Cow<'a, str>>,
    /// The private half must not be sent (RFC 9449, section 4.2).
    #[serde(default, rename = "d")]
    _d: Absent,
}

/// `iat` is required by the RFC but not checked: the server's nonce shows the proof's age, independent of the client's
/// clock (section 11.1).
#[derive(Deserialize)]
struct Claims<'a> {
    jti: String,
    #[serde(borrow)]
    htm: Cow<'a, str>,
    #[serde(borrow)]
    htu: Cow<'a, str>,
    #[serde(rename = "iat")]
    _iat: i64,
    #[serde(default)]
    nonce: Option<String>,
    #[serde(default)]
    ath: Option<String>,
}

/// Verifies a proof for a request (section 4.3, checks 2 to 9). `url` has no query and no fragment.
pub fn verify(proof: &str, method: &str, url: &str) -> Result<DpopProof, DpopError> {
    let (possession, signed) = check(proof, method).ok_or(DpopError::Proof)?;
    if is_same(&signed, url) { Ok(possession) } else { Err(DpopError::OtherUrl(signed)) }
}

/// Whether two URLs name the same: scheme and authority are compared as such, the rest as text (RFC 9449, section 4.3:
/// after normalisation by RFC 3986, section 6.2.3).
fn is_same(signed: &str, url: &str) -> bool {
    let split = |url: &str| {
        let rest = url.split_once("://")?.1;
        let at = url.len() - rest.len() + rest.find('/').unwrap_or(rest.len());
        let (origin, path) = url.split_at(at);
        Some((Origin::parse(origin).ok()?, path.to_owned()))
    };
    signed == url || split(signed).is_some_and(|signed| split(url) == Some(signed))
}

/// Returns the `ath` for a token (section 4.2).
pub fn token_hash(token: &str) -> String {
    base64url(&sha256(token.as_bytes()))
}

/// Returns the SHA-256 thumbprint of a key (RFC 7638).
pub fn thumbprint(key: &VerifyingJwk) -> Thumbprint {
    let input = match key {
        VerifyingJwk::Ec(key) => key.thumbprint_input(),
        VerifyingJwk::Okp(key) => key.thumbprint_input(),
    };
    Thumbprint(sha256(input.as_bytes()))
}

/// Verifies a proof except for its URL, which is the second value.
fn check(proof: &str, method: &str) -> Option<(DpopProof, String)> {
    if proof.len() > LONGEST {
        return None;
    }
    let (message, signature) = proof.rsplit_once('.')?;
    let (header, claims) = message.split_once('.')?;
    let (header, claims) = (from_base64url(header)?, from_base64url(claims)?);
    let header: Header<'_> = jose::header(&header).ok()?;
    let claims: Claims<'_> = serde_json::from_slice(&claims).ok()?;
    let well_formed = header.typ == "dpop+jwt" && (1..=128).contains(&claims.jti.len()) && claims.htm == method;
    if !well_formed {
        return None;
    }
    let key = header.jwk.named(&header.alg)?;
    signed(&key, message, &from_base64url(signature)?)?;
    let Claims { jti, nonce, ath, htu, .. } = claims;
    Some((DpopProof { thumbprint: thumbprint(&key), jti, nonce, ath }, htu.into_owned()))
}

impl Jwk<'_> {
    /// Returns the key, if the algorithm matches it.
    fn named(&self, alg: &str) -> Option<VerifyingJwk> {
        let x = self.x.clone().into_owned();
        match (alg, &*self.kty, &*self.crv) {
            ("ES256", "EC", "P-256") => Some(VerifyingJwk::Ec(EcJwk::p256(x, self.y.clone()?.into_owned()))),
            ("EdDSA", "OKP", "Ed25519") => Some(VerifyingJwk::Okp(OkpJwk::ed25519(x))),
            _ => None,
        }
    }
}

fn signed(key: &VerifyingJwk, message: &str, signature: &[u8]) -> Option<()> {
    match key {
        VerifyingJwk::Ec(key) => {
            let (x, y) = (coordinate(&key.x)?, coordinate(&key.y)?);
            let point = [&[4], x.as_slice(), &y].concat();
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message.as_bytes(), signature).ok()
        }
        VerifyingJwk::Okp(key) => {
            let x = coordinate(&key.x)?;
            UnparsedPublicKey::new(&ED25519, x).verify(message.as_bytes(), signature).ok()
        }
    }
}

fn coordinate(text: &str) -> Option<Vec<u8>> {
    from_base64url(text).filter(|bytes| bytes.len() == 32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const URL: &str = "http://localhost:3000/price";

    fn assemble(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        let message = format!("{}.{}", part(header), part(claims));
        let signature = sign(message.as_bytes());
        format!("{message}.{}", base64url(&signature))
    }

    fn p256(change: impl Fn(&mut Value, &mut Value)) -> String {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        let point = pair.public_key().as_ref();
        let jwk = EcJwk::p256(base64url(&point[1..33]), base64url(&point[33..]));
        let mut header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk});
        let mut claims = json!({"jti": "1", "htm": "GET", "htu": URL, "iat": 1, "nonce": "n", "ath": "h"});
        change(&mut header, &mut claims);
        assemble(&header, &claims, |message| {
            pair.sign(&SystemRandom::new(), message).expect("signed").as_ref().to_vec()
        })
    }

    fn ed25519(change: impl Fn(&mut Value, &mut Value)) -> String {
        let pair = Ed25519KeyPair::generate().expect("a key");
        let jwk = OkpJwk::ed25519(base64url(pair.public_key().as_ref()));
        let mut header = json!({"typ": "dpop+jwt", "alg": "EdDSA", "jwk": jwk});
        let mut claims = json!({"jti": "1", "htm": "GET", "htu": URL, "iat": 1, "nonce": "n", "ath": "h"});
        change(&mut header, &mut claims);
        assemble(&header, &claims, |message| pair.sign(message).as_ref().to_vec())
    }

    #[test]
    fn both_kinds_of_key() {
        for proof in [p256(|_, _| {}), ed25519(|_, _| {})] {
            let good = verify(&proof, "GET", URL).expect("good");
            assert_eq!((good.jti.as_str(), good.nonce.as_deref(), good.ath.as_deref()), ("1", Some("n"), Some("h")));
            assert_eq!(verify(&proof, "POST", URL), Err(DpopError::Proof));
        }
    }

    #[test]
    fn each_check_of_the_rfc_refuses() {
        type Change = fn(&mut Value, &mut Value);
        let changes: [(&str, Change); 14] = [
            ("an extension", |header, _| header["crit"] = json!(["exp"])),
            ("no list of extensions", |header, _| header["crit"] = json!(null)),
            ("another encoding", |header, _| header["b64"] = json!(false)),
            ("typ", |header, _| header["typ"] = json!("JWT")),
            ("alg none", |header, _| header["alg"] = json!("none")),
            ("alg symmetric", |header, _| header["alg"] = json!("HS256")),
            ("no jwk", |header, _| header["jwk"] = json!(null)),
            ("private key", |header, _| header["jwk"]["d"] = json!("AAAA")),
            ("another curve", |header, _| header["jwk"]["crv"] = json!("P-384")),
            ("another type", |header, _| header["jwk"]["kty"] = json!("RSA")),
            ("another key", |header, _| header["jwk"]["x"] = json!("A".repeat(43))),
            ("no jti", |_, claims| claims["jti"] = json!(null)),
            ("long jti", |_, claims| claims["jti"] = json!("x".repeat(129))),
            ("no iat", |_, claims| claims["iat"] = json!(null)),
        ];
        for (name, change) in changes {
            assert_eq!(verify(&p256(change), "GET", URL), Err(DpopError::Proof), "{name}");
            assert_eq!(verify(&ed25519(change), "GET", URL), Err(DpopError::Proof), "{name}");
        }
        let other: Change = |_, claims| claims["htu"] = json!("http://localhost:3000/other");
        let signed = DpopError::OtherUrl("http://localhost:3000/other".to_owned());
        assert_eq!(verify(&p256(other), "GET", URL), Err(signed), "a good proof over another URL");
        let mixed = ed25519(|header, _| header["alg"] = json!("ES256"));
        assert_eq!(verify(&mixed, "GET", URL), Err(DpopError::Proof));
    }

    proptest! {
        #[test]
        fn fuzz_possession_of_any_text(proof in ".{0,200}|[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,90}") {
            prop_assert_eq!(verify(&proof, "GET", URL), Err(DpopError::Proof));
        }
    }
}
