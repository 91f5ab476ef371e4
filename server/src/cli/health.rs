//! `postern health`: the health check of a container image, which has no other program.

use super::outcome::{Failure, Outcome};
use crate::config::Config;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Time limit for the answer, longer than the server waits for its database.
const TIMEOUT: Duration = Duration::from_secs(4);
/// Maximum size of the answer in bytes. It has some hundred.
const LONGEST: u64 = 16 * 1024;

/// Asks the running server whether it is ready.
///
/// # Errors
/// The server does not answer on `operator.listen`, or says which part is not ready.
pub(super) async fn run(config: Config) -> Outcome {
    let Some(address) = config.settings.operator.listen.0 else {
        return Err("operator.listen is off, so the server's state is not available".into());
    };
    let address = reachable(address);
    let answer = timeout(TIMEOUT, ask(address))
        .await
        .map_err(|_| format!("the server does not answer on {address} (operator.listen)"))?;
    let answer =
        answer.map_err(|error| format!("no server listens on {address} (operator.listen): {error}. Is it running?"))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if head.split(' ').nth(1) == Some("200") {
        println!("ready");
        return Ok(());
    }
    Err(format!("not ready: {}", body.trim()).into())
}

/// Sends the request by HTTP/1.0, so that the server closes the connection after its answer.
async fn ask(address: SocketAddr) -> Result<String, Failure> {
    let mut connection = TcpStream::connect(address).await?;
    connection.write_all(format!("GET /readyz HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes()).await?;
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
