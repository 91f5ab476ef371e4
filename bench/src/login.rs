//! Logins per second, from the first byte of the sealed request to the tokens, against argon2id alone.

use crate::service::Service;
use crate::table::{Row, count, median, per_second};
use crate::visitor::{LOGINS, Visitor};
use crate::{argon, load, machine};
use anyhow::Result;
use std::path::Path;
use std::time::{Duration, Instant};

const TARGET: f64 = 0.88;
/// Number of concurrent logins: more than hash threads, fewer than permits of the hash queue.
const AT_ONCE: usize = 32;
const VISITORS: usize = 48;
const ROUNDS: usize = 5;
const USERS: u32 = 100_000;

pub(crate) fn measure() -> Result<Vec<Row>> {
    let on_disk = machine::folder()?;
    let (logins, hashes, ratio) = compare(on_disk.path(), 1)?;
    let name = "logins, SQLite on disk, synchronous=FULL";
    let mut rows = vec![row(name, logins, hashes, ratio).at_least(ratio, TARGET)];
    if let Some(in_memory) = machine::folder_in_memory() {
        // A difference here is caused by the program; the rest is the disk's.
        let (logins, hashes, ratio) = compare(in_memory.path(), 1)?;
        rows.push(row("logins, the same file in memory", logins, hashes, ratio));
    }
    let crowded = machine::folder()?;
    let (logins, hashes, ratio) = compare(crowded.path(), USERS)?;
    rows.push(row("logins, with 100,000 accounts", logins, hashes, ratio));
    let per_core = hashes / count(machine::cores());
    rows.push(Row::new("argon2id 19 MiB, 2 passes, a core", per_second(per_core)));
    Ok(rows)
}

fn row(name: &str, logins: f64, hashes: f64, ratio: f64) -> Row {
    Row::new(name, per_second(logins)).beside(format!("argon2id alone {}", per_second(hashes)), ratio)
}

/// Measures both in turn, so that anything that slows the machine affects both.
fn compare(folder: &Path, users: u32) -> Result<(f64, f64, f64)> {
    let service = Service::start(folder, Service::workers(), |_| {})?;
    service.add_accounts(users)?;
    logins_per_second(&service, AT_ONCE)?;
    let (mut logins, mut hashes, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let limit = argon::rate(&service, Duration::from_secs(2))?;
        let rate = logins_per_second(&service, VISITORS)?;
        logins.push(rate);
        hashes.push(limit);
        ratios.push(rate / limit);
    }
    service.end();
    Ok((median(&logins), median(&hashes), median(&ratios)))
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
