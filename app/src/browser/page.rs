//! The page that runs us, and where it goes next.

use js_sys::{Object, Reflect};
use leptos::prelude::{document, window};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Element;

pub fn origin() -> String {
    window().location().origin().unwrap_or_default()
}

pub fn is_https() -> bool {
    window().location().protocol().is_ok_and(|protocol| protocol == "https:")
}

/// Goes to a path of this site without leaving the page behind in the history.
pub fn go(path: &str) {
    // Only a detached document refuses, and nobody looks at one.
    let _ = window().location().replace(path);
}

/// Goes to sign in, and from there back to where we are.
pub fn sign_in(why: &str) {
    let location = window().location();
    let here = location.pathname().unwrap_or_default() + &location.search().unwrap_or_default();
    go(&sign_in_path(&here, why));
}

/// The sign-in page, with the way back. The fragment stays one: no server hears it.
pub fn sign_in_path(next: &str, why: &str) -> String {
    let (next, fragment) = next.split_once('#').map_or((next, None), |(next, fragment)| (next, Some(fragment)));
    let next = String::from(js_sys::encode_uri_component(next));
    let path = [wire::paths::LOGIN_PAGE, "?next=", &next, "&why=", why].concat();
    match fragment {
        Some(fragment) => [&path, "#", fragment].concat(),
        None => with_fragment(path),
    }
}

/// The address with this page's own fragment, as a redirect of the server would have it (RFC 9110, section
/// 10.2.2). A fragment that stands there already stays.
pub fn with_fragment(address: String) -> String {
    if address.contains('#') {
        return address;
    }
    address + &window().location().hash().unwrap_or_default()
}

/// A JavaScript object with these members.
pub fn object<T: JsCast>(members: &[(&str, &JsValue)]) -> T {
    let object = Object::new();
    for (name, value) in members {
        // A plain object takes every member.
        let _ = Reflect::set(&object, &JsValue::from_str(name), value);
    }
    object.unchecked_into()
}

/// The value of `#name=...`; it leaves the address bar and the history, since it may be a secret.
pub fn take_fragment(name: &str) -> Option<String> {
    let location = window().location();
    let hash = location.hash().ok()?;
    let value = hash.strip_prefix('#')?.strip_prefix(name)?.strip_prefix('=')?;
    let path = location.pathname().ok()? + &location.search().ok()?;
    let history = window().history().ok()?;
    let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&path));
    Some(value.to_owned())
}

pub fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    window().crypto().ok()?.get_random_values_with_u8_array(&mut bytes).ok()?;
    Some(bytes)
}

pub fn by_id(id: &str) -> Option<Element> {
    document().get_element_by_id(id)
}

/// A fact that the page was rendered with: `data-{name}` of its `main` element.
pub fn fact(name: &str) -> Option<String> {
    document().query_selector("main").ok()??.get_attribute(&["data-", name].concat())
}

/// Where to go when this page has done its work. The server checked it.
pub fn next() -> String {
    with_fragment(fact("next").unwrap_or_else(|| wire::paths::DASHBOARD_PAGE.to_owned()))
}

/// Gives the link to the other of sign-in and sign-up this page's fragment, so that the way back keeps it.
pub fn carry_fragment() {
    let link = document().query_selector(".aside a").ok().flatten();
    if let Some((link, address)) = link.and_then(|link| link.get_attribute("href").map(|address| (link, address))) {
        // Fails only for a name that is none.
        let _ = link.set_attribute("href", &with_fragment(address));
    }
}

pub fn reload() {
    let _ = window().location().reload();
}

/// Says what happened, for eyes and ears.
pub fn say(text: &str) {
    if let Some(place) = by_id("said") {
        place.set_text_content(Some(text));
    }
}

/// Puts a text where the person can paste it from. `false`: the browser does not let us.
pub async fn copy(text: &str) -> bool {
    let clipboard = window().navigator().clipboard();
    // Missing on pages without https.
    clipboard.is_object() && clipboard.write_text(text).await.is_ok()
}

pub fn print() {
    let _ = window().print();
}
