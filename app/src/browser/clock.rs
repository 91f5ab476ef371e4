//! Time in the browser.

use crate::browser::page::object;
use js_sys::{Date, Object, Promise};
use leptos::prelude::window;

/// Returns unix milliseconds.
#[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit for 285,000 years")]
pub fn now() -> i64 {
    Date::now() as i64
}

/// Returns unix nanoseconds, at the browser's precision.
#[expect(clippy::cast_possible_truncation, reason = "nanoseconds since 1970 fit until 2262")]
pub fn now_ns() -> i64 {
    let ms = window().performance().map_or_else(Date::now, |performance| performance.time_origin() + performance.now());
    (ms * 1e6) as i64
}

pub async fn sleep(ms: i32) {
    let timer = Promise::new(&mut |done, _| {
        let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&done, ms);
    });
    let _ = timer.await;
}

pub const DAY: f64 = 86_400_000.0;

/// The precision of a displayed time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeFormat {
    /// "14:32", or "2:32 PM"
    Clock,
    /// "14 November 2023"
    Day,
    /// Both, to the second.
    Exact,
}

/// Formats a time (unix milliseconds) in the reader's locale.
pub fn write(at: f64, shape: TimeFormat) -> String {
    let (two, numeric, long) = ("2-digit".into(), "numeric".into(), "long".into());
    let clock = [("hour", &numeric), ("minute", &two)];
    let day = [("day", &numeric), ("month", &long), ("year", &numeric)];
    let options: Object = match shape {
        TimeFormat::Clock => object(&clock),
        TimeFormat::Day => object(&day),
        TimeFormat::Exact => {
            object(&[&day[..], &clock[..], &[("second", &two), ("timeZoneName", &"short".into())]].concat())
        }
    };
    let locale = window().navigator().language().unwrap_or_else(|| "en".to_owned());
    Date::new(&at.into()).to_locale_string(&locale, &options).into()
}
