//! Forged tokens, by name. The portal's own tests try the same ones.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use domain::UnixSeconds;
use domain::encoding::base64url;
use serde_json::{Value, json};

/// A valid token, and the facts about its issuer that a forger knows. Only `sign` is unknown to forgers.
pub(crate) struct Genuine<'a> {
    pub header: Value,
    pub claims: Value,
    /// Signs header and claims unchanged, with the issuer's key.
    pub sign: &'a dyn Fn(&str, &str) -> String,
    /// The issuer's key, as it is published.
    pub jwk: Value,
    /// The issuer's published JWKS.
    pub key_set: String,
    /// The time at which the token is valid.
    pub now: UnixSeconds,
    /// An address that a header may name, and that must not be requested.
    pub elsewhere: String,
}

impl Genuine<'_> {
    pub(crate) fn token(&self) -> String {
        (self.sign)(&self.header.to_string(), &self.claims.to_string())
    }

    /// Returns the token with another member in its header, signed by the issuer.
    pub(crate) fn with(&self, name: &str, value: Value) -> String {
        (self.sign)(&self.header_with(name, value).to_string(), &self.claims.to_string())
    }

    fn header_with(&self, name: &str, value: Value) -> Value {
        let mut header = self.header.clone();
        header[name] = value;
        header
    }

    fn claiming(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims.clone();
        claims[name] = value;
        (self.sign)(&self.header.to_string(), &claims.to_string())
    }

    /// Returns a token with a repeated claim: verifiers that use the first and verifiers that use the last must not
    /// differ.
    fn twice(&self, text: &str) -> String {
        let claims = self.claims.to_string().replacen('{', &format!("{{{text},"), 1);
        (self.sign)(&self.header.to_string(), &claims)
    }
}

fn encode(value: &Value) -> String {
    base64url(value.to_string().as_bytes())
}

/// Signs with HS256 under a public text.
fn hs256(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let message = format!("{}.{}", encode(header), encode(claims));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    format!("{message}.{}", base64url(hmac::sign(&key, message.as_bytes()).as_ref()))
}

/// A key that is not the issuer's.
struct Stranger(EcdsaKeyPair);

impl Stranger {
    fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", encode(header), encode(claims));
        let signature = self.0.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", base64url(signature.as_ref()))
    }

    fn jwk(&self, kid: &Value) -> Value {
        let point = self.0.public_key().as_ref();
        let (x, y) = (base64url(&point[1..33]), base64url(&point[33..]));
        json!({"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": kid, "alg": "ES256", "use": "sig"})
    }
}

/// Signs on another curve, with a matching header.
fn ed_dsa(header: &Value, claims: &Value) -> String {
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = Ed25519KeyPair::generate().unwrap().sign(message.as_bytes());
    format!("{message}.{}", base64url(signature.as_ref()))
}

pub(crate) fn forgeries(genuine: &Genuine<'_>) -> Vec<(&'static str, String)> {
    let (header, claims, now) = (&genuine.header, &genuine.claims, genuine.now);
    let with = |name: &str, value: Value| genuine.header_with(name, value);
    let good = genuine.token();
    let (message, signature) = good.rsplit_once('.').unwrap();
    let payload = message.split_once('.').unwrap().1;
    let stranger = Stranger(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap());
    let hs = with("alg", json!("HS256"));
    let mut root = claims.clone();
    root["roles"] = json!(["administrator"]);
    let detached = with("b64", json!(false)).to_string().replacen('{', r#"{"crit":["b64"],"#, 1);
    let two_algorithms = header.to_string().replacen('{', r#"{"alg":"none","#, 1);
    vec![
        ("none", format!("{}.{payload}.", encode(&with("alg", json!("none"))))),
        ("None", format!("{}.{payload}.{signature}", encode(&with("alg", json!("None"))))),
        ("no signature", format!("{message}.")),
        ("HS256 with the key set", hs256(&hs, &root, genuine.key_set.as_bytes())),
        ("HS256 with the key", hs256(&hs, &root, genuine.jwk.to_string().as_bytes())),
        ("HS256 with its x", hs256(&hs, &root, genuine.jwk["x"].as_str().unwrap().as_bytes())),
        ("signed right, called HS256", genuine.with("alg", json!("HS256"))),
        ("signed right, called ES384", genuine.with("alg", json!("ES384"))),
        ("signed right, called EdDSA", genuine.with("alg", json!("EdDSA"))),
        ("another curve", ed_dsa(&with("alg", json!("EdDSA")), claims)),
        ("a stranger's", stranger.sign(header, &root)),
        ("another payload", format!("{}.{}.{signature}", encode(header), encode(&root))),
        ("all zeros", format!("{message}.{}", base64url(&[0; 64]))),
        ("kid up the tree", stranger.sign(&with("kid", json!("../../etc/passwd")), &root)),
        ("kid of SQL", stranger.sign(&with("kid", json!("' OR 1=1 --")), &root)),
        ("kid a number", stranger.sign(&with("kid", json!(1)), &root)),
        ("no kid", genuine.with("kid", json!(null))),
        ("a file", stranger.sign(&with("kid", json!("file:///dev/null")), &root)),
        ("jwk", stranger.sign(&with("jwk", stranger.jwk(&header["kid"])), &root)),
        ("jku", stranger.sign(&with("jku", json!(genuine.elsewhere)), &root)),
        ("x5u", stranger.sign(&with("x5u", json!(genuine.elsewhere)), &root)),
        ("crit", genuine.with("crit", json!(["exp"]))),
        ("b64", (genuine.sign)(&detached, &claims.to_string())),
        ("a ticket", genuine.with("typ", json!("ticket+jwt"))),
        ("a proof", genuine.with("typ", json!("dpop+jwt"))),
        ("a list", genuine.with("typ", json!("revocations+jwt"))),
        ("any JWT", genuine.with("typ", json!("JWT"))),
        ("no typ", genuine.with("typ", json!(null))),
        ("another issuer", genuine.claiming("iss", json!("https://evil.example"))),
        ("another audience", genuine.claiming("aud", json!("https://other.example"))),
        ("no session", genuine.claiming("sid", json!(null))),
        ("no end", genuine.claiming("exp", json!(null))),
        ("an end in words", genuine.claiming("exp", json!("never"))),
        ("a large end", genuine.claiming("exp", json!(1e30))),
        ("over", genuine.claiming("exp", json!(now - 30))),
        ("not yet", genuine.claiming("nbf", json!(now + 31))),
        ("no person", genuine.claiming("sub", json!(null))),
        ("roles in one word", genuine.claiming("roles", json!("administrator"))),
        ("two people", genuine.twice(r#""sub":"root""#)),
        ("two ends", genuine.twice(r#""exp":99999999999"#)),
        ("two audiences", genuine.twice(&format!(r#""aud":{}"#, claims["aud"]))),
        ("two algorithms", (genuine.sign)(&two_algorithms, &claims.to_string())),
        ("truncated", good[..good.len() - 4].to_owned()),
        ("longer", format!("{good}A")),
        ("padded", format!("{good}==")),
        ("four parts", format!("{good}.{signature}")),
        ("five parts", "a.b.c.d.e".to_owned()),
        ("dots", "..".to_owned()),
        ("a letter", "a".to_owned()),
        ("huge", format!("{}.{payload}.{signature}", "a".repeat(100_000))),
        ("deep", format!("{}.{payload}.{signature}", base64url("[".repeat(9_000).as_bytes()))),
    ]
}
