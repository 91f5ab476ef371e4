//! The public keys of clients (RFC 7517).

use domain::encoding::from_base64url;
use serde_json::{Map, Value};

/// Maximum length of a set of keys at a `jwks_uri`, in bytes.
pub const LONGEST: usize = 64 * 1024;
/// Maximum number of keys.
const MOST_KEYS: usize = 16;
/// Members of private and symmetric keys (RFC 7518, sections 6.2.2, 6.3.2 and 6.4).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Reads a set of keys that was fetched from a client's `jwks_uri`.
///
/// # Errors
/// The problem.
pub fn read(body: &[u8]) -> Result<Value, &'static str> {
    let jwks = serde_json::from_slice(body).map_err(|_| "is not JSON")?;
    check(&jwks)?;
    Ok(jwks)
}

/// Checks that a set of keys can verify a client's assertions, and contains no private key.
///
/// # Errors
/// The problem.
pub(crate) fn check(jwks: &Value) -> Result<(), &'static str> {
    let keys = jwks.get("keys").and_then(Value::as_array);
    let keys = keys.ok_or("must be an object with a list named keys (RFC 7517)")?;
    if keys.len() > MOST_KEYS {
        return Err("has more than 16 keys");
    }
    let keys: Option<Vec<_>> = keys.iter().map(Value::as_object).collect();
    let keys = keys.ok_or("has a key that is not an object")?;
    if keys.iter().any(|key| PRIVATE.iter().any(|name| key.contains_key(*name))) {
        return Err("has a private key: send the public one, and replace the private one, which others have seen");
    }
    if keys.iter().any(|key| is_usable(key)) {
        return Ok(());
    }
    Err("has no key that can be used: RSA of at least 2048 bits, P-256 or Ed25519, for signatures")
}

/// Whether a key is for signatures of an algorithm that this server supports (RFC 7517, sections 4.2 to 4.4).
pub fn verifies(key: &Map<String, Value>) -> bool {
    let is = |name: &str, wanted: &[&str]| key.get(name).is_none_or(|value| wanted.iter().any(|own| value == own));
    let operations = key.get("key_ops");
    let may_verify = |all: &Value| all.as_array().is_some_and(|all| all.iter().any(|one| one == "verify"));
    let algorithm: &[&str] = match key.get("kty").and_then(Value::as_str) {
        Some("RSA") => &["RS256"],
        Some("EC") => &["ES256"],
        _ => &["EdDSA", "Ed25519"],
    };
    is("use", &["sig"]) && operations.is_none_or(may_verify) && is("alg", algorithm)
}

fn is_usable(key: &Map<String, Value>) -> bool {
    let member = |name: &str| key.get(name).and_then(Value::as_str);
    let bytes = |name: &str| member(name).and_then(from_base64url).unwrap_or_default();
    let length = |name: &str| bytes(name).len();
    if !verifies(key) {
        return false;
    }
    // Leading zeros would make a short modulus look long (RFC 7518, section 6.3.1.1).
    let is_number = |bytes: &[u8]| bytes.first().is_some_and(|first| *first != 0);
    let has_bits = |n: &[u8]| is_number(n) && (n.len() > 256 || n.first().is_some_and(|first| *first >= 0x80));
    let is_exponent = |e: &[u8]| is_number(e) && *e != [1] && e.last().is_some_and(|last| last % 2 == 1);
    match (member("kty"), member("crv")) {
        (Some("RSA"), _) => {
            let (n, e) = (bytes("n"), bytes("e"));
            (256..=1024).contains(&n.len()) && has_bits(&n) && e.len() <= 8 && is_exponent(&e)
        }
        (Some("EC"), Some("P-256")) => length("x") == 32 && length("y") == 32,
        (Some("OKP"), Some("Ed25519")) => length("x") == 32,
        _ => false,
    }
}
