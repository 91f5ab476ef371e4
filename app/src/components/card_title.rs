use crate::components::Mark;
use leptos::prelude::*;

/// The head of a card: the logo and the site's name.
#[component]
pub fn CardTitle(#[prop(into)] title: String) -> impl IntoView {
    view! {
        <header class="card-title">
            <Mark />
            <h1>{title}</h1>
        </header>
    }
}
