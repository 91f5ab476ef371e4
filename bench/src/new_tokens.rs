//! `GET /api/session` with a token that was never seen: its signature is verified, nothing else of it is dear.

use crate::table::{Row, median};
use crate::wrk::{self, Ask, TICKS_PER_SECOND};
use crate::{machine, serving::Serving};
use anyhow::{Context, Result};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, ParsedPublicKey,
};
use std::time::{Duration, Instant};
use wire::paths;

const TARGET: f64 = 0.8;
const ROUNDS: usize = 3;
/// More than one core can verify in a round.
const TOKENS: usize = 60_000;

pub fn measure() -> Result<Vec<Row>> {
    let mut serving = wrk::start()?;
    let (mut rates, mut limits, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let limit = verifications_per_cpu_second()?;
        let rate = checks_per_cpu_second(&mut serving)?;
        rates.push(rate);
        limits.push(limit);
        ratios.push(rate / limit);
    }
    let shown = |rates: &[f64]| format!("{:.0} a CPU second", median(rates));
    let ratio = median(&ratios);
    let row = Row::new("session checks, tokens never seen", shown(&rates));
    Ok(vec![row.beside(format!("ES256 verified alone {}", shown(&limits)), ratio).at_least(ratio, TARGET)])
}

fn checks_per_cpu_second(serving: &mut Serving) -> Result<f64> {
    let tokens = serving.new_tokens(TOKENS)?;
    let ask = Ask {
        port: serving.doors.postern,
        path: paths::SESSION,
        tokens: Some(tokens.path().to_owned()),
        welcome: true,
        ..Ask::default()
    };
    wrk::per_cpu_second(serving.pid(), &ask)
}

/// A key that is read once, and a message as long as an access token.
fn verifications_per_cpu_second() -> Result<f64> {
    let failed = "a signature could not be made";
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).ok();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.context(failed)?.as_ref())?;
    let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref())?;
    let message = [b'a'; 500];
    let signature = pair.sign(&SystemRandom::new(), &message).ok().context(failed)?;
    let (began, before) = (Instant::now(), machine::cpu_ticks(std::process::id())?);
    let mut done = 0.0;
    while began.elapsed() < Duration::from_secs(2) {
        for _ in 0..100 {
            key.verify_sig(&message, signature.as_ref()).ok().context("a good signature was refused")?;
        }
        done += 100.0;
    }
    Ok(done * TICKS_PER_SECOND / (machine::cpu_ticks(std::process::id())? - before))
}
