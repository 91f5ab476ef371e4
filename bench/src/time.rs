//! The time server: requests for each second of its processor's time, sealed and beside the same server without
//! sealing; and the cost of idle connections.

use crate::serving::{line, start_this};
use crate::table::{Rounds, Row, count, megabytes};
use crate::time_process::{COMMAND, TimeAddresses, keys};
use crate::wrk::{self, TICKS_PER_SECOND, pinned};
use crate::{load, machine};
use anyhow::{Context, Result, ensure};
use channel::{Opener, Sealer};
use std::net::Ipv4Addr;
use std::process::Child;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const TARGET: f64 = 0.85;
const ROUNDS: usize = 5;
/// Number of requests in each round, over all connections together.
const QUESTIONS: usize = 100_000;
const COMMAND_TIME: &[u8] = br#"{"command":"time"}"#;
const IDLE: usize = 10_000;
const IDLE_MB: f64 = 200.0;

struct TimeProcess {
    child: Child,
    addresses: TimeAddresses,
}

impl TimeProcess {
    fn start() -> Result<Self> {
        let (child, mut says) = start_this(COMMAND, pinned())?;
        let addresses = serde_json::from_str(&line(&mut says)?).context("the time server did not start")?;
        Ok(Self { child, addresses })
    }
}

impl Drop for TimeProcess {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}

pub(crate) fn measure() -> Result<Vec<Row>> {
    let process = TimeProcess::start()?;
    let one = compare("time, 1 connection, 1 question at a time", &process, 1, 1)?;
    let heaped = compare("time, 1 connection, 16 questions at a time", &process, 1, 16)?;
    let many = compare("time, 1,000 connections, 1 question at a time", &process, 1000, 1)?;
    drop(process);
    Ok(vec![one, heaped, many, idle()?])
}

fn compare(name: &str, process: &TimeProcess, connections: usize, at_a_time: usize) -> Result<Row> {
    let mut rounds = Rounds::default();
    for _ in 0..ROUNDS {
        let limit = per_cpu_second(process, false, connections, at_a_time)?;
        rounds.push(per_cpu_second(process, true, connections, at_a_time)?, limit);
    }
    let (row, ratio) = wrk::row(name, "not sealed", &rounds);
    Ok(row.at_least(ratio, TARGET))
}

fn per_cpu_second(process: &TimeProcess, sealed: bool, connections: usize, at_a_time: usize) -> Result<f64> {
    let port = if sealed { process.addresses.sealed } else { process.addresses.plain };
    let rounds = QUESTIONS / connections / at_a_time;
    load::runtime()?.block_on(async {
        let clients =
            load::concurrent_tasks(64, vec![port; connections], move |port| TimeClient::connect(port, sealed)).await?;
        let before = machine::cpu_ticks(process.child.id())?;
        let ask = move |mut client: TimeClient| async move {
            for _ in 0..rounds {
                client.ask(at_a_time).await?;
            }
            Ok(())
        };
        load::concurrent_tasks(connections, clients, ask).await?;
        let ticks = machine::cpu_ticks(process.child.id())? - before;
        Ok(count(rounds * at_a_time * connections) * TICKS_PER_SECOND / ticks)
    })
}

/// Measures connections that have asked once and are idle.
fn idle() -> Result<Row> {
    let process = TimeProcess::start()?;
    let port = process.addresses.sealed;
    load::runtime()?.block_on(async {
        let ask = |port| async move {
            let mut client = TimeClient::connect(port, true).await?;
            client.ask(1).await?;
            Ok(client)
        };
        let clients = load::concurrent_tasks(64, vec![port; IDLE], ask).await?;
        ensure!(clients.len() == IDLE, "{} connections", clients.len());
        let mb = machine::memory_mb(process.child.id(), "VmRSS")?;
        Ok(Row::at_most("memory of the time server, 10,000 idle connections", mb, IDLE_MB, megabytes))
    })
}

struct TimeClient {
    stream: TcpStream,
    sealed: Option<(Sealer, Opener)>,
    /// A buffer that is reused.
    bytes: Vec<u8>,
}

impl TimeClient {
    async fn connect(port: u16, sealed: bool) -> Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, sealed: sealed.then(|| keys().client()), bytes: Vec::new() })
    }

    /// Sends all requests in one write, and reads every answer.
    async fn ask(&mut self, questions: usize) -> Result<()> {
        self.bytes.clear();
        for _ in 0..questions {
            let question = match &mut self.sealed {
                Some((sealer, _)) => sealer.seal(COMMAND_TIME).ok().context("a question")?,
                None => COMMAND_TIME.to_vec(),
            };
            self.bytes.extend(u16::try_from(question.len())?.to_be_bytes());
            self.bytes.extend(question);
        }
        self.stream.write_all(&self.bytes).await?;
        self.bytes.clear();
        let mut answered = 0;
        while answered < questions {
            ensure!(self.stream.read_buf(&mut self.bytes).await? > 0, "the time server ended it");
            answered += self.take_answers()?;
        }
        Ok(())
    }

    /// Takes complete answers out of the received bytes, and checks each.
    fn take_answers(&mut self) -> Result<usize> {
        let (mut taken, mut answers) = (0, 0);
        while let Some((length, rest)) = self.bytes.get_mut(taken..).and_then(<[u8]>::split_first_chunk_mut::<2>) {
            let length = usize::from(u16::from_be_bytes(*length));
            let Some(answer) = rest.get_mut(..length) else { break };
            let answer = match &mut self.sealed {
                Some((_, opener)) => opener.open_in_place(answer).ok().context("an answer that does not open")?,
                None => answer,
            };
            ensure!(answer.starts_with(br#"{"answer":"time""#), "{}", String::from_utf8_lossy(answer));
            taken += 2 + length;
            answers += 1;
        }
        self.bytes.drain(..taken);
        Ok(answers)
    }
}
