use crate::browser::page;
use crate::browser::session::{Renewal, renew};
use leptos::prelude::*;
use leptos::task::spawn_local;

/// Renews the session and goes on. If nobody answers it says so and waits for a person: a page that
/// tries again by itself would knock for ever.
#[island]
pub fn Resume() -> impl IntoView {
    if cfg!(not(feature = "ssr")) {
        go_on();
    }
    view! {
        <p id="opening" class="opening" role="status">
            "Opening\u{2026}"
        </p>
        <button id="again" class="button" type="button" hidden on:click=move |_| again()>
            "Try again"
        </button>
    }
}

fn again() {
    show(false);
    go_on();
}

fn go_on() {
    spawn_local(async move {
        match renew().await {
            Ok(Renewal::Good) => page::go(&page::next()),
            Ok(Renewal::Over(why)) => page::go(&page::sign_in_path(&page::next(), why)),
            Err(_) => show(true),
        }
    });
}

fn show(failed: bool) {
    if let (Some(text), Some(button)) = (page::by_id("opening"), page::by_id("again")) {
        let said = if failed { "This site does not answer right now." } else { "Opening\u{2026}" };
        text.set_text_content(Some(said));
        // Fails only for a name that is none.
        let _ = button.toggle_attribute_with_force("hidden", !failed);
    }
}
