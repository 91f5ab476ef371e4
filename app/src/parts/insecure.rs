use leptos::prelude::*;

/// Stands on top of every page while `allow_insecure_http` is in force.
#[component]
pub fn Insecure() -> impl IntoView {
    view! {
        <p class="insecure" role="note">
            <strong>"This site is open without https. "</strong>
            "Whoever is on the way between you and it can read and change what you do here. \
             Use it on a network that you trust."
        </p>
    }
}
