//! The keys of this browser: made once, kept by the browser, readable by nobody.

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

/// One pair signs (ECDSA), one receives (ECDH); both on P-256, both private halves non-extractable.
#[derive(Debug, Clone)]
pub struct Keys {
    pub sign: CryptoKey,
    pub receive: CryptoKey,
    pub signing: EcJwk,
    pub receiving: EcJwk,
}

thread_local! {
    static FOUND: RefCell<Option<Keys>> = const { RefCell::new(None) };
}

/// This browser's keys, made on first use and remembered by the page. `None` where the browser keeps
/// none: the page was opened without https, or storage is forbidden.
pub async fn keys() -> Option<Keys> {
    let found = FOUND.with_borrow(Clone::clone);
    if found.is_some() {
        return found;
    }
    let keys = find().await;
    FOUND.set(keys.clone());
    keys
}

async fn find() -> Option<Keys> {
    let subtle = subtle()?;
    let [sign, receive] = pairs(&subtle).await.ok()?;
    let signing = public(&subtle, &sign).await.ok()?;
    let receiving = public(&subtle, &receive).await.ok()?;
    Some(Keys { sign: sign.get_private_key(), receive: receive.get_private_key(), signing, receiving })
}

/// Browsers hide this from pages without https.
pub fn subtle() -> Option<SubtleCrypto> {
    let subtle = window().crypto().ok()?.subtle();
    subtle.is_object().then_some(subtle)
}

async fn pairs(subtle: &SubtleCrypto) -> Result<[CryptoKeyPair; 2], JsValue> {
    let table = Table::open().await?;
    let names = [SIGN, RECEIVE];
    if let Some(kept) = table.get(names).await? {
        return Ok(kept.map(JsCast::unchecked_into));
    }
    // Made before the transaction starts, since a transaction does not wait for anything else.
    let sign = generate(subtle, "ECDSA", "sign").await?;
    let receive = generate(subtle, "ECDH", "deriveBits").await?;
    // Another tab may have been faster: then its keys count, and ours are forgotten.
    let _ = table.add(&[(SIGN, &sign), (RECEIVE, &receive)]).await;
    let kept = table.get(names).await?.ok_or(JsValue::UNDEFINED)?;
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
