//! The set-up code: lets the first person in, and nobody after.
//!
//! Derived from a server key and the day, so that it can be printed again, needs no storage, and is
//! worth nothing after two days or after the first account.

use crate::config::Config;
use crate::keyring::{self, Keyring, Macs};
use domain::encoding::{base64url, hmac_sha256};
use domain::{CLOCK_TOLERANCE_MS, UnixMs};

const DAY_MS: i64 = 24 * 60 * 60_000;

/// The link to print. The code stands behind `#`: browsers keep that part to themselves.
///
/// # Errors
/// There is no key to make the code with.
pub fn link(config: &Config, keyring: &Keyring, now: UnixMs) -> Result<String, keyring::Error> {
    let code = code(&*keyring.macs(now)?, now.div_euclid(DAY_MS));
    Ok(format!("{}{}#code={code}", config.origin, wire::paths::SIGNUP_PAGE))
}

/// Whether the code is today's or yesterday's, or tomorrow's by a clock that is a little ahead.
pub fn is_code(keyring: &Keyring, presented: &str, now: UnixMs) -> bool {
    let today = now.div_euclid(DAY_MS);
    let ahead = now.saturating_add(CLOCK_TOLERANCE_MS).div_euclid(DAY_MS);
    let is_of = |macs: &Macs, day| {
        aws_lc_rs::constant_time::verify_slices_are_equal(code(macs, day).as_bytes(), presented.as_bytes()).is_ok()
    };
    let is_code = |macs: &Macs| [ahead, today, today - 1].into_iter().any(|day| is_of(macs, day)).then_some(());
    keyring.authentic(now, is_code).is_some()
}

fn code(macs: &Macs, day: i64) -> String {
    base64url(&hmac_sha256(&macs.setup, &[&day.to_be_bytes()])[..18])
}
