//! Durations as people write them: `2s`, `5m`, `30d`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::time::Duration;

/// A duration, written `90s`, `5m`, `1h 30m`, `30d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DurationSetting(pub Duration);

impl DurationSetting {
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    pub fn ms(self) -> i64 {
        i64::try_from(self.0.as_millis()).unwrap_or(i64::MAX)
    }
}

impl<'de> Deserialize<'de> for DurationSetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let span = humantime::parse_duration(&text)
            .map_err(|_| serde::de::Error::custom("this is not a length of time: write 90s, 5m, 2h or 30d"))?;
        Ok(Self(span))
    }
}

impl Serialize for DurationSetting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&written(self.0))
    }
}

/// Formats a duration as people write it in the settings: `90d`, and not "2months 29days 2h 52m 48s".
pub(super) fn written(span: Duration) -> String {
    const UNITS: [(u64, &str); 3] = [(86_400, "d"), (3600, "h"), (60, "m")];
    let seconds = span.as_secs();
    let is_whole = span.subsec_nanos() == 0 && seconds > 0;
    match UNITS.iter().find(|(unit, _)| is_whole && seconds.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{}{name}", seconds / unit),
        None => humantime::format_duration(span).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_printed_as_they_are_written() {
        for text in ["0s", "90s", "5m", "90m", "2h", "36h", "30d", "365d", "1500ms"] {
            let span = humantime::parse_duration(text).expect(text);
            assert_eq!(humantime::parse_duration(&written(span)).expect(text), span, "{text}");
        }
        assert_eq!(written(Duration::from_hours(90 * 24)), "90d");
        assert_eq!(written(Duration::from_hours(36)), "36h");
        assert_eq!(written(Duration::from_mins(5)), "5m");
    }
}
