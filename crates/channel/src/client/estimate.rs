//! Estimates the clocks' difference from an answer.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// One answer of the time server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// RFC 3339, as written by the server.
    pub time: String,
    /// The same in unix nanoseconds.
    pub server_ns: i64,
    /// The time from question to answer, without the server's processing time.
    pub round_trip_ns: i64,
    /// The server's clock minus the client's, if both directions took the same time. The error is at most half of
    /// `round_trip_ns`.
    pub offset_ns: i64,
}

pub(super) fn reading(time: String, held_ns: u64, asked_ns: i64, now_ns: i64) -> Option<Reading> {
    let server_ns = OffsetDateTime::parse(&time, &Rfc3339).ok()?.unix_timestamp_nanos();
    let server_ns = i64::try_from(server_ns).ok()?;
    let held_ns = i64::try_from(held_ns).unwrap_or(i64::MAX);
    let round_trip_ns = now_ns.saturating_sub(asked_ns).saturating_sub(held_ns).max(0);
    let offset_ns = server_ns.saturating_add(round_trip_ns / 2).saturating_sub(now_ns);
    Some(Reading { time, server_ns, round_trip_ns, offset_ns })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offset_and_round_trip() {
        // Asked at 1.000 s by a clock that is 5 s slow; 10 ms there, 2 ms at the server, 10 ms back.
        let reading = reading("1970-01-01T00:00:06.012000000Z".to_owned(), 2_000_000, 1_000_000_000, 1_022_000_000);
        let reading = reading.expect("a time");
        assert_eq!((reading.server_ns, reading.round_trip_ns), (6_012_000_000, 20_000_000));
        assert_eq!(reading.offset_ns, 5_000_000_000);
    }

    #[test]
    fn no_answer_overflows() {
        for (held, asked, now) in [(u64::MAX, i64::MIN, i64::MAX), (0, i64::MAX, i64::MIN)] {
            assert!(reading("9999-12-31T23:59:59Z".to_owned(), held, asked, now).is_none());
            assert!(reading("2026-01-01T00:00:00.5Z".to_owned(), held, asked, now).is_some());
        }
        assert!(reading("noon".to_owned(), 0, 0, 0).is_none());
    }
}
