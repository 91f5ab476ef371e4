use leptos::prelude::*;

/// The warning on every page while `allow_insecure_http` is set.
#[component]
pub fn Insecure() -> impl IntoView {
    view! {
        <p class="insecure" role="note">
            <strong>"This site is served without https. "</strong>
            "Anyone on the network between you and it can read and change what you do here. \
             Use it only on a network that you trust."
        </p>
    }
}
