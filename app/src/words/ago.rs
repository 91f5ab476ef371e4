//! How long ago something was.

/// "just now", "5 minutes ago", "3 weeks ago". The future is now: clocks differ a little.
pub fn ago(now: i64, at: i64) -> String {
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

/// "good for 3 more days". The present is the last minute.
pub fn left(now: i64, until: i64) -> String {
    let minutes = (until - now).max(0) / 60_000;
    let (count, unit) = match minutes {
        ..1 => return "good for less than a minute".to_owned(),
        1..120 => (minutes, "minute"),
        120..2_880 => (minutes / 60, "hour"),
        _ => (minutes / 1_440, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("good for {count} more {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::ago;

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
}
