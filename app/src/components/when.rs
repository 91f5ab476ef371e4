use crate::text::ago::{ago, end};
use crate::text::moment;
use leptos::prelude::*;

/// A relative time with the exact time on hover. The browser converts the exact time to the reader's zone and language.
#[component]
pub fn When(now: i64, at: i64) -> impl IntoView {
    view! {
        <time datetime=moment::iso(at) title=moment::exact(at)>
            {ago(now, at)}
        </time>
    }
}

/// A past or future end: "ends in 3 hours", "ended 5 minutes ago".
#[component]
pub fn Ends(now: i64, at: i64) -> impl IntoView {
    let (verb, text) = end(now, at);
    view! {
        {verb}
        " "
        <time datetime=moment::iso(at) title=moment::exact(at)>
            {text}
        </time>
    }
}

/// The time of day, which the browser converts to the reader's zone.
#[component]
pub fn Clock(at: i64) -> impl IntoView {
    view! {
        <time class="clock" datetime=moment::iso(at) title=moment::exact(at)>
            {moment::clock(at)}
        </time>
    }
}
