//! The limit of logins: argon2id alone, on the very pool that logins use.

use crate::machine;
use crate::service::Service;
use crate::table::count;
use crate::visitor::PASSWORD;
use anyhow::{Context, Result};
use server::passwords::HashPool;
use std::process::Command;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use zeroize::Zeroizing;

/// Measures verifications per second with every hash thread busy.
pub(crate) fn rate(service: &Service, time: Duration) -> Result<f64> {
    let passwords = service.state.passwords.clone();
    service.runtime.block_on(async {
        let began = Instant::now();
        let mut workers = JoinSet::new();
        // Twice as many as threads, so that none of them waits for work.
        for _ in 0..2 * machine::cores() {
            workers.spawn(verify_until(passwords.clone(), began + time));
        }
        let mut done = 0;
        while let Some(worker) = workers.join_next().await {
            done += worker??;
        }
        Ok(count(done) / began.elapsed().as_secs_f64())
    })
}

/// Measures hashes per second of the C reference for AVX2, with every core busy. `None`: `make bench` could not build
/// it here.
pub(crate) fn reference_rate(time: Duration) -> Result<Option<f64>> {
    let Some(folder) = std::env::var_os("ARGON2_REFERENCE").filter(|folder| !folder.is_empty()) else {
        return Ok(None);
    };
    let mut command = Command::new("python3");
    command.arg("bench/argon2_reference.py").arg(folder).arg(time.as_secs_f64().to_string());
    let output = command.output().context("python3")?;
    let said = String::from_utf8_lossy(&output.stdout);
    Ok(Some(said.trim().parse().with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?))
}

async fn verify_until(passwords: HashPool, end: Instant) -> Result<usize> {
    let mut done = 0;
    while Instant::now() < end {
        let place = passwords.permit().context("the queue is full")?;
        // Without a stored hash the same work is done on a stand-in.
        passwords.verify(&place, Zeroizing::new(PASSWORD.as_bytes().to_vec()), None, std::iter::empty()).await?;
        done += 1;
    }
    Ok(done)
}
