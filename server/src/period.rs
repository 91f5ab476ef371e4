//! Periods in texts for people.

use std::time::Duration;

/// Number of units in a text: nobody needs the seconds of a week.
const UNITS: usize = 2;

/// Formats a period in its two largest units: `6 days 23h`, `2h 5m`, `3s`.
pub(crate) fn period(period: Duration) -> String {
    let text = humantime::format_duration(period).to_string();
    let units: Vec<_> = text.split(' ').take(UNITS).map(spaced).collect();
    units.join(" ")
}

/// Puts a space before a word: `6days` becomes `6 days`, and `5m` stays.
fn spaced(unit: &str) -> String {
    let digits = unit.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let word = &unit[digits.len()..];
    if word.len() > 2 { format!("{digits} {word}") } else { unit.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_units_and_words_apart() {
        for (seconds, text) in [
            (0, "0s"),
            (3, "3s"),
            (7_503, "2h 5m"),
            (86_400, "1 day"),
            (7 * 86_400, "7 days"),
            (7 * 86_400 - 1, "6 days 23h"),
        ] {
            assert_eq!(period(Duration::from_secs(seconds)), text);
        }
    }
}
