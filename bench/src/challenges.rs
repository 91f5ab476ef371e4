//! `GET /api/challenge`, which anybody can ask for: one MAC, no query.

use crate::table::Row;
use crate::wrk::{self, Ask};
use anyhow::Result;
use wire::paths;

pub(crate) fn measure() -> Result<Vec<Row>> {
    let serving = wrk::start()?;
    let ask = |port| Ask { port, path: paths::CHALLENGE, welcome: true, ..Ask::default() };
    let (asked, bare) = (ask(serving.addresses.postern), ask(serving.addresses.bare));
    Ok(vec![wrk::compare("challenges", &serving, &asked, &bare)?.0])
}
