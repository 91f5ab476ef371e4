use crate::text::day;
use leptos::prelude::*;
use std::collections::BTreeMap;
use wire::toll::Piconero;
use wire::toll_admin::TollDay;

const DAY_MS: i64 = 86_400_000;
const DAYS: usize = 30;
const BAR: usize = 10;
const HEIGHT: u64 = 32;

/// Income on each of 30 days: a row of bars for each route, with its sum as text.
#[component]
pub fn RevenueChart(days: Vec<TollDay>, now: i64) -> impl IntoView {
    let rows = by_route(&days, now);
    // All routes have the same scale.
    let most = rows.iter().flat_map(|row| row.days.iter().map(|day| day.0)).max().unwrap_or(0);
    let none = rows.is_empty().then(|| view! { <p>"No payments were requested in the last 30 days."</p> });
    let scale = (most > 0).then(|| {
        let most = Piconero(most).xmr();
        view! {
            <p class="axis">
                <span>"30 days ago"</span>
                <span>"today (UTC)"</span>
            </p>
            <p class="small quiet">"The tallest bar is " <span class="figures">{most}</span> " XMR in a day."</p>
        }
    });
    let rows = rows.into_iter().map(|row| view! { <Bars row most=most.max(1) now /> }).collect_view();
    view! {
        {none}
        <ul class="chart">{rows}</ul>
        {scale}
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    route: String,
    /// The amounts of the days; the last one is today.
    days: Vec<Piconero>,
    total: Piconero,
    payments: i64,
    challenges: i64,
}

fn by_route(days: &[TollDay], now: i64) -> Vec<Row> {
    let today = now.div_euclid(DAY_MS);
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    for day in days {
        let empty = || Row {
            route: day.route.clone(),
            days: vec![Piconero(0); DAYS],
            total: Piconero(0),
            payments: 0,
            challenges: 0,
        };
        let row = rows.entry(&day.route).or_insert_with(empty);
        let ago = usize::try_from(today - day.at.div_euclid(DAY_MS)).ok().filter(|ago| *ago < DAYS);
        if let Some(place) = ago.and_then(|ago| row.days.get_mut(DAYS - 1 - ago)) {
            place.0 = place.0.saturating_add(day.piconero.0);
        }
        row.total.0 = row.total.0.saturating_add(day.piconero.0);
        row.payments += day.payments;
        row.challenges += day.challenges;
    }
    rows.into_values().collect()
}

#[component]
fn Bars(row: Row, most: u64, now: i64) -> impl IntoView {
    let Row { route, days, total, payments, challenges } = row;
    let some = days.iter().enumerate().filter(|(_, amount)| amount.0 > 0);
    let text = some
        .map(|(place, amount)| {
            let ago = i64::try_from(DAYS - 1 - place).unwrap_or_default();
            format!("{}: {} XMR", day::name(now, now - ago * DAY_MS), amount.xmr())
        })
        .collect::<Vec<_>>()
        .join(", ");
    let bars = days.iter().enumerate().map(|(place, amount)| {
        let height = height(amount.0, most);
        let class = if amount.0 == 0 { "none" } else { "some" };
        let (x, y) = (place * BAR, HEIGHT - height);
        view! { <rect class=class x=x.to_string() y=y.to_string() width="8" height=height.to_string()></rect> }
    });
    view! {
        <li>
            <p>
                {route} " " <b class="figures">{total.xmr()} " XMR"</b> " "
                <span class="small quiet">{payments} " payments, asked " {challenges} " times"</span>
                <span class="visually-hidden">". " {text}</span>
            </p>
            <svg viewBox="0 0 298 32" preserveAspectRatio="none" aria-hidden="true">
                {bars.collect_view()}
            </svg>
        </li>
    }
}

/// Returns the height of a bar. A single payment must be visible.
fn height(amount: u64, most: u64) -> u64 {
    if amount == 0 {
        return 1;
    }
    let height = u128::from(amount) * u128::from(HEIGHT) / u128::from(most.max(1));
    u64::try_from(height).unwrap_or(HEIGHT).clamp(3, HEIGHT)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_700_049_600_000; // 2023-11-15T12:00:00Z

    fn day(ago: i64, route: &str, piconero: u64) -> TollDay {
        let at = (NOON.div_euclid(DAY_MS) - ago) * DAY_MS;
        TollDay { at, route: route.to_owned(), challenges: 2, payments: 1, piconero: Piconero(piconero) }
    }

    #[test]
    fn days_have_their_place_and_routes_their_sum() {
        let rows = by_route(&[day(29, "b", 1), day(0, "b", 5), day(1, "a", 7), day(30, "a", 9)], NOON);
        assert_eq!((rows[0].route.as_str(), rows[1].route.as_str()), ("a", "b"));
        assert_eq!((rows[1].days[0], rows[1].days[29], rows[1].total), (Piconero(1), Piconero(5), Piconero(6)));
        assert_eq!((rows[0].days[28], rows[0].payments, rows[0].challenges), (Piconero(7), 2, 4));
    }

    #[test]
    fn bars_fit() {
        assert_eq!([height(0, 10), height(1, u64::MAX), height(5, 10), height(10, 10)], [1, 3, 16, 32]);
        assert_eq!(height(u64::MAX, u64::MAX), 32);
    }
}
