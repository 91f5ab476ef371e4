use crate::words::trigger;
use leptos::prelude::*;
use wire::refusals::{ByTrigger, Hours};

const BAR: usize = 10;
const HEIGHT: u64 = 32;

/// Refusals of 24 hours: a row of bars for each trigger, its sum beside it as text. Rows without a
/// refusal are one sentence.
#[component]
pub fn HoursChart(hours: Hours) -> impl IntoView {
    let (some, none): (Vec<_>, Vec<_>) = hours.triggers.into_iter().partition(|row| row.total > 0);
    // All rows have one scale, or a single refusal would look like a storm.
    let most = some.iter().flat_map(|row| row.hours.iter().copied()).max().unwrap_or(1).max(1);
    let quiet = none.iter().map(|row| trigger::name(&row.trigger).to_lowercase()).collect::<Vec<_>>().join(", ");
    let quiet = match (some.is_empty(), none.is_empty()) {
        (true, _) => "Nothing was refused.".to_owned(),
        (false, true) => String::new(),
        (false, false) => format!("None for: {quiet}."),
    };
    let rows = some.into_iter().map(|row| view! { <Bars row most /> }).collect_view();
    let scale = most;
    view! {
        <ul class="chart">{rows}</ul>
        <p class="small quiet">{quiet}</p>
        <p class="small quiet">"Each bar is an hour, the last one is now; the tallest is " {scale} "."</p>
    }
}

#[component]
fn Bars(row: ByTrigger, most: u64) -> impl IntoView {
    let name = trigger::name(&row.trigger).to_owned();
    let last = row.hours.len().saturating_sub(1);
    let counts = row.hours.iter().enumerate().filter(|(_, count)| **count > 0);
    let told = counts
        .map(|(place, count)| match last - place {
            0 => format!("{count} in this hour"),
            1 => format!("{count} an hour ago"),
            ago => format!("{count} {ago} hours ago"),
        })
        .collect::<Vec<_>>()
        .join(", ");
    let bars = row.hours.iter().enumerate().map(|(place, count)| {
        // A single refusal is still a line that can be seen.
        let height = if *count == 0 { 1 } else { (count * HEIGHT / most).max(3) };
        let class = if *count == 0 { "none" } else { "some" };
        let (x, y) = (place * BAR, HEIGHT - height);
        view! { <rect class=class x=x.to_string() y=y.to_string() width="8" height=height.to_string()></rect> }
    });
    view! {
        <li>
            <p>
                {name} " " <b class="figures">{row.total}</b> <span class="unseen">": " {told}</span>
            </p>
            <svg viewBox="0 0 238 32" preserveAspectRatio="none" aria-hidden="true">
                {bars.collect_view()}
            </svg>
        </li>
    }
}
