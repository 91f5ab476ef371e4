use super::act::{NO_ANSWER, done};
use super::busy_until_alive;
use crate::browser::{api, page};
use leptos::prelude::*;
use leptos::task::spawn_local;
use wire::paths;

/// A button that revokes an invitation. `title` is the heading of its card.
#[island]
pub fn RevokeInvitation(id: String, title: String) -> impl IntoView {
    let busy = busy_until_alive();
    let revoke = move |_| {
        let path = [paths::INVITATIONS, "/", &id].concat();
        busy.set(true);
        spawn_local(async move {
            match api::call("DELETE", &path, None).await {
                // Used or revoked meanwhile, which is a success.
                Ok(answer) if answer.is_ok() || answer.status == 404 => page::reload_saying(&done("Revoke invitation")),
                Ok(answer) if answer.status == 401 => {}
                Ok(_) => {
                    page::say("That did not work, and the invitation is still valid. Try again.");
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
        <button class="button danger" type="button" disabled=busy aria-label=["Revoke: ", &title].concat() on:click=revoke>
            "Revoke"
        </button>
    }
}
