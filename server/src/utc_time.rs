//! Times in texts for people.

use domain::UnixMs;

/// Formats a time in UTC without naming the zone: `2026-11-21 09:00:00`.
pub(crate) fn utc_time(at: UnixMs) -> String {
    humantime::format_rfc3339_seconds(at.to_system_time()).to_string().replace('T', " ").replace('Z', "")
}

/// Formats a time in UTC and names the zone: `2026-11-21 09:00:00 UTC`.
pub(crate) fn utc_time_with_zone(at: UnixMs) -> String {
    format!("{} UTC", utc_time(at))
}
