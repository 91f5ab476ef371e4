#![doc = include_str!("../README.md")]

mod body;
mod connection_table;
mod connections;
mod files;
mod headers;
mod http;
mod log;
mod meter;
pub mod proxy_protocol;
mod stream;
mod target;
mod tls;

pub use body::{RequestBody, ResponseBody};
pub use connections::{ConnectionLimits, ConnectionPermit, ConnectionRefused, ConnectionSettings};
pub use files::{OpenFileLimit, fit};
pub use headers::{single_header, single_value};
pub use http::{HttpSettings, serve, settled};
pub use log::{KEPT, LogRate};
pub use meter::MinimumRate;
pub use stream::PermittedStream;
pub use tls::{Tls, TlsError, Validity, validity};

use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// Waits for the next connection and sets `TCP_NODELAY`.
///
/// # Errors
/// None: a failed accept is logged, and the next connection is awaited.
pub async fn accept(listener: &TcpListener) -> (TcpStream, std::net::SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let _ = stream.set_nodelay(true);
                return (stream, peer);
            }
            Err(error) => {
                tracing::error!(cause = %error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}
