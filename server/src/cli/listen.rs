//! Addresses to listen on, and what to do where one is taken.

use super::Failure;
use std::io::ErrorKind;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// How many ports are tried in the search for a free one, and how far they lie apart.
const OTHERS: u16 = 50;
const APART: u16 = 100;

/// An address that a part of the program is to listen on.
#[derive(Debug, Clone)]
pub struct Place {
    /// What listens there: "the portal".
    pub what: &'static str,
    pub address: SocketAddr,
    /// The flags that choose another one, with `{port}` in place of its port.
    pub flags: &'static str,
}

impl Place {
    /// # Errors
    /// The address is taken or not ours: a sentence that names it, and flags that choose another.
    pub async fn listen(&self) -> Result<TcpListener, Failure> {
        TcpListener::bind(self.address).await.map_err(|error| self.refused(&error).into())
    }

    fn refused(&self, error: &std::io::Error) -> String {
        let Self { what, address, flags } = self;
        let why = match error.kind() {
            ErrorKind::AddrInUse => format!("another program listens on {address} already"),
            ErrorKind::AddrNotAvailable => format!("{address} is no address of this machine"),
            ErrorKind::PermissionDenied => format!("this account may not listen on {address}"),
            _ => format!("{address}: {error}"),
        };
        let flags = flags.replace("{port}", &another(*address).to_string());
        format!("{what} cannot listen: {why}. Choose another with {flags}")
    }
}

/// Tries all of them, and gives them back: nothing is begun where one is taken.
///
/// # Errors
/// Names each that is taken.
pub fn all_free(places: &[Place]) -> Result<(), Failure> {
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

/// A port that is free now, near the one that is taken.
fn another(taken: SocketAddr) -> u16 {
    let near = (1..=OTHERS).filter_map(|step| taken.port().checked_add(step * APART));
    let is_free = |port: &u16| std::net::TcpListener::bind((taken.ip(), *port)).is_ok();
    near.into_iter().find(is_free).unwrap_or_default()
}
