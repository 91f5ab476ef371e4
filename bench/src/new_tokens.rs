//! `GET /api/session` with a token that was never seen: its cost is the verification of the signature.

use crate::machine;
use crate::serving::{Serving, VERIFIED};
use crate::signature::Signature;
use crate::table::{Rounds, Row};
use crate::wrk::{self, Ask, Lines, TICKS_PER_SECOND};
use anyhow::{Result, ensure};
use std::time::{Duration, Instant};
use wire::paths;

const TARGET: f64 = 0.8;
const ROUNDS: usize = 3;
/// Number of tokens, more than one core can verify in a round.
const TOKENS: usize = 60_000;

pub(crate) fn measure() -> Result<Vec<Row>> {
    let mut serving = wrk::start()?;
    let (mut twins, mut loops) = (Rounds::default(), Rounds::default());
    for _ in 0..ROUNDS {
        let twin = wrk::per_cpu_second(serving.pid(), &bare(&serving))?;
        let alone = verifications_per_cpu_second()?;
        let rate = checks_per_cpu_second(&mut serving)?;
        twins.push(rate, twin);
        loops.push(rate, alone);
    }
    let row = |beside: &str, rounds: &Rounds| {
        let (row, ratio) = wrk::row("session checks, tokens never seen", beside, rounds);
        row.at_least(ratio, TARGET)
    };
    Ok(vec![row("bare axum with ES256", &twins), row("ES256 in a loop, no HTTP", &loops)])
}

fn bare(serving: &Serving) -> Ask {
    Ask { port: serving.addresses.bare, path: VERIFIED, welcome: true, ..Ask::default() }
}

fn checks_per_cpu_second(serving: &mut Serving) -> Result<f64> {
    let tokens = serving.new_tokens(TOKENS)?;
    let ask = Ask {
        port: serving.addresses.postern,
        path: paths::SESSION,
        lines: Some(Lines { header: "Authorization", before: "Bearer ", file: tokens.path().to_owned() }),
        welcome: true,
        ..Ask::default()
    };
    wrk::per_cpu_second(serving.pid(), &ask)
}

fn verifications_per_cpu_second() -> Result<f64> {
    let signature = Signature::make()?;
    let (began, before) = (Instant::now(), machine::cpu_ticks(std::process::id())?);
    let mut done = 0.0;
    while began.elapsed() < Duration::from_secs(2) {
        for _ in 0..100 {
            ensure!(signature.is_good(), "a good signature was refused");
        }
        done += 100.0;
    }
    Ok(done * TICKS_PER_SECOND / (machine::cpu_ticks(std::process::id())? - before))
}
