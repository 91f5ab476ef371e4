//! The time of a session check: at four fifths of the capacity of one core, and while logins fill every hash thread.
//! Requests are sent at a steady rate, whether or not earlier ones were answered, and each is timed from the moment
//! when it was due.

use crate::load;
use crate::program::Program;
use crate::table::{Row, count, median, milliseconds, per_second};
use crate::visitor::{LOGINS, ServiceAddress, Visitor, new_address};
use crate::{machine, wrk};
use anyhow::{Context, Result, anyhow, ensure};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use wire::paths;

const ACCESS_COOKIE: &str = "__Host-postern-access";
const CONNECTIONS: usize = 32;
/// Number of connections of the steady load.
const LANES: u32 = 64;
const SECONDS: u64 = 5;
const MOST_MS: f64 = 5.0;
const MOST_TIMES: f64 = 3.0;
/// Requests per second of a small site while people sign in.
const QUIET_RATE: f64 = 200.0;
const SIGNING_IN: usize = 64;

pub(crate) fn measure() -> Result<Vec<Row>> {
    let mut rows = vec![at_four_fifths()?];
    rows.push(beside_logins()?);
    Ok(rows)
}

fn at_four_fifths() -> Result<Row> {
    let serving = wrk::start()?;
    let target =
        SessionCheck { address: loopback(serving.addresses.postern), cookie: serving.addresses.cookie.clone() };
    let most = load::runtime()?.block_on(saturate(&target))?;
    let times = load::runtime()?.block_on(ask_steadily(&target, 0.8 * most, Duration::from_secs(SECONDS)))?;
    let name = format!("session checks at 80 % of {} on one core, p99", per_second(most));
    Ok(Row::at_most(&name, p99(&times), MOST_MS, milliseconds))
}

fn beside_logins() -> Result<Row> {
    let folder = machine::folder()?;
    let program = Program::set_up(folder.path())?;
    let running = program.start()?;
    let place = running.place.clone();
    let target = load::runtime()?.block_on(enter(&place))?;
    let time = Duration::from_secs(SECONDS);
    let idle = p99(&load::runtime()?.block_on(ask_steadily(&target, QUIET_RATE, time))?);
    let busy = p99(&ask_beside_logins(&target, &place, time)?);
    running.stop()?;
    let row = Row::new("session checks while logins fill every hash thread, p99", milliseconds(busy));
    let mut row = row.beside(format!("idle {}", milliseconds(idle)), busy / idle);
    row.target = format!("ratio <= {MOST_TIMES}");
    row.met = (busy <= MOST_TIMES * idle).into();
    Ok(row)
}

/// A session to check, and the address of its server.
#[derive(Debug, Clone)]
struct SessionCheck {
    address: SocketAddr,
    cookie: String,
}

async fn enter(place: &ServiceAddress) -> Result<SessionCheck> {
    let tokens = Visitor::arrive(place, 1).await?.sign_in().await?.context("no envelope")?;
    Ok(SessionCheck { address: place.address, cookie: format!("{ACCESS_COOKIE}={}", tokens.access_token) })
}

/// Measures requests per second with every connection always waiting for an answer.
async fn saturate(target: &SessionCheck) -> Result<f64> {
    let (began, end) = (Instant::now(), Instant::now() + Duration::from_secs(SECONDS));
    let target = target.clone();
    let ask = move |()| {
        let target = target.clone();
        async move {
            let (mut client, mut done) = (Checker::connect(&target).await?, 0);
            while Instant::now() < end {
                client.check().await?;
                done += 1;
            }
            Ok(done)
        }
    };
    let done: Vec<usize> = load::concurrent_tasks(CONNECTIONS, vec![(); CONNECTIONS], ask).await?;
    Ok(count(done.iter().sum()) / began.elapsed().as_secs_f64())
}

/// The time of a request, and the second in which it was due.
#[derive(Debug, Clone, Copy)]
struct Taken {
    second: u64,
    ms: f64,
}

/// Sends requests at a steady rate. Each connection has its own share of the rate, and is never ahead of it.
async fn ask_steadily(target: &SessionCheck, rate: f64, time: Duration) -> Result<Vec<Taken>> {
    let began = Instant::now();
    let pause = Duration::from_secs_f64(1.0 / rate);
    let lanes: Vec<u32> = (0..LANES).collect();
    let target = target.clone();
    let ask = move |lane| {
        let target = target.clone();
        async move {
            let (mut client, mut times) = (Checker::connect(&target).await?, Vec::new());
            let mut due = began + pause * lane;
            while due < began + time {
                if due > Instant::now() {
                    tokio::time::sleep_until(due.into()).await;
                }
                client.check().await?;
                times.push(Taken {
                    second: due.duration_since(began).as_secs(),
                    ms: due.elapsed().as_secs_f64() * 1000.0,
                });
                due += pause * LANES;
            }
            Ok(times)
        }
    };
    Ok(load::concurrent_tasks(lanes.len(), lanes, ask).await?.concat())
}

/// Measures checks during logins. The logins come from a thread of their own, because a client that waits for another
/// would distort both.
fn ask_beside_logins(target: &SessionCheck, place: &ServiceAddress, time: Duration) -> Result<Vec<Taken>> {
    // More logins than can be done in that time.
    let arrive = async {
        let mut visitors = Vec::new();
        for _ in 0..SIGNING_IN {
            visitors.push(Visitor::arrive(place, LOGINS).await?);
        }
        anyhow::Ok(visitors)
    };
    let visitors = load::runtime()?.block_on(arrive)?;
    let over = Arc::new(AtomicBool::new(false));
    let logins = std::thread::spawn({
        let over = Arc::clone(&over);
        let sign_in = move |mut visitor: Visitor| {
            let over = Arc::clone(&over);
            async move {
                while !over.load(Ordering::Relaxed) {
                    ensure!(visitor.sign_in().await?.is_some(), "there were too few logins");
                }
                Ok(())
            }
        };
        move || load::runtime()?.block_on(load::concurrent_tasks(SIGNING_IN, visitors, sign_in))
    });
    let times = load::runtime()?.block_on(ask_steadily(target, QUIET_RATE, time));
    over.store(true, Ordering::Relaxed);
    logins.join().map_err(|_| anyhow!("the logins broke"))??;
    times
}

/// One connection that repeats the same request. It costs a fraction of the server's work, because a load generator
/// that is busier than the server would measure itself.
struct Checker {
    stream: TcpStream,
    request: String,
    answer: Vec<u8>,
}

impl Checker {
    async fn connect(target: &SessionCheck) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((new_address(), 0)))?;
        let stream = socket.connect(target.address).await?;
        stream.set_nodelay(true)?;
        let (path, port, cookie) = (paths::SESSION, target.address.port(), &target.cookie);
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nCookie: {cookie}\r\n\r\n");
        let mut checker = Self { stream, request, answer: vec![0; 8192] };
        // All answers of a session are as long as the first.
        let length = checker.once().await?;
        checker.answer.truncate(length);
        Ok(checker)
    }

    /// Sends the request once and returns the length of the answer, which arrives in one piece.
    async fn once(&mut self) -> Result<usize> {
        self.stream.write_all(self.request.as_bytes()).await?;
        Ok(self.stream.read(&mut self.answer).await?)
    }

    async fn check(&mut self) -> Result<()> {
        self.stream.write_all(self.request.as_bytes()).await?;
        self.stream.read_exact(&mut self.answer).await?;
        ensure!(self.answer.starts_with(b"HTTP/1.1 200 "), "a session check was refused");
        Ok(())
    }
}

/// Returns the median of the 99th percentiles of all seconds, so that one stall of the machine does not dominate.
fn p99(times: &[Taken]) -> f64 {
    let of = |second| {
        let mut times: Vec<f64> = times.iter().filter(|taken| taken.second == second).map(|taken| taken.ms).collect();
        times.sort_by(f64::total_cmp);
        times.get(times.len() * 99 / 100).copied()
    };
    median(&(0..SECONDS).filter_map(of).collect::<Vec<_>>())
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}
