//! `GET /.well-known/jwks.json`, which every app behind Postern requests, and anybody else may.

use crate::table::Row;
use crate::wrk::{self, Ask};
use anyhow::Result;
use wire::paths;

const TARGET: f64 = 0.9;

pub(crate) fn measure() -> Result<Vec<Row>> {
    let serving = wrk::start()?;
    let ask = |port| Ask { port, path: paths::JWKS, welcome: true, ..Ask::default() };
    let (row, ratio) =
        wrk::compare("public keys (JWKS)", &serving, &ask(serving.addresses.postern), &ask(serving.addresses.bare))?;
    Ok(vec![row.at_least(ratio, TARGET)])
}
