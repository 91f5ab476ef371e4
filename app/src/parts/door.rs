use crate::parts::Mark;
use leptos::prelude::*;

/// The head of a card: the mark and whose door this is.
#[component]
pub fn Door(#[prop(into)] title: String) -> impl IntoView {
    view! {
        <header class="door">
            <Mark />
            <h1>{title}</h1>
        </header>
    }
}
