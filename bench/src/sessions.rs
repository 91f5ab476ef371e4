//! `GET /api/session` with a known token, and `GET /api/verify` with a known cookie: the checks of every request of a
//! signed-in person, here and at an app.

use crate::serving::ASKED;
use crate::table::Row;
use crate::wrk::{self, Ask};
use anyhow::Result;
use wire::paths;

const TARGET: f64 = 0.9;
const APP_TARGET: f64 = 0.65;

pub(crate) fn measure() -> Result<Vec<Row>> {
    let serving = wrk::start()?;
    let ask = |port| Ask {
        port,
        path: paths::SESSION,
        headers: vec![format!("Cookie: {}", serving.addresses.cookie)],
        welcome: true,
        ..Ask::default()
    };
    let (asked, bare) = (ask(serving.addresses.postern), ask(serving.addresses.bare));
    let (row, ratio) = wrk::compare("session checks", &serving, &asked, &bare)?;
    let own = row.at_least(ratio, TARGET);
    let mut headers = ASKED.map(|(name, value)| format!("{name}: {value}")).to_vec();
    headers.push(format!("Cookie: {}", serving.addresses.app_cookie));
    let ask = |port| Ask { port, path: paths::VERIFY, headers: headers.clone(), welcome: true, ..Ask::default() };
    let (asked, bare) = (ask(serving.addresses.postern), ask(serving.addresses.bare));
    let (row, ratio) = wrk::compare("session checks for an app (/api/verify)", &serving, &asked, &bare)?;
    Ok(vec![own, row.at_least(ratio, APP_TARGET)])
}
