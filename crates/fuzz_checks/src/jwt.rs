//! Access tokens: an accepted token has the required claims and a signature that aws-lc confirms.

use crate::{input, signing};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use domain::UnixMs;
use domain::encoding::from_base64url;
use serde_json::Value;
use std::sync::LazyLock;
use verify::{AccessToken, ExpectedClaims, PublicKey, TYP};

const ISSUER: &str = "https://portal.example";
const AUDIENCE: &str = "https://app.example";
const NOW_S: i64 = 1_000;
const SKEW_S: i64 = 30;

static KEY: LazyLock<(Vec<u8>, PublicKey)> = LazyLock::new(signing::ed25519_public);

/// Checks `data`: a token; or its header and its claims, with a line break between them, which are signed here.
pub(crate) fn check(data: &[u8]) {
    let (header, claims) = input::halves(data);
    if claims.is_empty() {
        let Some(token) = input::text(data) else { return };
        judge(token);
    } else {
        judge(&signing::ed25519(header, claims));
    }
}

fn judge(token: &str) {
    let expected = ExpectedClaims { typ: TYP, issuer: ISSUER, audience: AUDIENCE };
    let Ok(ours) = verify::verify::<AccessToken>(token, &KEY.1, expected, UnixMs::from_millis(NOW_S * 1000)) else {
        return;
    };
    let part = |at: usize| -> Option<Value> {
        let text = token.split('.').nth(at).expect("three parts");
        serde_json::from_slice(&from_base64url(text).expect("base64url")).ok()
    };
    // In a member that is not read, an escape may be an invalid character.
    let (Some(header), Some(claims)) = (part(0), part(1)) else { return };
    assert_eq!(header["typ"], TYP);
    assert_eq!(header["alg"], "EdDSA");
    assert!(header.get("crit").is_none() && header.get("b64").is_none(), "an extension that nobody understands");
    assert_eq!(claims["iss"], ISSUER);
    assert!(claims["aud"] == AUDIENCE || claims["aud"].as_array().is_some_and(|all| all.contains(&AUDIENCE.into())));
    assert!(claims["exp"].as_i64().expect("a number").saturating_add(SKEW_S) > NOW_S);
    assert!(claims["nbf"].as_i64().expect("a number").saturating_sub(SKEW_S) <= NOW_S);
    assert_eq!((Some(ours.sub.as_str()), Some(ours.sid.as_str())), (claims["sub"].as_str(), claims["sid"].as_str()));
    assert_eq!(ours.cnf.map(|cnf| Value::from(cnf.jkt.to_string())).unwrap_or_default(), claims["cnf"]["jkt"]);

    let (message, signature) = token.rsplit_once('.').expect("three parts");
    let signature = from_base64url(signature).expect("base64url");
    let theirs = UnparsedPublicKey::new(&ED25519, &KEY.0).verify(message.as_bytes(), &signature);
    assert!(theirs.is_ok(), "aws-lc refuses the signature");
}
