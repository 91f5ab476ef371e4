//! Lengths of time as operators write them.

use domain::operator::InvalidInput;

/// The units of a span.
const UNITS: [&str; 18] = [
    "s", "m", "h", "d", "w", "y", "second", "seconds", "minute", "minutes", "hour", "hours", "day", "days", "week",
    "weeks", "year", "years",
];

/// Parses `15m`, `2h`, `30d`, `1h 30m` into milliseconds, in the form that the `OpenAPI` document describes. A span
/// that does not fit is [`i64::MAX`].
///
/// # Errors
/// [`InvalidInput::Span`]
pub(crate) fn span_ms(text: &str) -> Result<i64, InvalidInput> {
    if !is_span(text) {
        return Err(InvalidInput::Span);
    }
    match humantime::parse_duration(text.trim_matches(' ')) {
        Ok(span) => Ok(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)),
        Err(humantime::DurationError::NumberOverflow) => Ok(i64::MAX),
        Err(_) => Err(InvalidInput::Span),
    }
}

fn is_span(text: &str) -> bool {
    let mut rest = text.trim_matches(' ');
    let mut any = false;
    while !rest.is_empty() {
        let (number, after) = split_while(rest, |byte| byte.is_ascii_digit());
        let (unit, after) = split_while(after.trim_start_matches(' '), |byte| byte.is_ascii_lowercase());
        let counted = (1..=9).contains(&number.len()) && !number.starts_with('0');
        if !counted || !UNITS.contains(&unit) {
            return false;
        }
        (any, rest) = (true, after.trim_start_matches(' '));
    }
    any
}

fn split_while(text: &str, belongs: fn(u8) -> bool) -> (&str, &str) {
    text.split_at(text.bytes().position(|byte| !belongs(byte)).unwrap_or(text.len()))
}
