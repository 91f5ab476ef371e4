//! The fragment of this page's URL, which the server does not see.

use leptos::prelude::window;
use wasm_bindgen::JsValue;

/// Returns the value of `#name=...`, and removes it from address bar and history: it may be secret.
pub fn take(name: &str) -> Option<String> {
    let location = window().location();
    let hash = location.hash().ok()?;
    let value = hash.strip_prefix('#')?.strip_prefix(name)?.strip_prefix('=')?;
    let path = location.pathname().ok()? + &location.search().ok()?;
    let history = window().history().ok()?;
    let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&path));
    Some(value.to_owned())
}
