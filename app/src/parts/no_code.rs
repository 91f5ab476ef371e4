use crate::parts::Stuck;
use leptos::prelude::*;

/// What a form says while it has no code: because the reader has switched it off, or because it could
/// not be loaded.
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
