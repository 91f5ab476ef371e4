use crate::browser::fetch::Unreachable;
use crate::browser::session::{Renewal, renew};
use crate::browser::{api, page};
use leptos::prelude::*;
use leptos::task::spawn_local;
use wire::paths;

/// Renews the session and continues. If the page leads to an app, requests a code with a proof of this browser's key.
/// Without an answer it shows an error and waits for the person, because a page that retries automatically would do so
/// forever.
#[island]
pub fn Resume() -> impl IntoView {
    if cfg!(not(feature = "ssr")) {
        continue_sign_in();
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
    continue_sign_in();
}

fn continue_sign_in() {
    spawn_local(async move {
        let done = match page::fact("enter") {
            Some(request) => enter(&request).await,
            None => resume().await,
        };
        if done.is_err() {
            show(true);
        }
    });
}

async fn resume() -> Result<(), Unreachable> {
    match renew().await? {
        Renewal::Good => page::go(&page::next()),
        Renewal::Over(why) => page::go(&page::sign_in_path(&page::next(), why)),
    }
    Ok(())
}

async fn enter(request: &str) -> Result<(), Unreachable> {
    let path = page::fact("path").unwrap_or_default();
    let answer = api::call("POST", &path, Some(request)).await?;
    // The browser is already loading the sign-in page.
    if answer.status == 401 {
        return Ok(());
    }
    let location = answer.text("location").ok_or(Unreachable)?;
    // A fragment of ours names a page of an app behind a proxy. Another app could take it for a response.
    let own = path == paths::APP_ENTER;
    page::go(&if own { page::with_fragment(location) } else { location });
    Ok(())
}

fn show(failed: bool) {
    if let (Some(text), Some(button)) = (page::by_id("opening"), page::by_id("again")) {
        let said = if failed { "This site does not answer right now." } else { "Opening\u{2026}" };
        text.set_text_content(Some(said));
        // Fails only for an invalid name.
        let _ = button.toggle_attribute_with_force("hidden", !failed);
    }
}
