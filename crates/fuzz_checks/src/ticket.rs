//! Tickets: a signed token in an envelope to one service. An opened one has the sealed content and header.

use crate::{input, signing};
use domain::UnixMs;
use domain::encoding::base64url;
use jwe::{PrivateKey, Random};
use serde_json::Value;
use std::sync::LazyLock;
use verify::{ExpectedClaims, PublicKey};
use wire::tickets::{TYP, TicketClaims, TicketHeader};

static SERVICE: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(&[5; 32]).expect("a key"));
static ISSUER: LazyLock<PublicKey> = LazyLock::new(|| signing::ed25519_public().1);

/// Checks `data`: a ticket; or the members of its header and the claims inside, with a line break between them.
pub(crate) fn check(data: &[u8]) {
    let (header, claims) = input::halves(data);
    if claims.is_empty() {
        let Some(text) = input::text(data) else { return };
        assert!(open(text).is_none(), "it was sealed by nobody");
        return;
    }
    let Ok(Value::Object(mut members)) = serde_json::from_slice(header) else { return };
    let inner = signing::ed25519(
        &serde_json::to_vec(&serde_json::json!({"typ": TYP, "alg": "EdDSA", "kid": "ed"})).expect("JSON"),
        claims,
    );
    let random = Random { ephemeral: [1; 32], content_key: [2; 32], iv: [3; 12] };
    let with_key = |epk| {
        members.insert("epk".to_owned(), serde_json::to_value(epk).expect("JSON"));
        members.clone()
    };
    let Ok(ticket) = jwe::seal(&SERVICE.public(), with_key, inner.as_bytes(), &random) else { return };
    let opened = open(&ticket);
    assert!(opened.as_deref().is_none_or(|opened| opened == inner));
    if opened.is_some() {
        if let Some(changed) = input::changed(ticket.as_bytes(), claims).and_then(|bytes| String::from_utf8(bytes).ok())
        {
            assert!(open(&changed).is_none(), "a changed ticket opens");
        }
        judge(&inner, claims);
    }
}

fn open(ticket: &str) -> Option<String> {
    let sealed = jwe::parse::<TicketHeader>(ticket).ok()?;
    let secret = SERVICE.agree(sealed.epk()).ok()?;
    String::from_utf8(sealed.open(&secret).ok()?.to_vec()).ok()
}

fn judge(inner: &str, said: &[u8]) {
    let expected = ExpectedClaims { typ: TYP, issuer: "https://portal.example", audience: "time" };
    let Ok(claims) = verify::verify::<TicketClaims>(inner, &ISSUER, expected, UnixMs::from_millis(1_000_000)) else {
        return;
    };
    let said: Value = serde_json::from_slice(said).expect("JSON");
    assert_eq!(said["sub"], claims.sub);
    assert_eq!(said["cnf"]["jkt"], claims.cnf.jkt);
    assert_eq!(said["user_key"]["k"], claims.user_key.k);
    assert!(!format!("{claims:?}").contains(&claims.user_key.k) || claims.user_key.k.len() < 40, "a key is shown");
    let _ = base64url(claims.jti.as_bytes());
}
