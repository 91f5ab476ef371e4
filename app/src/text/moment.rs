//! Times as text in UTC, because the server does not know the reader's zone.

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

const EXACT: &[BorrowedFormatItem<'_>] =
    format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute]:[second] UTC");
const CLOCK: &[BorrowedFormatItem<'_>] = format_description!("[hour]:[minute]");

/// Formats a time as RFC 3339, without fractions.
pub(crate) fn iso(unix_ms: i64) -> String {
    at(unix_ms).format(&Rfc3339).unwrap_or_default()
}

/// Formats a time as "14 November 2023, 22:13:20 UTC".
pub fn exact(unix_ms: i64) -> String {
    at(unix_ms).format(EXACT).unwrap_or_default()
}

/// Formats a time as "22:13".
pub fn clock(unix_ms: i64) -> String {
    at(unix_ms).format(CLOCK).unwrap_or_default()
}

pub fn at(unix_ms: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(unix_ms.div_euclid(1000)).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_moment_three_ways() {
        assert_eq!(iso(1_700_000_000_999), "2023-11-14T22:13:20Z");
        assert_eq!(exact(1_700_000_000_000), "14 November 2023, 22:13:20 UTC");
        assert_eq!(clock(1_700_000_000_000), "22:13");
    }
}
