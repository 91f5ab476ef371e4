//! Addresses to listen on, and advice if one is in use.

use super::Failure;
use std::io::ErrorKind;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Number of ports to try for a free one, and their distance.
const OTHERS: u16 = 50;
const APART: u16 = 100;

/// A listener's address and description.
#[derive(Debug, Clone)]
pub struct ListenAddress {
    /// Its name: "the portal".
    pub what: &'static str,
    pub address: SocketAddr,
    /// The flags that choose another address, with `{port}` for its port.
    pub flags: &'static str,
}

impl ListenAddress {
    /// Opens the listener.
    ///
    /// # Errors
    /// The address is in use or not of this machine. The error names it and the flags that choose another.
    pub async fn listen(&self) -> Result<TcpListener, Failure> {
        TcpListener::bind(self.address).await.map_err(|error| self.refused(&error).into())
    }

    fn refused(&self, error: &std::io::Error) -> String {
        let Self { what, address, flags } = self;
        let why = match error.kind() {
            ErrorKind::AddrInUse => format!("another program listens on {address} already"),
            ErrorKind::AddrNotAvailable => format!("{address} is not an address of this machine"),
            ErrorKind::PermissionDenied => format!("this account may not listen on {address}"),
            _ => format!("{address}: {error}"),
        };
        let port = if error.kind() == ErrorKind::AddrInUse { another(*address) } else { address.port() };
        let flags = flags.replace("{port}", &port.to_string());
        format!("{what} cannot listen: {why}. Choose another with {flags}")
    }
}

/// Tries all addresses and releases them, so that nothing starts if one is in use.
///
/// # Errors
/// Names each address that is in use.
pub fn all_free(places: &[ListenAddress]) -> Result<(), Failure> {
    let mut held = Vec::new();
    let mut refused = Vec::new();
    for place in places {
        match std::net::TcpListener::bind(place.address) {
            Ok(listener) => held.push(listener),
            Err(error) => refused.push(place.refused(&error)),
        }
    }
    if refused.is_empty() { Ok(()) } else { Err(refused.join("\npostern: ").into()) }
}

/// Finds a free port near the one in use.
fn another(taken: SocketAddr) -> u16 {
    let near = (1..=OTHERS).filter_map(|step| taken.port().checked_add(step * APART));
    let is_free = |port: &u16| std::net::TcpListener::bind((taken.ip(), *port)).is_ok();
    near.into_iter().find(is_free).unwrap_or_default()
}
