//! The time that a person waits in the browser besides the network: from pressing "Sign in" until the sealed message is
//! sent, without the challenge.

use crate::browser;
use crate::table::{Row, median, milliseconds};
use anyhow::Result;
use serde::Deserialize;

const TARGET_MS: f64 = 20.0;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Times {
    fresh_profiles: Vec<f64>,
    fresh_pages: Vec<f64>,
    same_page: Vec<f64>,
}

pub(crate) fn measure() -> Result<Vec<Row>> {
    let times: Times = browser::run("sealing.mjs")?;
    let row = |name: &str, times: &[f64]| {
        let worst = times.iter().copied().fold(0.0, f64::max);
        let name = format!("sealing, {name}, median of {}", times.len());
        let mut row = Row::at_most(&name, median(times), TARGET_MS, milliseconds);
        row.limit = format!("slowest {}", milliseconds(worst));
        row
    };
    Ok(vec![
        row("first ever (makes the browser's keys)", &times.fresh_profiles),
        row("first on a page", &times.fresh_pages),
        row("again on the same page", &times.same_page),
    ])
}
