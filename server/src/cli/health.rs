//! `postern health`: the health check of a container image, which has no other program.

use super::outcome::{Failure, Outcome};
use crate::config::{Config, ListenSetting, Settings, TimeServerSettings};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Time limit for the answer, longer than the server waits for its database.
const TIMEOUT: Duration = Duration::from_secs(4);
/// Maximum size of the answer in bytes. It has some hundred.
const LONGEST: u64 = 16 * 1024;

#[derive(Debug, clap::Args)]
pub(super) struct HealthArgs {
    /// The program to ask
    #[arg(value_enum, value_name = "PROGRAM", default_value_t = CheckedProgram::Portal)]
    program: CheckedProgram,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum CheckedProgram {
    /// The portal: whether it is ready, by operator.listen
    Portal,
    /// The paid gate: whether it answers, by toll.operator_listen
    Gate,
    /// The time server: whether it answers, by operator_listen in time-server.toml
    TimeServer,
}

impl HealthArgs {
    /// Whether the program is the time server, which has a settings file of its own.
    pub(super) fn asks_time_server(&self) -> bool {
        matches!(self.program, CheckedProgram::TimeServer)
    }
}

/// Asks the running server whether it is ready, or the running gate whether it answers.
///
/// # Errors
/// The program does not answer on its address for monitoring, or says which part is not ready.
pub(super) async fn run(config: Config, args: HealthArgs) -> Outcome {
    let Settings { operator, toll, .. } = &config.settings;
    if matches!(args.program, CheckedProgram::Portal) {
        return check("server", "operator.listen", operator.listen, "/readyz").await;
    }
    // A gate that is not ready still serves requests that were paid for, so a restart would do harm.
    check("gate", "toll.operator_listen", toll.operator_listen, "/healthz").await
}

/// Asks the running time server whether it answers.
///
/// # Errors
/// As [`run`].
pub(super) async fn time_server(settings: TimeServerSettings) -> Outcome {
    check("time server", "operator_listen", settings.operator_listen, "/healthz").await
}

async fn check(name: &str, setting: &str, listen: ListenSetting, path: &str) -> Outcome {
    let Some(address) = listen.0 else {
        return Err(format!("{setting} is off, so the {name}'s state is not available").into());
    };
    let address = reachable(address);
    let answer = timeout(TIMEOUT, ask(address, path))
        .await
        .map_err(|_| format!("the {name} does not answer on {address} ({setting})"))?;
    let answer =
        answer.map_err(|error| format!("no {name} listens on {address} ({setting}): {error}. Is it running?"))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if head.split(' ').nth(1) == Some("200") {
        println!("{}", if path == "/readyz" { "ready" } else { "alive" });
        return Ok(());
    }
    Err(format!("not ready: {}", body.trim()).into())
}

/// Sends the request by HTTP/1.0, so that the server closes the connection after its answer.
async fn ask(address: SocketAddr, path: &str) -> Result<String, Failure> {
    let mut connection = TcpStream::connect(address).await?;
    connection.write_all(format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes()).await?;
    let mut answer = Vec::new();
    connection.take(LONGEST).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Returns an address that a connection can use. A server that listens on every address listens on loopback too.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_every_address_is_asked_on_loopback() {
        for (listen, asked) in
            [("0.0.0.0:3001", "127.0.0.1:3001"), ("[::]:3001", "[::1]:3001"), ("10.0.0.1:3001", "10.0.0.1:3001")]
        {
            assert_eq!(Ok(reachable(listen.parse().expect("an address"))), asked.parse());
        }
    }
}
