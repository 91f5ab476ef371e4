use super::busy_until_alive;
use crate::browser::{api, page};
use leptos::html::Dialog;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wire::paths;

/// Ends every session but this one, after a question.
#[island]
pub fn EndOthers() -> impl IntoView {
    let dialog = NodeRef::<Dialog>::new();
    let busy = busy_until_alive();
    let ask = move |_| {
        if let Some(dialog) = dialog.get_untracked() {
            // Fails only if it is open already.
            let _ = dialog.show_modal();
        }
    };
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let end = move |_| {
        busy.set(true);
        spawn_local(async move {
            match api::call("DELETE", paths::SESSIONS, None).await {
                Ok(answer) if answer.is_ok() => page::reload(),
                Ok(answer) if answer.status == 401 => {}
                _ => {
                    close();
                    page::say("That did not work, and the sessions are still there. Try again.");
                    busy.set(false);
                }
            }
        });
    };
    view! {
        <button class="button danger" type="button" disabled=busy on:click=ask>
            "End all other sessions"
        </button>
        <dialog node_ref=dialog aria-labelledby="end-others">
            <h2 id="end-others">"End all other sessions?"</h2>
            <p>"Every other browser and program is signed out of your account at once. This one stays."</p>
            <div class="choices">
                <button class="button plain" type="button" on:click=move |_| close()>
                    "Keep them"
                </button>
                <button class="button danger" type="button" disabled=busy on:click=end>
                    "End them"
                </button>
            </div>
        </dialog>
    }
}
