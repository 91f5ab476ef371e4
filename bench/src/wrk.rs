//! wrk on a route and on its bare twin, in requests per second of the server's processor time, because wall time
//! depends on other programs on a shared machine.

use crate::machine;
use crate::serving::Serving;
use crate::table::{Rounds, Row};
use anyhow::{Context, Result, ensure};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use tempfile::NamedTempFile;

const ROUNDS: usize = 5;
const SECONDS: u32 = 2;
const CONNECTIONS: u32 = 64;
/// Ticks per second of the processor time in /proc, on every Linux.
pub(crate) const TICKS_PER_SECOND: f64 = 100.0;

/// The request that wrk sends.
#[derive(Debug, Default)]
pub(crate) struct Ask {
    pub port: u16,
    pub path: &'static str,
    /// `Name: value`
    pub headers: Vec<String>,
    /// The posted body; `None`: it is a GET.
    pub body: Option<String>,
    /// Says something new each time.
    pub lines: Option<Lines>,
    /// Whether the answer is a 2xx.
    pub welcome: bool,
}

/// A header whose value is the next line of a file.
#[derive(Debug)]
pub(crate) struct Lines {
    pub header: &'static str,
    /// The text before each line in the header's value.
    pub before: &'static str,
    pub file: PathBuf,
}

pub(crate) fn start() -> Result<Serving> {
    ensure!(machine::has("wrk"), "no wrk here (Debian: apt-get install wrk)");
    Serving::start(pinned())
}

/// Measures a route and its bare twin. Returns the row, and its ratio for a target.
pub(crate) fn compare(name: &str, serving: &Serving, asked: &Ask, bare: &Ask) -> Result<(Row, f64)> {
    beside(name, (serving.pid(), asked), "bare axum", (serving.pid(), bare))
}

/// Measures a process and another one, or itself. Returns the row, and its ratio for a target.
pub(crate) fn beside(name: &str, asked: (u32, &Ask), other: &str, limit: (u32, &Ask)) -> Result<(Row, f64)> {
    let mut rounds = Rounds::default();
    for _ in 0..ROUNDS {
        let most = per_cpu_second(limit.0, limit.1)?;
        rounds.push(per_cpu_second(asked.0, asked.1)?, most);
    }
    Ok(row(name, other, &rounds))
}

/// Returns the row of some rounds, and its ratio for a target.
pub(crate) fn row(name: &str, other: &str, rounds: &Rounds) -> (Row, f64) {
    let (rate, limit) = rounds.median();
    let shown = |rate: f64| format!("{rate:.0} a CPU second");
    (Row::new(name, shown(rate)).beside(format!("{other} {}", shown(limit)), rate / limit), rate / limit)
}

pub(crate) fn per_cpu_second(pid: u32, ask: &Ask) -> Result<f64> {
    let before = machine::cpu_ticks(pid)?;
    let requests = run(ask)?;
    let ticks = machine::cpu_ticks(pid)? - before;
    Ok(requests * TICKS_PER_SECOND / ticks)
}

/// Writes the Lua script by which wrk makes each request different.
fn script(lines: &Lines) -> Result<NamedTempFile> {
    let mut script = NamedTempFile::new()?;
    write!(
        script,
        "local line = io.lines({:?})\n\
         function request()\n  \
           wrk.headers[{:?}] = {:?} .. line()\n  \
           return wrk.format()\n\
         end\n",
        lines.file.display().to_string(),
        lines.header,
        lines.before,
    )?;
    Ok(script)
}

/// Writes the Lua script by which wrk posts a body.
fn posting(body: &str) -> Result<NamedTempFile> {
    let mut script = NamedTempFile::new()?;
    write!(script, "wrk.method = \"POST\"\nwrk.body = {body:?}\n")?;
    Ok(script)
}

/// Returns the number of answered requests. Each must have the expected status.
fn run(ask: &Ask) -> Result<f64> {
    let mut command = if pinned() { Command::new("taskset") } else { Command::new("wrk") };
    if pinned() {
        command.args(["-c", "1", "wrk"]);
    }
    command.args(["-t1", &format!("-c{CONNECTIONS}"), &format!("-d{SECONDS}s")]);
    for header in &ask.headers {
        command.args(["-H", header]);
    }
    let script = match &ask.body {
        Some(body) => Some(posting(body)?),
        None => ask.lines.as_ref().map(script).transpose()?,
    };
    if let Some(script) = &script {
        command.arg("-s").arg(script.path());
    }
    let output = command.arg(format!("http://127.0.0.1:{}{}", ask.port, ask.path)).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let requests = text.lines().find_map(|line| line.split_once(" requests in ")?.0.trim().parse().ok());
    let refused = text.lines().find_map(|line| line.trim().strip_prefix("Non-2xx or 3xx responses: ")?.parse().ok());
    let (requests, refused): (f64, f64) = (requests.context("what wrk says")?, refused.unwrap_or(0.0));
    let expected = if ask.welcome { 0.0 } else { requests };
    ensure!((refused - expected).abs() < 1.0, "{} of {requests} answers to {} are no success", refused, ask.path);
    Ok(requests)
}

/// Whether each side has a core of its own, which needs two cores and `taskset`.
pub(crate) fn pinned() -> bool {
    machine::cores() > 1 && machine::has("taskset")
}
