//! The current page and its navigation.

#[cfg(any(feature = "ssr", feature = "signed-in"))]
use crate::browser::kept;
#[cfg(any(feature = "ssr", feature = "signed-in"))]
use js_sys::Function;
use js_sys::{Object, Reflect};
use leptos::prelude::{document, window};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Element;

pub fn origin() -> String {
    window().location().origin().unwrap_or_default()
}

pub(crate) fn is_https() -> bool {
    window().location().protocol().is_ok_and(|protocol| protocol == "https:")
}

/// Replaces this page by a path of this site in the history.
pub fn go(path: &str) {
    // Only a detached document refuses.
    let _ = window().location().replace(path);
}

/// Goes to sign-in, with the path back to the current page.
pub fn sign_in(why: &str) {
    let location = window().location();
    let here = location.pathname().unwrap_or_default() + &location.search().unwrap_or_default();
    go(&sign_in_path(&here, why));
}

/// Returns the sign-in page's URL with the path back. The fragment remains a fragment, so that no server receives it.
pub fn sign_in_path(next: &str, why: &str) -> String {
    let (next, fragment) = next.split_once('#').map_or((next, None), |(next, fragment)| (next, Some(fragment)));
    let next = String::from(js_sys::encode_uri_component(next));
    let path = [wire::paths::LOGIN_PAGE, "?next=", &next, "&why=", why].concat();
    match fragment {
        Some(fragment) => [&path, "#", fragment].concat(),
        None => with_fragment(path),
    }
}

/// Appends this page's fragment to a URL, as redirects do (RFC 9110, section 10.2.2). An existing fragment remains.
pub(crate) fn with_fragment(address: String) -> String {
    if address.contains('#') {
        return address;
    }
    address + &window().location().hash().unwrap_or_default()
}

/// Adds this page's fragment to the link that continues to where the person wanted to go.
#[cfg(all(feature = "hydrate", feature = "signed-in"))]
pub(crate) fn carry_fragment() {
    let link = document().query_selector("a[data-carry]").ok().flatten();
    if let Some((link, address)) = link.and_then(|link| link.get_attribute("href").map(|address| (link, address))) {
        // Fails only for an invalid name.
        let _ = link.set_attribute("href", &with_fragment(address));
    }
}

/// Creates a JavaScript object with these members.
pub fn object<T: JsCast>(members: &[(&str, &JsValue)]) -> T {
    let object = Object::new();
    for (name, value) in members {
        // A plain object accepts every member.
        let _ = Reflect::set(&object, &JsValue::from_str(name), value);
    }
    object.unchecked_into()
}

pub fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    window().crypto().ok()?.get_random_values_with_u8_array(&mut bytes).ok()?;
    Some(bytes)
}

pub fn by_id(id: &str) -> Option<Element> {
    document().get_element_by_id(id)
}

/// Returns a value that the page was rendered with: `data-{name}` of its `main` element.
pub fn fact(name: &str) -> Option<String> {
    document().query_selector("main").ok()??.get_attribute(&["data-", name].concat())
}

/// Returns the page to open next, which the server has validated.
pub fn next() -> String {
    with_fragment(fact("next").unwrap_or_else(|| wire::paths::DASHBOARD_PAGE.to_owned()))
}

pub fn reload() {
    let _ = window().location().reload();
}

/// Loads this page again, which then says what was done.
#[cfg(any(feature = "ssr", feature = "signed-in"))]
pub(crate) fn reload_saying(text: &str) {
    kept::keep(kept::RESULT, text);
    reload();
}

/// Says what was done before the page was loaded again. The focus goes to the heading, because the button that was
/// pressed may be gone. The page does not scroll.
#[cfg(all(feature = "hydrate", feature = "signed-in"))]
pub(crate) fn say_result() {
    let Some(text) = kept::take(kept::RESULT) else { return };
    let shown = by_id("said").and_then(|place| place.text_content()).unwrap_or_default();
    say([&text, " ", &shown].concat().trim_end());
    focus_heading();
}

/// Moves the focus to the page's heading, without scrolling.
#[cfg(any(feature = "ssr", feature = "signed-in"))]
pub(crate) fn focus_heading() {
    let Some(heading) = document().query_selector("h1").ok().flatten() else { return };
    // Fails only for an invalid name.
    let _ = heading.set_attribute("tabindex", "-1");
    let focus = Reflect::get(&heading, &JsValue::from_str("focus")).ok().and_then(|it| it.dyn_into::<Function>().ok());
    if let Some(focus) = focus {
        let _ = focus.call1(&heading, &object::<JsValue>(&[("preventScroll", &JsValue::TRUE)]));
    }
}

/// Shows a message and announces it to screen readers.
pub fn say(text: &str) {
    if let Some(place) = by_id("said") {
        place.set_text_content(Some(text));
    }
}

/// Says that another account has signed in in another tab.
#[cfg(any(feature = "ssr", feature = "signed-in"))]
pub(crate) fn say_other_account(text: &str) {
    let Some(note) = by_id("other-account") else { return };
    if let Some(said) = note.first_element_child() {
        said.set_text_content(Some(text));
    }
    // Fails only for an invalid name.
    let _ = note.remove_attribute("hidden");
    note.scroll_into_view_with_bool(false);
}

/// Copies a text to the clipboard. `false`: the browser does not allow it.
pub async fn copy(text: &str) -> bool {
    let clipboard = window().navigator().clipboard();
    // Missing on pages without https.
    clipboard.is_object() && clipboard.write_text(text).await.is_ok()
}

pub fn print() {
    let _ = window().print();
}
