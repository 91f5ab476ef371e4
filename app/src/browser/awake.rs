//! Checks the session when a person returns to a page.

use crate::browser::api;
use leptos::prelude::{document, window};
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::PageTransitionEvent;
use wire::paths;

/// Checks whether the session is live whenever the page becomes visible. So the next click finds it renewed, and a page
/// of an ended session does not stay on the screen.
pub fn watch() {
    let seen = Closure::<dyn Fn()>::new(|| {
        if !document().hidden() {
            check();
        }
    });
    let back = Closure::<dyn Fn(PageTransitionEvent)>::new(|event: PageTransitionEvent| {
        if event.persisted() {
            check();
        }
    });
    // Neither call fails; both listeners are kept as long as the page.
    let _ = document().add_event_listener_with_callback("visibilitychange", seen.into_js_value().unchecked_ref());
    let _ = window().add_event_listener_with_callback("pageshow", back.into_js_value().unchecked_ref());
}

fn check() {
    // Without an answer nothing is known, so nothing changes.
    spawn_local(async { drop(api::call("GET", paths::SESSION, None).await) });
}
