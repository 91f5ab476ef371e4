use crate::components::{Mark, Stuck};
use crate::islands::Resume;
use crate::view::EnterView;
use leptos::prelude::*;

/// The page that is shown while the browser proves its key on the way back to an app.
#[component]
pub fn EnterPage(enter: EnterView) -> impl IntoView {
    view! {
        <main class="page-center resume" data-enter=enter.body data-path=enter.path data-nonce=enter.nonce>
            <Mark />
            <h1 class="visually-hidden">{["Opening ", &enter.app].concat()}</h1>
            <Resume />
            <Stuck loss="it cannot prove that this device is yours" />
            <noscript>
                <p>
                    "Opening an app needs JavaScript, because the key of this device never leaves the browser. \
                     Switch it on for this site, then reload this page."
                </p>
            </noscript>
        </main>
    }
}
