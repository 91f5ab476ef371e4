//! The set-up code: lets the first person in, and nobody after.
//!
//! Derived from a server key and the day, so that it can be printed again, needs no storage, and is
//! worth nothing after two days or after the first account.

use crate::config::Config;
use crate::keyring::Keyring;
use domain::encoding::{base64url, hmac_sha256};
use domain::{CLOCK_TOLERANCE_MS, UnixMs};

const DAY_MS: i64 = 24 * 60 * 60_000;

/// The link to print. The code stands behind `#`: browsers keep that part to themselves.
pub fn link(config: &Config, keyring: &Keyring, now: UnixMs) -> String {
    format!("{}{}#code={}", config.origin, wire::paths::SIGNUP_PAGE, code(keyring, now.div_euclid(DAY_MS)))
}

/// Whether the code is today's or yesterday's, or tomorrow's by a clock that is a little ahead.
pub fn is_code(keyring: &Keyring, presented: &str, now: UnixMs) -> bool {
    let today = now.div_euclid(DAY_MS);
    let ahead = now.saturating_add(CLOCK_TOLERANCE_MS).div_euclid(DAY_MS);
    [ahead, today, today - 1].into_iter().any(|day| {
        aws_lc_rs::constant_time::verify_slices_are_equal(code(keyring, day).as_bytes(), presented.as_bytes()).is_ok()
    })
}

fn code(keyring: &Keyring, day: i64) -> String {
    base64url(&hmac_sha256(&keyring.macs.setup, &[&day.to_be_bytes()])[..18])
}
