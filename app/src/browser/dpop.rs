//! Proofs of the signing key (RFC 9449).

use crate::browser::keys::{DeviceKeys, subtle};
use crate::browser::page::{object, origin, random};
use base64ct::{Base64UrlUnpadded, Encoding};
use js_sys::Uint8Array;
use wasm_bindgen::JsValue;

/// Returns the `DPoP` header of a request. `None` if the browser does not sign.
pub async fn proof(keys: &DeviceKeys, method: &str, path: &str, nonce: Option<&str>, now_ms: i64) -> Option<String> {
    let id: [u8; 16] = random()?;
    let header = header(&keys.signing.thumbprint_input());
    let payload = payload(&encode(&id), method, &(origin() + path), now_ms / 1000, nonce);
    let mut proof = encode(header.as_bytes());
    proof.push('.');
    proof.push_str(&encode(payload.as_bytes()));
    let signature = sign(keys, &proof).await?;
    proof.push('.');
    proof.push_str(&encode(&signature));
    Some(proof)
}

/// Returns r and s (RFC 7518, section 3.4), 64 bytes.
pub async fn sign(keys: &DeviceKeys, text: &str) -> Option<Vec<u8>> {
    let algorithm: js_sys::Object = object(&[("name", &"ECDSA".into()), ("hash", &"SHA-256".into())]);
    let signing = subtle()?.sign_with_object_and_u8_array(&algorithm, &keys.sign, text.as_bytes());
    let signature: JsValue = signing.ok()?.await.ok()?;
    Some(Uint8Array::new(&signature).to_vec())
}

fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

fn header(jwk: &str) -> String {
    [r#"{"typ":"dpop+jwt","alg":"ES256","jwk":"#, jwk, "}"].concat()
}

fn payload(id: &str, method: &str, url: &str, now: i64, nonce: Option<&str>) -> String {
    let now = now.to_string();
    let mut json = [r#"{"jti":""#, id, r#"","htm":""#, method, r#"","htu":""#, url, r#"","iat":"#, &now].concat();
    if let Some(nonce) = nonce {
        json.push_str(r#","nonce":""#);
        json.push_str(nonce);
        json.push('"');
    }
    json.push('}');
    json
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use wire::jwk::EcJwk;

    #[test]
    fn header_and_payload_are_json() {
        let key = EcJwk::p256("eA".to_owned(), "eQ".to_owned());
        let header: Value = serde_json::from_str(&header(&key.thumbprint_input())).unwrap();
        let jwk = json!({"crv": "P-256", "kty": "EC", "x": "eA", "y": "eQ"});
        assert_eq!(header, json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk}));

        let url = "https://auth.example/api/refresh";
        let with: Value = serde_json::from_str(&payload("aWQ", "DELETE", url, 7, Some("n-1"))).unwrap();
        assert_eq!(with, json!({"jti": "aWQ", "htm": "DELETE", "htu": url, "iat": 7, "nonce": "n-1"}));
        let without: Value = serde_json::from_str(&payload("aWQ", "POST", url, 7, None)).unwrap();
        assert_eq!(without.get("nonce"), None);
    }
}
