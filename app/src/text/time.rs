//! Texts of the time server's page.

use wire::time::CloseReason;

/// Returns "14:32:07" and ".123456789" of an RFC 3339 time.
pub fn parts(time: &str) -> (String, String) {
    let clock = time.split_once('T').map_or(time, |(_, clock)| clock).trim_end_matches('Z');
    match clock.split_once('.') {
        Some((clock, fraction)) => (clock.to_owned(), [".", fraction].concat()),
        None => (clock.to_owned(), String::new()),
    }
}

/// Returns "2026-11-22" of an RFC 3339 time.
pub fn day(time: &str) -> &str {
    time.split_once('T').map_or("", |(day, _)| day)
}

/// Returns "1.25 ms", "+3.40 ms", "-12 ms" or "2.5 s": three digits are enough to compare.
pub fn span(ns: i64, signed: bool) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let ms = ns as f64 / 1e6;
    let sign = if signed && ns > 0 { "+" } else { "" };
    let size = ms.abs();
    let number = |value: f64| match value.abs() {
        ..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    };
    if size < 1000.0 { format!("{sign}{} ms", number(ms)) } else { format!("{sign}{} s", number(ms / 1000.0)) }
}

/// Explains the end of a connection to people. `None`: nothing to say, or the page handles it.
pub fn ended(reason: CloseReason) -> Option<&'static str> {
    match reason {
        CloseReason::Goodbye => None,
        CloseReason::GoingAway => Some("The time server is shutting down. Connect again in a moment."),
        CloseReason::Full => Some("The time server has no free connections. Try again later."),
        CloseReason::TooSlow => {
            Some("The connection was idle for too long, so the time server closed it. Connect again.")
        }
        // Tickets are made for one connection.
        CloseReason::TicketExpired | CloseReason::KeyEnded => Some(
            "The time server refuses a ticket that this site made just now: one of their clocks is wrong. Tell the \
             person who runs them.",
        ),
        CloseReason::BadOrigin => {
            Some("The time server does not accept connections from this site's address. Tell the person who runs it.")
        }
        CloseReason::BadTicket | CloseReason::BadProof => {
            Some("The time server does not trust this site's tickets. Tell the person who runs it.")
        }
        _ => Some("Something on the network changed the messages, so the connection was closed. Connect again."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_its_parts() {
        let time = "2026-11-22T14:32:07.123456789Z";
        assert_eq!(parts(time), ("14:32:07".to_owned(), ".123456789".to_owned()));
        assert_eq!(day(time), "2026-11-22");
        assert_eq!(parts("14:32:07"), ("14:32:07".to_owned(), String::new()));
    }

    #[test]
    fn a_refused_new_ticket_is_explained_by_the_clocks() {
        for reason in [CloseReason::TicketExpired, CloseReason::KeyEnded] {
            assert!(ended(reason).is_some_and(|text| text.contains("clocks")), "{reason:?}");
        }
    }

    #[test]
    fn three_digits() {
        for (ns, text) in [
            (1_250_000, "1.25 ms"),
            (12_340_000, "12.3 ms"),
            (-123_400_000, "-123 ms"),
            (2_500_000_000, "2.50 s"),
            (0, "0.00 ms"),
        ] {
            assert_eq!(span(ns, false), text);
        }
        assert_eq!(span(3_400_000, true), "+3.40 ms");
    }
}
