//! Checks the session when a person returns to a page.

use crate::browser::{api, page};
use domain::bidi::isolated;
use leptos::prelude::{document, window};
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::PageTransitionEvent;
use wire::paths;

/// Checks whether the session is live whenever the page becomes visible. So the next click finds it renewed, and a page
/// of an ended session does not stay on the screen. A page of another account than the one that is signed in says so.
pub fn watch() {
    let seen = Closure::<dyn Fn()>::new(|| {
        if !document().hidden() {
            check();
        }
    });
    let back = Closure::<dyn Fn(PageTransitionEvent)>::new(|event: PageTransitionEvent| {
        if event.persisted() {
            // Nobody sees the page before it is certain that its person is still signed in.
            hide(true);
            check();
        }
    });
    // Neither call fails; both listeners are kept as long as the page.
    let _ = document().add_event_listener_with_callback("visibilitychange", seen.into_js_value().unchecked_ref());
    let _ = window().add_event_listener_with_callback("pageshow", back.into_js_value().unchecked_ref());
}

fn check() {
    // Without an answer nothing is known, so nothing changes.
    spawn_local(async {
        let answer = api::call("GET", paths::SESSION, None).await;
        // Otherwise the page is already going to sign-in.
        if answer.as_ref().map_or(true, |answer| answer.status != 401) {
            hide(false);
        }
        let Ok(answer) = answer else { return };
        let (now, shown) = (answer.text("sub"), page::fact("account"));
        if answer.is_ok() && shown.is_some() && now != shown {
            let name = isolated(&answer.text("username").unwrap_or_default());
            page::say_other_account(&["You are signed in as ", &name, " in another tab."].concat());
        }
    });
}

fn hide(hidden: bool) {
    if let Some(body) = document().body() {
        body.set_hidden(hidden);
    }
}
