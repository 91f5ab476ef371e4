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
        <p class="stuck" role="alert">
            "This page could not load its code, so the form cannot work. Reload the page to try again."
        </p>
    }
}
