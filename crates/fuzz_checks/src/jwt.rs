//! Access tokens: what is accepted says what must be said, and `jsonwebtoken` accepts it too.

use crate::{input, signing};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;
use std::sync::LazyLock;
use verify::{AccessToken, Expected, Key, TYP};

const ISSUER: &str = "https://portal.example";
const AUDIENCE: &str = "https://app.example";
const NOW_S: i64 = 1_000;
const SKEW_S: i64 = 30;

static KEY: LazyLock<(DecodingKey, Key)> = LazyLock::new(|| {
    let (bytes, key) = signing::ed25519_public();
    (DecodingKey::from_ed_der(&bytes), key)
});

/// `data`: a token; or its header and its claims, with a line break between them, which are signed here.
pub fn check(data: &[u8]) {
    let (header, claims) = input::halves(data);
    if claims.is_empty() {
        let Some(token) = input::text(data) else { return };
        judge(token);
    } else {
        judge(&signing::ed25519(header, claims));
    }
}

fn judge(token: &str) {
    let expected = Expected { typ: TYP, issuer: ISSUER, audience: AUDIENCE };
    let Ok(ours) = verify::verify::<AccessToken>(token, &KEY.1, expected, NOW_S * 1000) else { return };
    let part = |at: usize| -> Option<Value> {
        let text = token.split('.').nth(at).expect("three parts");
        serde_json::from_slice(&domain::encoding::from_base64url(text).expect("base64url")).ok()
    };
    // In a member that nobody reads, an escape may be no character at all.
    let (Some(header), Some(claims)) = (part(0), part(1)) else { return };
    assert_eq!(header["typ"], TYP);
    assert_eq!(header["alg"], "EdDSA");
    assert!(header.get("crit").is_none_or(Value::is_null), "an extension that nobody understands");
    assert_eq!(claims["iss"], ISSUER);
    assert!(claims["aud"] == AUDIENCE || claims["aud"].as_array().is_some_and(|all| all.contains(&AUDIENCE.into())));
    assert!(claims["exp"].as_i64().expect("a number").saturating_add(SKEW_S) > NOW_S);
    assert!(claims["nbf"].as_i64().expect("a number").saturating_sub(SKEW_S) <= NOW_S);
    assert_eq!((Some(ours.sub.as_str()), Some(ours.sid.as_str())), (claims["sub"].as_str(), claims["sid"].as_str()));
    assert_eq!(ours.cnf.map(|cnf| Value::from(cnf.jkt)).unwrap_or_default(), claims["cnf"]["jkt"]);

    let mut validation = Validation::new(Algorithm::EdDSA);
    (validation.validate_exp, validation.validate_nbf) = (false, false);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    // Its header type refuses members of a known name and another type, even those that mean nothing here.
    if jsonwebtoken::decode_header(token).is_ok() {
        let theirs = jsonwebtoken::decode::<Value>(token, &KEY.0, &validation);
        assert!(theirs.is_ok(), "jsonwebtoken refuses it: {theirs:?}");
    }
}
