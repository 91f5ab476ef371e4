//! Proofs of possession (RFC 9449) of a private key.

use domain::UnixSeconds;
use domain::authority::is_same_url;
use domain::encoding::{base64url, from_base64url, sha256};
use domain::thumbprint::Thumbprint;
use http::HeaderMap;
use jose::{Algorithm, PublicKey};
use serde::Deserialize;
use wire::jwk::VerifyingJwk;

/// The request header that carries a proof.
pub const HEADER: &str = "dpop";
/// The answer header that carries the nonce for the next proof (section 8).
pub const NONCE_HEADER: &str = "dpop-nonce";
/// The accepted algorithms of a proof.
pub const ALGORITHMS: &str = "ES256";

const LONGEST_PROOF: usize = 2048;

/// The content of a valid proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Thumbprint (RFC 7638) of the key.
    pub jkt: Thumbprint,
    pub jti: String,
    /// The client's time of the proof. It is not checked if a nonce is required, so that a wrong clock locks nobody out
    /// (section 11.1).
    pub iat: UnixSeconds,
    pub nonce: Option<String>,
    /// Hash of the proof's token: see [`token_hash`].
    pub ath: Option<String>,
    /// The URL that was signed.
    pub htu: String,
    /// The client's point for agreeing on a key with the paid gate.
    pub mac_epk: Option<String>,
}

#[derive(Deserialize)]
struct ProofHeader {
    typ: String,
    jwk: VerifyingJwk,
}

#[derive(Deserialize)]
struct ProofClaims {
    jti: String,
    htm: String,
    htu: String,
    iat: UnixSeconds,
    #[serde(default)]
    nonce: Option<String>,
    #[serde(default)]
    ath: Option<String>,
    #[serde(default)]
    mac_epk: Option<String>,
}

/// Verifies a proof for a request (section 4.3, checks 2 to 9; the caller checks nonce, `iat`, `jti` and `ath`). Its key
/// is P-256. Returns `None` for any invalid proof.
pub fn verify(proof: &str, method: &str, url: &str) -> Option<Proof> {
    verify_any_url(proof, method, &[Algorithm::Es256]).filter(|proof| is_same_url(&proof.htu, url))
}

/// Verifies a proof as [`verify`] does, except for its URL, with a key for one of these algorithms.
pub fn verify_any_url(proof: &str, method: &str, algorithms: &[Algorithm]) -> Option<Proof> {
    if proof.len() > LONGEST_PROOF {
        return None;
    }
    let header = from_base64url(proof.split_once('.')?.0)?;
    let ProofHeader { typ, jwk } = wire::jose::header(&header).ok()?;
    let key = public_key(&jwk).filter(|key| algorithms.contains(&key.algorithm()))?;
    if typ != "dpop+jwt" {
        return None;
    }
    let claims: ProofClaims = key.verify(proof).ok()?;
    let fits = (1..=128).contains(&claims.jti.len()) && claims.htm == method;
    let ProofClaims { jti, iat, nonce, ath, htu, mac_epk, .. } = claims;
    fits.then(|| Proof { jkt: Thumbprint::of(&jwk.thumbprint_input()), jti, iat, nonce, ath, htu, mac_epk })
}

/// Returns the key, which determines the algorithm.
fn public_key(jwk: &VerifyingJwk) -> Option<PublicKey> {
    match jwk {
        VerifyingJwk::Ec(key) if key.kty == "EC" && key.crv == "P-256" => PublicKey::p256(&key.x, &key.y),
        VerifyingJwk::Okp(key) if key.kty == "OKP" && key.crv == "Ed25519" => PublicKey::ed25519(&key.x),
        _ => None,
    }
}

/// Returns the request's proof. Two count as none (section 4.3, check 1).
pub fn presented(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(HEADER).iter();
    let proof = all.next()?.to_str().ok()?;
    all.next().is_none().then_some(proof)
}

/// Verifies the proof for a token that is bound to `jkt` (section 4.3, checks 1 to 9 and 12). The caller checks nonce,
/// `iat` and `jti`. Returns `None` for any invalid proof.
pub fn of_token(headers: &HeaderMap, method: &str, url: &str, token: &str, jkt: Thumbprint) -> Option<Proof> {
    let proof = verify(presented(headers)?, method, url)?;
    (proof.jkt == jkt && proof.ath.as_deref() == Some(token_hash(token).as_str())).then_some(proof)
}

/// Returns the `ath` for a token (section 4.2).
pub fn token_hash(token: &str) -> String {
    base64url(&sha256(token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
    use serde_json::{Value, json};
    use wire::jwk::EcJwk;

    const URL: &str = "http://localhost:3000/api/refresh";

    /// Makes a proof whose header and claims were changed before it was signed.
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
        assert_eq!((good.nonce.as_deref(), good.jti.as_str(), good.jkt.to_string().len()), (Some("n"), "1", 43));
        assert_eq!(good.ath, None);
        let spelled =
            verify(&proof(|_, claims| claims["htu"] = json!("HTTP://LocalHost.:3000/api/refresh")), "POST", URL);
        assert!(spelled.is_some(), "scheme and authority are no text");
        let bound = verify(&proof(|_, claims| claims["ath"] = json!("h")), "POST", URL).expect("good");
        assert_eq!(bound.ath.as_deref(), Some("h"));
    }

    #[test]
    fn each_check_of_the_rfc_refuses() {
        type Change = fn(&mut Value, &mut Value);
        let changes: [(&str, Change); 18] = [
            ("typ", |header, _| header["typ"] = json!("JWT")),
            ("an extension", |header, _| header["crit"] = json!(["exp"])),
            ("no list of extensions", |header, _| header["crit"] = json!(null)),
            ("another encoding", |header, _| header["b64"] = json!(false)),
            ("no extension", |header, _| header["crit"] = json!([])),
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
}
