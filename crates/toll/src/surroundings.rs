//! The environment: time, randomness, client addresses.

use async_trait::async_trait;
use domain::UnixMs;
use domain::forwarded::Unreadable;
use http::HeaderMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// Returns the client's address for a peer and the headers of its request. An error: the peer is trusted to say so, and it is not
/// readable.
pub type Client = dyn Fn(IpAddr, &HeaderMap) -> Result<IpAddr, Unreadable> + Send + Sync;

/// Fills the bytes with random values.
pub type Random = dyn Fn(&mut [u8]) + Send + Sync;

/// Access to the portal's sessions.
#[async_trait]
pub trait Portal: Send + Sync {
    /// Whether a request has a live session. Returns `false` if this cannot be determined.
    async fn is_signed_in(&self, headers: &HeaderMap) -> bool;
}

/// Time, randomness, and the client's address.
#[derive(Clone)]
pub struct Surroundings {
    /// Unix milliseconds.
    pub now: Arc<dyn Fn() -> UnixMs + Send + Sync>,
    pub random: Arc<Random>,
    /// Returns the client's address: the peer's, unless the peer is a trusted proxy.
    pub client: Arc<Client>,
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Surroundings(..)")
    }
}
