use leptos::prelude::*;

const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 48.0;
/// Margin, so that the line is not cut at the edge.
const EDGE: f64 = 3.0;
const PLACES: f64 = 59.0;

/// The last minute as a line. The number next to it is for people who cannot see it.
#[component]
pub fn Plot(values: Signal<Vec<i64>>) -> impl IntoView {
    view! {
        <svg class="plot" viewBox="0 0 300 48" preserveAspectRatio="none" aria-hidden="true">
            <polyline points=move || points(&values.get())></polyline>
        </svg>
    }
}

/// Returns the points of the line. The newest value is on the right; the scale is from the minimum to the maximum
/// shown.
#[expect(clippy::cast_precision_loss, reason = "pixels")]
fn points(values: &[i64]) -> String {
    let (Some(least), Some(most)) = (values.iter().min(), values.iter().max()) else { return String::new() };
    let span = (most - least).max(1) as f64;
    let last = values.len() - 1;
    let place = |(index, value): (usize, &i64)| {
        let x = WIDTH - EDGE - (last - index) as f64 * (WIDTH - 2.0 * EDGE) / PLACES;
        let y = HEIGHT - EDGE - (value - least) as f64 / span * (HEIGHT - 2.0 * EDGE);
        format!("{x:.1},{y:.1}")
    };
    values.iter().enumerate().map(place).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::points;

    #[test]
    fn from_the_least_to_the_most() {
        assert_eq!(points(&[]), "");
        assert_eq!(points(&[5]), "297.0,45.0");
        assert_eq!(points(&[0, 10]), "292.0,45.0 297.0,3.0");
    }
}
