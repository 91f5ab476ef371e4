use crate::islands::facts;
use crate::text::{refusal, wait};
use leptos::prelude::*;

/// The form's message area. The text for screen readers changes only with news. The visible countdown changes every
/// second and is hidden from screen readers.
#[component]
pub fn Alert() -> impl IntoView {
    let closed = facts::closed();
    let class = if closed.is_some() { "alert emphasized" } else { "alert" };
    let (said, left) = match closed {
        Some((left, incident)) => (refusal::closed(None, &incident), wait::sentence(left)),
        None => (String::new(), String::new()),
    };
    view! {
        <div class=class>
            <p role="alert">
                <span class="said">{said}</span>
                " "
                <span id="wait-said" class="visually-hidden">
                    {left.clone()}
                </span>
            </p>
            <p id="wait" aria-hidden="true">
                {left}
            </p>
        </div>
    }
}
