use crate::islands::facts;
use crate::words::{refusal, wait};
use leptos::prelude::*;

/// Where the form speaks. What is read aloud changes only with the news; the countdown for the eyes
/// changes every second and is kept from screen readers.
#[component]
pub fn Alert() -> impl IntoView {
    let closed = facts::closed();
    let class = if closed.is_some() { "alert loud" } else { "alert" };
    let (said, left) = match closed {
        Some((left, incident)) => (refusal::closed(None, &incident), wait::sentence(left)),
        None => (String::new(), String::new()),
    };
    view! {
        <div class=class>
            <p role="alert">
                <span id="said">{said}</span>
                " "
                <span id="wait-said" class="unseen">
                    {left.clone()}
                </span>
            </p>
            <p id="wait" aria-hidden="true">
                {left}
            </p>
        </div>
    }
}
