use crate::components::{ActivityLine, Frame};
use crate::text::day;
use crate::view::{Activity, ActivityView, Site};
use leptos::prelude::*;
use wire::paths;

/// `/dashboard/activity`.
pub(crate) fn activity_page(site: Site, activity: ActivityView) -> impl IntoView {
    let now = site.now;
    let ActivityView { viewer, entries } = activity;
    let group = move |entries: &[Activity]| {
        let at = entries.first().map_or(now, |entry| entry.at);
        let lines = entries.iter().cloned().map(|entry| view! { <ActivityLine entry /> }).collect_view();
        view! {
            <section class="day">
                <h2>{day::name(now, at)}</h2>
                <ul class="events">{lines}</ul>
            </section>
        }
    };
    let days = day::groups(&entries).into_iter().map(group).collect_view();
    let empty = entries.is_empty();
    view! {
        <Frame site viewer here=paths::ACTIVITY_PAGE>
            <header>
                <h1>"Activity"</h1>
            </header>
            <p class="quiet">
                {if empty {
                    "No activity yet. Sign-ins, wrong passwords and ended sessions will appear here."
                } else {
                    "Recent events of your account, newest first. Addresses are shortened to their network."
                }}
            </p>
            <div class="days">{days}</div>
        </Frame>
    }
}
