//! Waiting times as text.

pub fn sentence(left_ms: i64) -> String {
    ["You can try again in ", &span(left_ms), "."].concat()
}

/// Returns "5 seconds", "12 minutes" or "3 hours", rounded up, so that nobody returns too early.
pub fn span(ms: i64) -> String {
    let (unit, name) = unit(ms);
    let count = ((ms.max(1) + unit - 1) / unit).to_string();
    let plural = if count == "1" { "" } else { "s" };
    [&count, " ", name, plural].concat()
}

pub(super) fn unit(ms: i64) -> (i64, &'static str) {
    match ms {
        ..=90_000 => (1_000, "second"),
        90_001..=5_400_000 => (60_000, "minute"),
        5_400_001..=129_600_000 => (3_600_000, "hour"),
        _ => (86_400_000, "day"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_rounded_up() {
        for (ms, text) in [
            (-5, "1 second"),
            (1, "1 second"),
            (1_000, "1 second"),
            (1_001, "2 seconds"),
            (90_000, "90 seconds"),
            (90_001, "2 minutes"),
            (720_000, "12 minutes"),
            (5_400_001, "2 hours"),
            (86_400_000, "24 hours"),
            (7 * 86_400_000, "7 days"),
        ] {
            assert_eq!(span(ms), text, "{ms}");
        }
    }
}
