//! `navigator.credentials` for passkeys. `web-sys` has no `mediation`, no signals, and the JSON forms only behind an
//! unstable flag.
//!
//! Credentials are read member by member and never with `toJSON` or `instanceof`: some passkey managers answer with
//! plain objects.

use crate::browser::fetch::member;
#[cfg(any(feature = "ssr", feature = "signed-in"))]
use crate::browser::keys::subtle;
use crate::browser::page::object;
use base64ct::{Base64UrlUnpadded, Encoding};
#[cfg(any(feature = "ssr", feature = "login", feature = "signed-in"))]
use js_sys::Reflect;
use js_sys::{Promise, Uint8Array};
use leptos::prelude::window;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["navigator", "credentials"], js_name = get, catch)]
    fn credentials_get(options: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(js_namespace = PublicKeyCredential, js_name = isConditionalMediationAvailable, catch)]
    fn is_conditional_mediation_available() -> Result<Promise, JsValue>;
}

/// Whether this page may use passkeys: the browser supports them and the page has a secure context.
pub fn supported() -> bool {
    let window = window();
    window.is_secure_context() && member(&window, "PublicKeyCredential").is_function()
}

/// Whether passkeys can be offered in the name's field.
#[cfg(any(feature = "ssr", feature = "login"))]
pub(crate) async fn can_autofill() -> bool {
    match is_conditional_mediation_available() {
        Ok(asked) => asked.await.is_ok_and(|answer: JsValue| answer.is_truthy()),
        Err(_) => false,
    }
}

/// Asks for an assertion and returns it as JSON. `autofill`: waits until the person picks one in the name's field.
/// `pending`: the sign-in that it finishes.
///
/// # Errors
/// The person or another request has cancelled it.
#[cfg(any(feature = "ssr", feature = "login", feature = "signed-in"))]
pub async fn get(
    options: &JsValue,
    autofill: bool,
    pending: Option<&str>,
    signal: &JsValue,
) -> Result<String, JsValue> {
    let public_key: JsValue = object::<js_sys::Object>(&[
        ("challenge", &bytes_of(options, "challenge")?),
        ("rpId", &member(options, "rpId")),
        ("timeout", &member(options, "timeout")),
        ("userVerification", &member(options, "userVerification")),
    ])
    .into();
    let request: JsValue = object::<js_sys::Object>(&[("publicKey", &public_key), ("signal", signal)]).into();
    if autofill {
        Reflect::set(&request, &"mediation".into(), &"conditional".into())?;
    }
    let credential: JsValue = credentials_get(&request)?.await?;
    let response = member(&credential, "response");
    let mut json = "{".to_owned();
    if let Some(pending) = pending {
        json.push_str(&["\"pending\":\"", pending, "\","].concat());
    }
    json.push_str(&["\"id\":\"", &id_of(&credential)?, "\",\"response\":{"].concat());
    for (at, name) in ["clientDataJSON", "authenticatorData", "signature", "userHandle"].into_iter().enumerate() {
        let value = member(&response, name);
        if value.is_object() {
            json.push_str(if at == 0 { "\"" } else { ",\"" });
            json.push_str(&[name, "\":\"", &text_of(&value), "\""].concat());
        }
    }
    json.push_str("}}");
    Ok(json)
}

/// Time limit for the person in milliseconds: a little less than the lifetime of a `short_key` for a message.
#[cfg(any(feature = "ssr", feature = "signed-in"))]
const PROOF_TIMEOUT: i32 = 110_000;

/// Asks for an assertion over the hash of a `short_key`, and returns it as JSON. `None`: the person has cancelled it.
#[cfg(any(feature = "ssr", feature = "signed-in"))]
pub(crate) async fn prove(short_key: &str) -> Option<String> {
    let signed = ["webauthn", short_key].concat();
    let hash: JsValue = subtle()?.digest_with_str_and_u8_array("SHA-256", signed.as_bytes()).ok()?.await.ok()?;
    let options: JsValue = object::<js_sys::Object>(&[
        ("challenge", &text_of(&hash).into()),
        ("timeout", &PROOF_TIMEOUT.into()),
        ("userVerification", &"required".into()),
    ])
    .into();
    get(&options, false, None, &JsValue::UNDEFINED).await.ok()
}

/// Returns a member in base64url as bytes.
pub(crate) fn bytes_of(holder: &JsValue, name: &str) -> Result<JsValue, JsValue> {
    let text = member(holder, name).as_string().ok_or(JsValue::UNDEFINED)?;
    let bytes = Base64UrlUnpadded::decode_vec(&text).map_err(|_| JsValue::UNDEFINED)?;
    Ok(Uint8Array::from(bytes.as_slice()).into())
}

/// Returns the id of a credential, base64url.
pub fn id_of(credential: &JsValue) -> Result<String, JsValue> {
    let id = member(credential, "rawId");
    if id.is_object() { Ok(text_of(&id)) } else { Err(JsValue::UNDEFINED) }
}

/// Returns a buffer in base64url.
pub(crate) fn text_of(buffer: &JsValue) -> String {
    Base64UrlUnpadded::encode_string(&Uint8Array::new(buffer.unchecked_ref()).to_vec())
}

/// The name under which this tab stores whether a password manager has filled in the password.
#[cfg(any(feature = "ssr", feature = "login", feature = "dashboard"))]
const FILLED: &str = "filled";

/// Notes for the next page whether a password manager has filled in the password.
#[cfg(any(feature = "ssr", feature = "login"))]
pub fn note_filled(password: &web_sys::Element) {
    if password.matches(":autofill").unwrap_or(false) {
        // Without storage, the browser only makes no passkey without asking.
        let _ = Reflect::set(&member(&window(), "sessionStorage"), &FILLED.into(), &"1".into());
    }
}

/// Whether a password manager has filled in the password of this sign-in. Returns `true` once.
#[cfg(any(feature = "ssr", feature = "dashboard"))]
pub fn was_filled() -> bool {
    let storage = member(&window(), "sessionStorage");
    if !storage.is_object() || member(&storage, FILLED).as_string().as_deref() != Some("1") {
        return false;
    }
    // If this fails, the next page asks again, and the server answers that the account has one.
    let _ = js_sys::Reflect::set(&storage, &FILLED.into(), &"0".into());
    true
}

/// The name under which this tab stores what the passkey managers were told last.
#[cfg(any(feature = "ssr", feature = "dashboard"))]
const SIGNALLED: &str = "signalled";

/// Whether this tab has not told the passkey managers about `stamp` last, see [`remember_signal`].
#[cfg(any(feature = "ssr", feature = "dashboard"))]
pub fn is_new_signal(stamp: &str) -> bool {
    let storage = member(&window(), "sessionStorage");
    storage.is_object() && member(&storage, SIGNALLED).as_string().as_deref() != Some(stamp)
}

/// Remembers for this tab that the managers were told about `stamp`.
#[cfg(any(feature = "ssr", feature = "dashboard"))]
pub fn remember_signal(stamp: &str) {
    // If this fails, the managers are told the same again.
    let _ = js_sys::Reflect::set(&member(&window(), "sessionStorage"), &SIGNALLED.into(), &stamp.into());
}
