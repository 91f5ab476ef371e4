//! The command lines of monerod and monero-wallet-rpc: on loopback, silent, isolated.

use crate::{Error, Result};
use std::io::{Error as IoError, ErrorKind};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

/// The required programs with their Debian packages.
const NEEDED: [(&str, &str); 5] = [
    ("monerod", "monero"),
    ("monero-wallet-rpc", "monero"),
    ("setpriv", "util-linux"),
    ("tar", "tar"),
    ("xz", "xz-utils"),
];

/// Checks that the required programs are installed. Starts nothing.
///
/// # Errors
/// [`Error::Missing`] names the first missing one.
pub fn are_installed() -> Result<()> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |program: &str| std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    match NEEDED.into_iter().find(|(program, _)| !is_there(program)) {
        Some((program, package)) => Err(Error::Missing { program, package }),
        None => Ok(()),
    }
}

/// Ports below those that the system gives to listeners and connections that ask for any port.
const PORTS: Range<u16> = 12_000..20_000;
/// Number of ports after which those of the next process begin.
const PORTS_EACH: u32 = 8;

/// Returns a free port of this machine that no other test gets before a program listens on it.
///
/// # Errors
/// None is free.
pub fn free_port() -> std::io::Result<u16> {
    static TRIED: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_mul(PORTS_EACH);
    for _ in PORTS {
        let number = first.wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed));
        let step = u16::try_from(number % u32::from(PORTS.end - PORTS.start)).unwrap_or_default();
        match TcpListener::bind((Ipv4Addr::LOCALHOST, PORTS.start + step)) {
            Ok(listener) => return Ok(listener.local_addr()?.port()),
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            Err(error) => return Err(error),
        }
    }
    Err(IoError::from(ErrorKind::AddrInUse))
}

pub(crate) fn monerod(directory: &Path, rpc: u16, peers: u16) -> Vec<String> {
    let data = directory.join("node").display().to_string();
    let (rpc, peers) = (rpc.to_string(), peers.to_string());
    // Without `--keep-fakechain` the chain is deleted at the start.
    [
        "--regtest --offline --fixed-difficulty 1 --keep-fakechain --no-igd --no-zmq --hide-my-port --non-interactive",
        "--rpc-ssl disabled --disable-dns-checkpoints --check-updates disabled --disable-rpc-ban",
        "--db-sync-mode fastest:async:1000 --log-level 0 --max-log-file-size 0 --max-concurrency 1",
        "--rpc-bind-ip 127.0.0.1 --p2p-bind-ip 127.0.0.1",
    ]
    .iter()
    .flat_map(|options| options.split(' ').map(str::to_owned))
    .chain(["--data-dir".to_owned(), data, "--rpc-bind-port".to_owned(), rpc])
    .chain(["--p2p-bind-port".to_owned(), peers])
    .collect()
}

pub(crate) fn wallet(directory: &Path, name: &str, node: u16, rpc: u16) -> Vec<String> {
    let path = |prefix: &str| directory.join(format!("{prefix}-{name}")).display().to_string();
    [
        "--trusted-daemon --rpc-bind-ip 127.0.0.1 --disable-rpc-login --rpc-ssl disabled --daemon-ssl disabled",
        "--log-level 0 --non-interactive --no-dns --max-concurrency 1",
    ]
    .iter()
    .flat_map(|options| options.split(' ').map(str::to_owned))
    .chain(["--daemon-address".to_owned(), format!("127.0.0.1:{node}"), "--rpc-bind-port".to_owned(), rpc.to_string()])
    .chain(["--wallet-dir".to_owned(), path("w"), "--log-file".to_owned(), path("log")])
    // By default it would share one in the home directory.
    .chain(["--shared-ringdb-dir".to_owned(), path("ring")])
    .collect()
}
