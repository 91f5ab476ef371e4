use super::busy_until_alive;
use crate::browser::{api, page};
use leptos::html::Button;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};
use wire::paths;

/// Ends the session of the card around it. `device` is the heading of the card.
#[island]
pub fn EndSession(device: String) -> impl IntoView {
    let button = NodeRef::<Button>::new();
    let busy = busy_until_alive();
    let end = move |_| {
        let Some(card) = button.get_untracked().and_then(|button| button.closest("[data-session]").ok()?) else {
            return;
        };
        let fact = |name: &str| card.get_attribute(name).unwrap_or_default();
        let (id, name) = (fact("data-session"), fact("data-name"));
        busy.set(true);
        spawn_local(async move {
            let path = [paths::SESSIONS, "/", &id].concat();
            match api::call("DELETE", &path, None).await {
                // Somebody else ended it already: it is gone all the same.
                Ok(answer) if answer.is_ok() || answer.status == 404 => leave(&card, &name),
                Ok(answer) if answer.status == 401 => {}
                _ => {
                    page::say("That did not work, and the session is still open. Try again.");
                    busy.set(false);
                }
            }
        });
    };
    view! {
        <button node_ref=button class="button danger" type="button" disabled=busy aria-label=["End this session: ", &device].concat() on:click=end>
            "End this session"
        </button>
    }
}

fn leave(card: &Element, name: &str) {
    card.remove();
    page::say(&["The session of ", name, " has ended."].concat());
    // The button that had the focus is gone with its card.
    if let Some(heading) = document().query_selector("h1").ok().flatten() {
        let _ = heading.unchecked_into::<HtmlElement>().focus();
    }
}
