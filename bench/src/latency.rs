//! How long a session check takes: at four fifths of what one core can do, and while logins fill every hash
//! thread. Requests come at a steady rate whether or not the ones before were answered, and each is timed from
//! when it was due.

use crate::client::Client;
use crate::load;
use crate::program::Program;
use crate::table::{Row, count, milliseconds, per_second};
use crate::visitor::{LOGINS, Place, Visitor, new_address};
use crate::{machine, wrk};
use anyhow::{Context, Result, ensure};
use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use wire::paths;

const ACCESS_COOKIE: &str = "__Host-postern-access";
const CONNECTIONS: usize = 32;
const SECONDS: u64 = 3;
const MOST_MS: f64 = 5.0;
const MOST_TIMES: f64 = 3.0;
/// What a small site asks while people sign in.
const QUIET_RATE: f64 = 200.0;
const SIGNING_IN: usize = 32;

pub fn measure() -> Result<Vec<Row>> {
    let mut rows = vec![at_four_fifths()?];
    rows.push(beside_logins()?);
    Ok(rows)
}

fn at_four_fifths() -> Result<Row> {
    let serving = wrk::start()?;
    let door = Door { address: loopback(serving.doors.postern), cookie: serving.doors.cookie.clone() };
    let most = load::runtime()?.block_on(saturate(&door))?;
    let times = load::runtime()?.block_on(ask_steadily(&door, 0.8 * most, Duration::from_secs(SECONDS)))?;
    let name = format!("session checks at 80 % of {} on one core, p99", per_second(most));
    Ok(Row::at_most(&name, percentile(times, 0.99), MOST_MS, milliseconds))
}

fn beside_logins() -> Result<Row> {
    let folder = machine::folder()?;
    let program = Program::set_up(folder.path())?;
    let running = program.start()?;
    let place = running.place.clone();
    let door = load::runtime()?.block_on(enter(&place))?;
    let time = Duration::from_secs(SECONDS);
    let idle = percentile(load::runtime()?.block_on(ask_steadily(&door, QUIET_RATE, time))?, 0.99);
    let busy = percentile(load::runtime()?.block_on(ask_beside_logins(&door, &place, time))?, 0.99);
    running.stop()?;
    let row = Row::new("session checks while logins fill every hash thread, p99", milliseconds(busy));
    let mut row = row.beside(format!("idle {}", milliseconds(idle)), busy / idle);
    row.target = format!("ratio <= {MOST_TIMES}");
    row.met = (busy <= MOST_TIMES * idle).into();
    Ok(row)
}

/// Where a session of somebody is checked.
#[derive(Debug, Clone)]
struct Door {
    address: SocketAddr,
    cookie: String,
}

async fn enter(place: &Place) -> Result<Door> {
    let tokens = Visitor::arrive(place, 1).await?.sign_in().await?.context("no envelope")?;
    Ok(Door { address: place.address, cookie: format!("{ACCESS_COOKIE}={}", tokens.access_token) })
}

/// Requests per second with every connection always waiting for an answer.
async fn saturate(door: &Door) -> Result<f64> {
    let (began, end) = (Instant::now(), Instant::now() + Duration::from_secs(SECONDS));
    let door = door.clone();
    let ask = move |()| {
        let door = door.clone();
        async move {
            let (mut client, mut done) = (Client::connect(new_address(), door.address).await?, 0);
            while Instant::now() < end {
                check(&mut client, &door).await?;
                done += 1;
            }
            Ok(done)
        }
    };
    let done: Vec<usize> = load::crowd(CONNECTIONS, vec![(); CONNECTIONS], ask).await?;
    Ok(count(done.iter().sum()) / began.elapsed().as_secs_f64())
}

/// The times of all requests, in milliseconds.
async fn ask_steadily(door: &Door, rate: f64, time: Duration) -> Result<Vec<f64>> {
    let began = Instant::now();
    let pause = Duration::from_secs_f64(1.0 / rate);
    // When the next request is due.
    let due = Arc::new(Mutex::new(began));
    let door = door.clone();
    let ask = move |()| {
        let (door, due) = (door.clone(), Arc::clone(&due));
        async move {
            let (mut client, mut times) = (Client::connect(new_address(), door.address).await?, Vec::new());
            loop {
                let mine = {
                    let mut due = due.lock().await;
                    let mine = *due;
                    *due += pause;
                    mine
                };
                if mine > began + time {
                    return Ok(times);
                }
                if mine > Instant::now() {
                    tokio::time::sleep_until(mine.into()).await;
                }
                check(&mut client, &door).await?;
                times.push(mine.elapsed().as_secs_f64() * 1000.0);
            }
        }
    };
    Ok(load::crowd(CONNECTIONS, vec![(); CONNECTIONS], ask).await?.concat())
}

async fn ask_beside_logins(door: &Door, place: &Place, time: Duration) -> Result<Vec<f64>> {
    // More logins than can be done in that time.
    let mut waiting = VecDeque::new();
    for _ in 0..SIGNING_IN {
        waiting.push_back(Visitor::arrive(place, LOGINS).await?);
    }
    let logins = tokio::spawn(load::crowd(SIGNING_IN, waiting.into(), |mut visitor: Visitor| async move {
        while visitor.sign_in().await?.is_some() {}
        Ok(())
    }));
    let times = ask_steadily(door, QUIET_RATE, time).await?;
    ensure!(!logins.is_finished(), "there were too few logins");
    logins.abort();
    Ok(times)
}

async fn check(client: &mut Client, door: &Door) -> Result<()> {
    let answer = client.get(paths::SESSION, &[("cookie", &door.cookie)]).await?;
    ensure!(answer.status.is_success(), "{}", answer.status);
    Ok(())
}

fn percentile(mut times: Vec<f64>, part: f64) -> f64 {
    times.sort_by(f64::total_cmp);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank within the list")]
    let rank = (count(times.len()) * part) as usize;
    times.get(rank.min(times.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}
