//! Proofs of possession (RFC 9449): that the client holds the private half of a key.

use crate::keyring::thumbprint;
use domain::encoding::{from_base64url, hmac_is, hmac_sha256};
use domain::{UnixMs, encoding::base64url};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use wire::jwk::EcJwk;

/// The request header that carries a proof.
pub const HEADER: &str = "dpop";
/// The answer header that carries the nonce for the next proof (RFC 9449, section 8).
pub const NONCE_HEADER: &str = "dpop-nonce";

const NONCE_LIFETIME_MS: i64 = 5 * 60_000;
const LONGEST_PROOF: usize = 2048;

/// What a good proof shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Thumbprint (RFC 7638) of the key.
    pub jkt: String,
    pub jti: String,
    pub nonce: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    typ: String,
    alg: String,
    jwk: EcJwk,
}

/// `iat` is required by the RFC and judged by nobody: every proof here carries a nonce that the server
/// made, so that a client's wrong clock locks nobody out (section 11.1).
#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    #[serde(rename = "iat")]
    _iat: i64,
    #[serde(default)]
    nonce: Option<String>,
}

/// Checks a proof over a request (section 4.3, checks 2 to 9; the caller judges nonce and `jti`).
/// `None`, whatever is wrong.
pub fn verify(proof: &str, method: &str, url: &str) -> Option<Proof> {
    if proof.len() > LONGEST_PROOF {
        return None;
    }
    let (message, signature) = proof.rsplit_once('.')?;
    let (header, payload) = message.split_once('.')?;
    let raw_header = from_base64url(header)?;
    let header: Header = serde_json::from_slice(&raw_header).ok()?;
    let claims: Claims = serde_json::from_slice(&from_base64url(payload)?).ok()?;
    let well_formed = header.typ == "dpop+jwt"
        && header.alg == "ES256"
        && header.jwk.kty == "EC"
        && header.jwk.crv == "P-256"
        && !has_private_half(&raw_header)
        && (1..=128).contains(&claims.jti.len())
        && claims.htm == method
        && claims.htu == url;
    if !well_formed {
        return None;
    }
    let key = DecodingKey::from_ec_components(&header.jwk.x, &header.jwk.y).ok()?;
    let good = jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key, Algorithm::ES256).ok()?;
    good.then(|| Proof { jkt: thumbprint(&header.jwk), jti: claims.jti, nonce: claims.nonce })
}

fn has_private_half(header: &[u8]) -> bool {
    let header: Option<serde_json::Value> = serde_json::from_slice(header).ok();
    header.is_none_or(|header| header.pointer("/jwk/d").is_some())
}

/// A nonce that any node can check: the time, authenticated.
pub fn nonce(key: &[u8; 32], now: UnixMs) -> String {
    let time = now.to_be_bytes();
    base64url(&[time.as_slice(), &hmac_sha256(key, &[&time])[..16]].concat())
}

/// Whether the nonce was made here within the last five minutes.
pub fn nonce_is_fresh(key: &[u8; 32], nonce: &str, now: UnixMs) -> bool {
    let Some(bytes) = from_base64url(nonce) else { return false };
    let Some((time, tag)) = bytes.split_first_chunk::<8>() else { return false };
    let age = now.saturating_sub(i64::from_be_bytes(*time));
    hmac_is(key, &[time], tag) && (-1000..NONCE_LIFETIME_MS).contains(&age)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
    use serde_json::{Value, json};

    const URL: &str = "http://localhost:3000/api/refresh";

    /// A proof whose header and claims were changed before it was signed.
    fn proof(change: impl Fn(&mut Value, &mut Value)) -> String {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        let point = pair.public_key().as_ref();
        let jwk = EcJwk::p256(base64url(&point[1..33]), base64url(&point[33..]));
        let mut header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk});
        let mut claims = json!({"jti": "1", "htm": "POST", "htu": URL, "iat": 1, "nonce": "n"});
        change(&mut header, &mut claims);
        let message =
            format!("{}.{}", base64url(header.to_string().as_bytes()), base64url(claims.to_string().as_bytes()));
        let signature = pair.sign(&SystemRandom::new(), message.as_bytes()).expect("signed");
        format!("{message}.{}", base64url(signature.as_ref()))
    }

    #[test]
    fn a_good_proof_tells_its_key_and_nonce() {
        let good = verify(&proof(|_, _| {}), "POST", URL).expect("good");
        assert_eq!((good.nonce.as_deref(), good.jti.as_str(), good.jkt.len()), (Some("n"), "1", 43));
    }

    #[test]
    fn each_check_of_the_rfc_refuses() {
        type Change = fn(&mut Value, &mut Value);
        let changes: [(&str, Change); 14] = [
            ("typ", |header, _| header["typ"] = json!("JWT")),
            ("alg none", |header, _| header["alg"] = json!("none")),
            ("alg symmetric", |header, _| header["alg"] = json!("HS256")),
            ("no jwk", |header, _| header["jwk"] = json!(null)),
            ("private key", |header, _| header["jwk"]["d"] = json!("AAAA")),
            ("another curve", |header, _| header["jwk"]["crv"] = json!("P-384")),
            ("another key", |header, _| header["jwk"]["x"] = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")),
            ("another method", |_, claims| claims["htm"] = json!("GET")),
            ("another url", |_, claims| claims["htu"] = json!("http://localhost:3000/api/login")),
            ("url with query", |_, claims| claims["htu"] = json!(format!("{URL}?a=b"))),
            ("no jti", |_, claims| claims["jti"] = json!(null)),
            ("empty jti", |_, claims| claims["jti"] = json!("")),
            ("long jti", |_, claims| claims["jti"] = json!("x".repeat(129))),
            ("no iat", |_, claims| claims["iat"] = json!(null)),
        ];
        for (name, change) in changes {
            assert_eq!(verify(&proof(change), "POST", URL), None, "{name}");
        }
        let good = proof(|_, _| {});
        for broken in [&good[..good.len() - 1], &format!("{good}.{good}"), "", "a", "a.b.c", &"a".repeat(3000)] {
            assert_eq!(verify(broken, "POST", URL), None);
        }
    }

    #[test]
    fn a_nonce_is_ours_and_young() {
        let (key, other) = ([1; 32], [2; 32]);
        let fresh = nonce(&key, 1_000_000);
        assert!(nonce_is_fresh(&key, &fresh, 1_000_000));
        assert!(nonce_is_fresh(&key, &fresh, 1_299_999));
        assert!(!nonce_is_fresh(&key, &fresh, 1_300_000));
        assert!(!nonce_is_fresh(&key, &fresh, 900_000), "from the future");
        assert!(!nonce_is_fresh(&other, &fresh, 1_000_000));
        assert!(!nonce_is_fresh(&key, "AAAA", 1_000_000));
    }
}
