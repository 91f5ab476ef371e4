use crate::components::Stuck;
use leptos::prelude::*;

/// The message of a form without its code: scripts are disabled or could not be loaded. `action`: what the form does.
#[component]
pub fn NoCode(#[prop(default = "Signing in")] action: &'static str) -> impl IntoView {
    let needs = " needs JavaScript, because your password is encrypted in the browser before it is sent. Without it this \
                 form sends nothing.";
    view! {
        <noscript>
            <p class="why">{[action, needs].concat()}</p>
        </noscript>
        <Stuck loss="the form cannot encrypt your password and sends nothing" />
    }
}
