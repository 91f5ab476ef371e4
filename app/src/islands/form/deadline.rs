use crate::browser::clock::{DAY, TimeFormat, write};
use js_sys::Date;

/// Formats the end of a wait, with the day if it is not soon.
#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit for 285,000 years")]
pub(in crate::islands) fn local_time(at: i64) -> String {
    let at = at as f64;
    if at - Date::now() < DAY / 2.0 { write(at, TimeFormat::Clock) } else { write(at, TimeFormat::Exact) }
}
