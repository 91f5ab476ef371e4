//! `GET /api/session` with a known token: what every request of a signed-in person passes.

use crate::table::Row;
use crate::wrk::{self, Ask};
use anyhow::Result;
use wire::paths;

const TARGET: f64 = 0.6;

pub fn measure() -> Result<Vec<Row>> {
    let serving = wrk::start()?;
    let ask = |port| Ask {
        port,
        path: paths::SESSION,
        headers: vec![format!("Cookie: {}", serving.doors.cookie)],
        welcome: true,
        ..Ask::default()
    };
    let (asked, bare) = (ask(serving.doors.postern), ask(serving.doors.bare));
    let (row, ratio) = wrk::compare("session checks", &serving, &asked, &bare)?;
    Ok(vec![row.at_least(ratio, TARGET)])
}
