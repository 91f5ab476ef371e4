//! Texts that one page keeps for the next one in the same tab, for a moment.

use js_sys::{Object, Reflect};
use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};

/// A result to show after the page was loaded again.
pub(crate) const RESULT: &str = "postern-result";
/// A form that was not sent because the session had ended.
#[cfg(any(feature = "ssr", feature = "dashboard"))]
pub(crate) const FORM: &str = "postern-form";

/// Keeps a text. Without storage it is lost, and nothing else.
pub(crate) fn keep(name: &str, text: &str) {
    let _ = Reflect::set(&storage(), &JsValue::from_str(name), &JsValue::from_str(text));
}

/// Returns a kept text once.
pub(crate) fn take(name: &str) -> Option<String> {
    let storage = storage();
    let text = Reflect::get(&storage, &JsValue::from_str(name)).ok()?.as_string()?;
    let _ = Reflect::delete_property(storage.unchecked_ref::<Object>(), &JsValue::from_str(name));
    Some(text)
}

fn storage() -> JsValue {
    Reflect::get(&window(), &JsValue::from_str("sessionStorage")).unwrap_or_default()
}
