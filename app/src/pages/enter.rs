use crate::islands::Resume;
use crate::parts::Mark;
use crate::view::EnterView;
use leptos::prelude::*;

/// Shown for the moment in which the browser proves its key and goes back to an app.
#[component]
pub fn EnterPage(enter: EnterView) -> impl IntoView {
    view! {
        <main class="page-center resume" data-enter=enter.body data-nonce=enter.nonce>
            <Mark />
            <h1 class="unseen">{["Opening ", &enter.app].concat()}</h1>
            <Resume />
            <p class="stuck" role="alert">"This page could not load its code. Reload it to try again."</p>
            <noscript>
                <p>
                    "Opening an app needs JavaScript, because the key of this device never leaves the browser. \
                     Switch it on for this site, then reload this page."
                </p>
            </noscript>
        </main>
    }
}
