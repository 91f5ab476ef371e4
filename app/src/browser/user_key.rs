//! The user key, decrypted with this browser's receiving key.

use crate::browser::api;
use crate::browser::fetch::Unreachable;
use crate::browser::keys::{self, DeviceKeys, subtle};
use crate::browser::page::object;
use js_sys::{Array, Object, Uint8Array};
use wasm_bindgen::JsCast;
use web_sys::CryptoKey;
use wire::jwk::EcJwk;
use wire::paths;
use wire::user_keys::{UserKeyHeader, UserKeyJwk};
use zeroize::Zeroizing;

/// The error to show if the key is not available.
#[derive(Debug)]
pub enum UserKeyError {
    Unreachable,
    /// The server's text.
    Refused(String),
    /// The answer cannot be decrypted: it is not for this browser.
    Unreadable,
}

impl From<Unreachable> for UserKeyError {
    fn from(_: Unreachable) -> Self {
        Self::Unreachable
    }
}

/// Requests the version and decrypts it.
pub async fn fetch(version: u32) -> Result<UserKeyJwk, UserKeyError> {
    let keys = keys::keys().await.ok_or(UserKeyError::Unreachable)?;
    let request = [r#"{"version":"#, &version.to_string(), "}"].concat();
    let answer = api::call("POST", paths::USER_KEYS, Some(&request)).await?;
    if !answer.is_ok() {
        return Err(UserKeyError::Refused(answer.text("title").unwrap_or_default()));
    }
    let sealed = answer.text("key").ok_or(UserKeyError::Unreadable)?;
    open(&keys, &sealed).await.ok_or(UserKeyError::Unreadable)
}

async fn open(keys: &DeviceKeys, sealed: &str) -> Option<UserKeyJwk> {
    let sealed = jwe::parse::<UserKeyHeader>(sealed).ok()?;
    let shared = agree(&keys.receive, sealed.epk()).await?;
    serde_json::from_slice(&sealed.open(&shared).ok()?).ok()
}

/// Computes ECDH (RFC 7518, section 4.6) in the browser: the private half cannot be exported.
async fn agree(private: &CryptoKey, public: &EcJwk) -> Option<Zeroizing<[u8; 32]>> {
    let subtle = subtle()?;
    let jwk: Object = object(&[
        ("kty", &(&*public.kty).into()),
        ("crv", &(&*public.crv).into()),
        ("x", &(&*public.x).into()),
        ("y", &(&*public.y).into()),
    ]);
    let curve: Object = object(&[("name", &"ECDH".into()), ("namedCurve", &"P-256".into())]);
    let imported = subtle.import_key_with_object("jwk", &jwk, &curve, false, &Array::new()).ok()?.await.ok()?;
    let ecdh: Object = object(&[("name", &"ECDH".into()), ("public", &imported)]);
    let bits = subtle.derive_bits_with_object(&ecdh, private, 256).ok()?.await.ok()?;
    let mut shared = Zeroizing::new([0; 32]);
    let bits = Uint8Array::new(bits.unchecked_ref());
    (bits.length() == 32).then(|| bits.copy_to(shared.as_mut_slice()))?;
    Some(shared)
}
