//! A request from a banned address, with 100,000 other addresses banned: it must cost next to nothing.

use crate::table::Row;
use crate::wrk::{self, Ask};
use anyhow::Result;
use wire::paths;

pub fn measure() -> Result<Vec<Row>> {
    let serving = wrk::start()?;
    let ask = |port, path| Ask { port, path, cookie: None, welcome: false };
    let (asked, bare) = (ask(serving.doors.closed, paths::SESSION), ask(serving.doors.bare, "/banned"));
    Ok(vec![wrk::compare("requests of a banned address", &serving, &asked, &bare)?.0])
}
