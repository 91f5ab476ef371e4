//! Relative times.

use super::wait::span;

/// Tolerated clock difference: a time this far ahead, in milliseconds, counts as now.
const SKEW_MS: i64 = 60_000;

/// Names a past time: "just now", "5 minutes ago", "3 weeks ago". A future one is "in 3 hours".
pub fn ago(now: i64, at: i64) -> String {
    if at - now >= SKEW_MS {
        return ahead(now, at);
    }
    let seconds = (now - at).max(0) / 1000;
    let (count, unit) = match seconds {
        ..60 => return "just now".to_owned(),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        86_400..1_209_600 => (seconds / 86_400, "day"),
        1_209_600..5_184_000 => (seconds / 604_800, "week"),
        5_184_000..63_072_000 => (seconds / 2_592_000, "month"),
        _ => (seconds / 31_536_000, "year"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural} ago")
}

/// Says when something ends or ended: "ends in 3 hours", "ended 5 minutes ago".
pub fn end(now: i64, at: i64) -> (&'static str, String) {
    if at > now { ("ends", ahead(now, at)) } else { ("ended", ago(now, at)) }
}

/// Returns "in 3 hours", rounded up.
fn ahead(now: i64, at: i64) -> String {
    ["in ", &span(at - now)].concat()
}

#[cfg(test)]
mod tests {
    use super::{ago, end};

    #[test]
    fn the_largest_unit_that_fits() {
        for (seconds, text) in [
            (-30, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (3_599, "59 minutes ago"),
            (3_600, "1 hour ago"),
            (86_400, "1 day ago"),
            (13 * 86_400, "13 days ago"),
            (14 * 86_400, "2 weeks ago"),
            (60 * 86_400, "2 months ago"),
            (729 * 86_400, "24 months ago"),
            (730 * 86_400, "2 years ago"),
        ] {
            assert_eq!(ago(seconds * 1000, 0), text);
        }
    }

    #[test]
    fn the_future_is_not_now() {
        for (seconds, text) in [
            (59, "just now"),
            (60, "in 60 seconds"),
            (3_600, "in 60 minutes"),
            (10_000, "in 3 hours"),
            (604_800, "in 7 days"),
        ] {
            assert_eq!(ago(0, seconds * 1000), text);
        }
        for (seconds, verb, text) in [
            (1, "ends", "in 1 second"),
            (10_000, "ends", "in 3 hours"),
            (0, "ended", "just now"),
            (-7_200, "ended", "2 hours ago"),
        ] {
            assert_eq!(end(0, seconds * 1000), (verb, text.to_owned()));
        }
    }
}
