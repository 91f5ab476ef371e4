//! Logins per second, from the first byte of the sealed request to the tokens, against argon2id alone.

use crate::service::Service;
use crate::table::{Rounds, Row, count, per_second};
use crate::visitor::{LOGINS, Visitor};
use crate::{argon, load, machine};
use anyhow::Result;
use std::path::Path;
use std::time::{Duration, Instant};

const TARGET: f64 = 0.88;
const REFERENCE_TARGET: f64 = 0.8;
const REFERENCE: &str = "logins a core, beside argon2id of the C reference for AVX2";
/// Number of concurrent logins: more than hash threads, fewer than permits of the hash queue.
const AT_ONCE: usize = 32;
const VISITORS: usize = 48;
const ROUNDS: usize = 5;
const USERS: u32 = 100_000;

pub(crate) fn measure() -> Result<Vec<Row>> {
    let on_disk = machine::folder()?;
    let rounds = compare(on_disk.path(), 1)?;
    let (row_on_disk, ratio) = row("logins, SQLite on disk, synchronous=FULL", &rounds.alone);
    let mut rows = vec![row_on_disk.at_least(ratio, TARGET)];
    rows.push(match rounds.reference {
        Some(reference) => beside_reference(&reference),
        None => Row::skipped(REFERENCE, "needs AVX2, a C compiler and PyPI"),
    });
    if let Some(in_memory) = machine::folder_in_memory() {
        // A difference here is caused by the program; the rest is the disk's.
        rows.push(row("logins, the same file in memory", &compare(in_memory.path(), 1)?.alone).0);
    }
    let crowded = machine::folder()?;
    let rounds = compare(crowded.path(), USERS)?.alone;
    rows.push(row("logins, with 100,000 accounts", &rounds).0);
    let per_core = rounds.median().1 / count(machine::cores());
    rows.push(Row::new("argon2id 19 MiB, 2 passes, a core", per_second(per_core)));
    Ok(rows)
}

/// Returns the row of logins beside argon2id alone, and its ratio for a target.
fn row(name: &str, rounds: &Rounds) -> (Row, f64) {
    let (logins, hashes) = rounds.median();
    let limit = format!("argon2id alone {}", per_second(hashes));
    (Row::new(name, per_second(logins)).beside(limit, logins / hashes), logins / hashes)
}

fn beside_reference(rounds: &Rounds) -> Row {
    let (logins, hashes) = rounds.median();
    let cores = count(machine::cores());
    let limit = format!("C {}", per_second(hashes / cores));
    Row::new(REFERENCE, per_second(logins / cores))
        .beside(limit, logins / hashes)
        .at_least(logins / hashes, REFERENCE_TARGET)
}

/// The rounds beside the hash pool alone, and beside the C reference if it could be built.
struct LoginRounds {
    alone: Rounds,
    reference: Option<Rounds>,
}

/// Measures both in turn, so that anything that slows the machine affects both.
fn compare(folder: &Path, users: u32) -> Result<LoginRounds> {
    let service = Service::start(folder, Service::workers(), |_| {})?;
    service.add_accounts(users)?;
    logins_per_second(&service, AT_ONCE)?;
    let (mut alone, mut reference) = (Rounds::default(), None);
    for _ in 0..ROUNDS {
        let limit = argon::rate(&service, Duration::from_secs(2))?;
        let in_c = argon::reference_rate(Duration::from_secs(2))?;
        let rate = logins_per_second(&service, VISITORS)?;
        alone.push(rate, limit);
        if let Some(in_c) = in_c {
            reference.get_or_insert_with(Rounds::default).push(rate, in_c);
        }
    }
    service.end();
    Ok(LoginRounds { alone, reference })
}

fn logins_per_second(service: &Service, visitors: usize) -> Result<f64> {
    let place = service.place.clone();
    load::runtime()?.block_on(async {
        let arrive = move |()| {
            let place = place.clone();
            async move { Visitor::arrive(&place, LOGINS).await }
        };
        let visitors = load::concurrent_tasks(AT_ONCE, vec![(); visitors], arrive).await?;
        let began = Instant::now();
        let done = load::concurrent_tasks(AT_ONCE, visitors, use_up).await?;
        Ok(count(done.iter().sum()) / began.elapsed().as_secs_f64())
    })
}

async fn use_up(mut visitor: Visitor) -> Result<usize> {
    let mut done = 0;
    while visitor.sign_in().await?.is_some() {
        done += 1;
    }
    Ok(done)
}
