//! The time that a person waits at a sign-in by passkey: from the press of the button until the dashboard can be read,
//! without the authenticator.

use crate::browser;
use crate::table::{Row, median, milliseconds};
use anyhow::Result;

const TARGET_MS: f64 = 300.0;

pub(crate) fn measure() -> Result<Vec<Row>> {
    let times: Vec<f64> = browser::run("passkey.mjs")?;
    let name = format!("passkey, from press to dashboard, median of {}", times.len());
    let mut row = Row::at_most(&name, median(&times), TARGET_MS, milliseconds);
    row.limit = format!("slowest {}", milliseconds(times.iter().copied().fold(0.0, f64::max)));
    Ok(vec![row])
}
