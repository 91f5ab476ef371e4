use crate::components::{Clock, When};
use crate::text::activity;
use crate::view::Activity;
use leptos::prelude::*;

/// One line of the history, with the time of day within a day, otherwise with the elapsed time.
#[component]
pub fn ActivityLine(entry: Activity, #[prop(optional)] now: Option<i64>) -> impl IntoView {
    let class = if entry.event.is_odd() { "event odd" } else { "event" };
    let place = activity::address_or_device(&entry).to_owned();
    let at = entry.at;
    view! {
        <li class=class>
            <p>{activity::sentence(&entry)}</p>
            <p class="small quiet">
                {match now {
                    Some(now) => view! { <When now at /> }.into_any(),
                    None => view! { <Clock at /> }.into_any(),
                }}
                {(!place.is_empty()).then(|| view! { " \u{b7} " <span class="figures">{place}</span> })}
            </p>
        </li>
    }
}
