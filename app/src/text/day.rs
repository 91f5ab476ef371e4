//! Days of a history.

use super::moment;
use crate::view::Activity;

/// Returns "Today", "Yesterday" or "14 November 2023" in UTC, until the browser replaces it.
pub fn name(now: i64, at: i64) -> String {
    let (today, day) = (moment::at(now).date(), moment::at(at).date());
    match today.to_julian_day() - day.to_julian_day() {
        0 => "Today".to_owned(),
        1 => "Yesterday".to_owned(),
        _ => format!("{} {} {}", day.day(), day.month(), day.year()),
    }
}

/// Groups entries by day, keeping their order.
pub fn groups(entries: &[Activity]) -> Vec<&[Activity]> {
    let day = |entry: &Activity| moment::at(entry.at).date();
    entries.chunk_by(|one, next| day(one) == day(next)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::ActivityEvent;

    const NOON: i64 = 1_700_049_600_000; // 2023-11-15T12:00:00Z
    const DAY: i64 = 86_400_000;

    #[test]
    fn near_days_have_names() {
        assert_eq!(name(NOON, NOON - DAY / 2), "Today");
        assert_eq!(name(NOON, NOON - DAY / 2 - 1), "Yesterday");
        assert_eq!(name(NOON, NOON - 2 * DAY), "13 November 2023");
    }

    #[test]
    fn groups_end_at_midnight() {
        let entry = |at| Activity {
            at,
            event: ActivityEvent::SignedIn,
            count: 1,
            address: String::new(),
            device: String::new(),
            about: String::new(),
        };
        let entries = [NOON, NOON - 1, NOON - DAY, NOON - 9 * DAY].map(entry);
        let sizes: Vec<_> = groups(&entries).iter().map(|group| group.len()).collect();
        assert_eq!(sizes, [2, 1, 1]);
    }
}
