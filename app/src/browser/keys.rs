//! The keys of this browser: created once, stored by the browser, not exportable.

use crate::browser::idb::Table;
use crate::browser::page::object;
use js_sys::{Array, Reflect};
use leptos::prelude::window;
use std::cell::RefCell;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CryptoKey, CryptoKeyPair, SubtleCrypto};
use wire::jwk::EcJwk;

const SIGN: &str = "sign";
const RECEIVE: &str = "receive";

/// One key pair signs (ECDSA), one receives (ECDH). Both use P-256, and both private halves are non-extractable.
#[derive(Debug, Clone)]
pub struct DeviceKeys {
    pub sign: CryptoKey,
    pub receive: CryptoKey,
    pub signing: EcJwk,
    pub receiving: EcJwk,
}

thread_local! {
    static FOUND: RefCell<Option<DeviceKeys>> = const { RefCell::new(None) };
}

/// The reason why this browser has no keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoDeviceKeys {
    /// The page was opened without https.
    Https,
    /// The browser cannot create keys: `crypto.subtle` is missing or fails.
    Crypto,
    /// The browser cannot store keys: `IndexedDB` is missing or fails.
    Storage,
}

/// Returns this browser's keys. `None` if it has none; [`find`] returns the reason.
pub async fn keys() -> Option<DeviceKeys> {
    find().await.ok()
}

/// Returns this browser's keys, which are created on first use and cached by the page.
///
/// # Errors
/// The missing feature of the browser.
pub async fn find() -> Result<DeviceKeys, NoDeviceKeys> {
    if let Some(found) = FOUND.with_borrow(Clone::clone) {
        return Ok(found);
    }
    if !window().is_secure_context() {
        return Err(NoDeviceKeys::Https);
    }
    let subtle = subtle().ok_or(NoDeviceKeys::Crypto)?;
    let table = Table::open().await.map_err(|_| NoDeviceKeys::Storage)?;
    let [sign, receive] = pairs(&subtle, &table).await?;
    let exported = async { Ok::<_, JsValue>((public(&subtle, &sign).await?, public(&subtle, &receive).await?)) };
    let (signing, receiving) = exported.await.map_err(|_| NoDeviceKeys::Crypto)?;
    let keys = DeviceKeys { sign: sign.get_private_key(), receive: receive.get_private_key(), signing, receiving };
    FOUND.set(Some(keys.clone()));
    Ok(keys)
}

/// Returns `crypto.subtle`, which browsers hide from pages without https.
pub(crate) fn subtle() -> Option<SubtleCrypto> {
    let subtle = window().crypto().ok()?.subtle();
    subtle.is_object().then_some(subtle)
}

async fn pairs(subtle: &SubtleCrypto, table: &Table) -> Result<[CryptoKeyPair; 2], NoDeviceKeys> {
    let names = [SIGN, RECEIVE];
    let kept = async || table.get(names).await.map_err(|_| NoDeviceKeys::Storage);
    if let Some(kept) = kept().await? {
        return Ok(kept.map(JsCast::unchecked_into));
    }
    // Created before the transaction, because a transaction does not wait for other work.
    let made = async {
        Ok::<_, JsValue>((generate(subtle, "ECDSA", "sign").await?, generate(subtle, "ECDH", "deriveBits").await?))
    };
    let (sign, receive) = made.await.map_err(|_| NoDeviceKeys::Crypto)?;
    // Another tab may have been faster; then its keys count.
    let _ = table.add(&[(SIGN, &sign), (RECEIVE, &receive)]).await;
    let kept = kept().await?.ok_or(NoDeviceKeys::Storage)?;
    Ok(kept.map(JsCast::unchecked_into))
}

async fn generate(subtle: &SubtleCrypto, algorithm: &str, usage: &str) -> Result<JsValue, JsValue> {
    let algorithm: js_sys::Object = object(&[("name", &algorithm.into()), ("namedCurve", &"P-256".into())]);
    let usages = Array::of1(&usage.into());
    subtle.generate_key_with_object(&algorithm, false, &usages)?.await
}

async fn public(subtle: &SubtleCrypto, pair: &CryptoKeyPair) -> Result<EcJwk, JsValue> {
    let jwk = subtle.export_key("jwk", &pair.get_public_key())?.await?;
    let member = |name: &str| Reflect::get(&jwk, &name.into())?.as_string().ok_or(JsValue::UNDEFINED);
    Ok(EcJwk::p256(member("x")?, member("y")?))
}
