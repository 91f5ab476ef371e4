use super::act::NO_ANSWER;
use super::busy_until_alive;
use crate::browser::{api, page};
use leptos::html::Button;
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::Element;
use wire::paths;

/// A button that ends the session of its card. `device` is the card's heading.
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
                // Another person ended it already, which is a success.
                Ok(answer) if answer.is_ok() || answer.status == 404 => leave(&card, &name),
                Ok(answer) if answer.status == 401 => {}
                Ok(_) => {
                    page::say("That did not work, and the session is still open. Try again.");
                    busy.set(false);
                }
                Err(_) => {
                    page::say(NO_ANSWER);
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
    // The focused button disappears with its card.
    page::focus_heading();
}
