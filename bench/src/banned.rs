//! A request from a banned address, among few and among a million others: it must cost almost nothing.

use crate::table::{Row, megabytes};
use crate::wrk::{self, Ask};
use anyhow::Result;
use wire::paths;

const TARGET: f64 = 0.85;
const MOST_MB: f64 = 150.0;

pub(crate) fn measure() -> Result<Vec<Row>> {
    let serving = wrk::start()?;
    let ask = |port, path| Ask { port, path, ..Ask::default() };
    let bare = ask(serving.addresses.bare, "/banned");
    let mut rows = Vec::new();
    for (port, others) in serving.addresses.closed.into_iter().zip(["10", "1,000,000"]) {
        let name = format!("requests of a banned address, one of {others}");
        let (row, ratio) = wrk::compare(&name, &serving, &ask(port, paths::SESSION), &bare)?;
        rows.push(row.at_least(ratio, TARGET));
    }
    rows.push(Row::at_most("memory of 1,000,000 bans", serving.addresses.bans_mb, MOST_MB, megabytes));
    Ok(rows)
}
