use super::busy_until_alive;
use crate::browser::{api, page};
use leptos::prelude::*;
use leptos::task::spawn_local;
use wire::paths;

/// A button that ends this session.
#[island]
pub fn SignOut() -> impl IntoView {
    let busy = busy_until_alive();
    let failed = RwSignal::new("");
    let leave = move |_| {
        busy.set(true);
        spawn_local(async move {
            match api::call("POST", paths::LOGOUT, Some("{}")).await {
                Ok(answer) if answer.is_ok() => page::go(&[paths::LOGIN_PAGE, "?why=signed_out"].concat()),
                Ok(answer) if answer.status == 401 => {}
                // The page says that another account is signed in.
                Ok(answer) if answer.status == 409 => busy.set(false),
                _ => {
                    failed.set("That did not work. Try again.");
                    busy.set(false);
                }
            }
        });
    };
    view! {
        <span class="small" role="status">
            {failed}
        </span>
        <button class="button plain" type="button" disabled=busy on:click=leave>
            "Sign out"
        </button>
    }
}
