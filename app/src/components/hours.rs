use crate::text::trigger;
use leptos::prelude::*;
use wire::refusals::RefusalCounts;

const BAR: usize = 10;
const HEIGHT: u64 = 32;

/// Refusals in 24 hours: a row of bars for each trigger, with its sum as text. Rows without refusals are summarised in
/// one sentence.
#[component]
pub fn HoursChart(hours: RefusalCounts) -> impl IntoView {
    let (some, none): (Vec<_>, Vec<_>) = hours.triggers.into_iter().partition(|row| row.total > 0);
    if some.is_empty() {
        return view! { <p>"Nothing was refused. Wrong passwords, forged sign-ins and floods are counted here by the hour."</p> }
            .into_any();
    }
    // All rows have the same scale, otherwise a single refusal would look like many.
    let most = some.iter().flat_map(|row| row.hours.iter().copied()).max();
    let rows = some.into_iter().map(|row| {
        let name = trigger::name(&row.trigger).to_owned();
        view! { <HourBars name hours=row.hours most /> }
    });
    let quiet = none.iter().map(|row| trigger::name(&row.trigger).to_lowercase()).collect::<Vec<_>>().join(", ");
    let quiet = (!none.is_empty()).then(|| view! { <p class="small quiet">"None: " {quiet} "."</p> });
    view! {
        <ul class="chart">{rows.collect_view()}</ul>
        <p class="axis">
            <span>"24 hours ago"</span>
            <span>"now"</span>
        </p>
        {quiet}
    }
    .into_any()
}

/// One row of a chart: a name, the sum, and a bar for each hour, oldest first. The counts are text for those who
/// cannot see the bars.
#[component]
pub fn HourBars(
    name: String,
    hours: Vec<u64>,
    /// The count that fills the height; the row's own greatest, if not given.
    #[prop(default = None)]
    most: Option<u64>,
    /// The page with the events.
    #[prop(optional)]
    path: Option<&'static str>,
) -> impl IntoView {
    let busiest = hours.iter().copied().max().unwrap_or(0);
    let total: u64 = hours.iter().sum();
    let most = most.unwrap_or(busiest).max(1);
    let last = hours.len().saturating_sub(1);
    let counts = hours.iter().enumerate().filter(|(_, count)| **count > 0);
    let text = counts
        .map(|(place, count)| match last - place {
            0 => format!("{count} in this hour"),
            1 => format!("{count} an hour ago"),
            ago => format!("{count} {ago} hours ago"),
        })
        .collect::<Vec<_>>()
        .join(", ");
    let peak = (busiest > 1).then(|| format!(" \u{b7} at most {busiest} in an hour"));
    let bars = hours.iter().enumerate().map(|(place, count)| {
        let height = bar_height(*count, most);
        let class = if *count == 0 { "none" } else { "some" };
        let (x, y) = (place * BAR, HEIGHT - height);
        view! { <rect class=class x=x.to_string() y=y.to_string() width="8" height=height.to_string()></rect> }
    });
    // A row without events needs no space for bars.
    let bars = (busiest > 0).then(|| {
        view! {
            <svg viewBox="0 0 238 32" preserveAspectRatio="none" aria-hidden="true">
                {bars.collect_view()}
            </svg>
        }
    });
    let name = match path {
        Some(path) => view! { <a href=path>{name}</a> }.into_any(),
        None => name.into_any(),
    };
    view! {
        <li>
            <p>
                {name} " " <b class="figures">{total}</b> <span class="small quiet figures">{peak}</span>
                <span class="visually-hidden">": " {if text.is_empty() { "none".to_owned() } else { text }}</span>
            </p>
            {bars}
        </li>
    }
}

/// Returns the height of a bar. A single event is still a visible line.
fn bar_height(count: u64, most: u64) -> u64 {
    if count == 0 { 1 } else { (count.saturating_mul(HEIGHT) / most.max(1)).clamp(3, HEIGHT) }
}

#[cfg(test)]
mod tests {
    use super::bar_height;

    #[test]
    fn bars_fit() {
        assert_eq!([bar_height(0, 10), bar_height(1, 1000), bar_height(5, 10), bar_height(10, 10)], [1, 3, 16, 32]);
        assert_eq!([bar_height(9, 0), bar_height(u64::MAX, 3)], [32, 32]);
    }
}
