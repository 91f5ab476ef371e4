//! The set-up code for the first account.
//!
//! It is derived from a server key and the day. So it can be printed again, needs no storage, and is worthless after
//! two days or after the first account.

use crate::config::Config;
use crate::keyring::{self, Keyring, MacKeys};
use domain::encoding::{base64url, hmac_sha256};
use domain::{CLOCK_TOLERANCE_MS, UnixMs};

const DAY_MS: i64 = 24 * 60 * 60_000;

/// Returns the link to print. The code is behind `#`, which browsers do not send.
///
/// # Errors
/// There is no MAC key for the code.
pub fn link(config: &Config, keyring: &Keyring, now: UnixMs) -> Result<String, keyring::KeyringError> {
    let code = code(&*keyring.macs(now)?, now.as_millis().div_euclid(DAY_MS));
    Ok(format!("{}{}#code={code}", config.origin, wire::paths::SIGNUP_PAGE))
}

/// Whether the code is from today or yesterday, or from tomorrow if a clock is slightly ahead.
pub fn is_code(keyring: &Keyring, presented: &str, now: UnixMs) -> bool {
    let today = now.as_millis().div_euclid(DAY_MS);
    let ahead = (now + CLOCK_TOLERANCE_MS).as_millis().div_euclid(DAY_MS);
    let is_of = |macs: &MacKeys, day| {
        aws_lc_rs::constant_time::verify_slices_are_equal(code(macs, day).as_bytes(), presented.as_bytes()).is_ok()
    };
    let is_code = |macs: &MacKeys| [ahead, today, today - 1].into_iter().any(|day| is_of(macs, day)).then_some(());
    keyring.authentic(now, is_code).is_some()
}

fn code(macs: &MacKeys, day: i64) -> String {
    base64url(&hmac_sha256(&macs.setup, &[&day.to_be_bytes()])[..18])
}
