use crate::components::Stuck;
use leptos::prelude::*;

/// The message of a form without its code: scripts are disabled or could not be loaded.
#[component]
pub fn NoCode() -> impl IntoView {
    view! {
        <noscript>
            <p class="why">
                "Signing in needs JavaScript, because your password is encrypted in the browser before it is \
                 sent. Without it this form sends nothing."
            </p>
        </noscript>
        <Stuck loss="the form cannot encrypt your password and sends nothing" />
    }
}
