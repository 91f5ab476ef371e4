//! The environment: time, randomness, client addresses.

use async_trait::async_trait;
use domain::UnixMs;
use domain::forwarded::UnreadableForwarded;
use http::HeaderMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// Returns the client's address for a peer and the headers of its request. An error: the peer is trusted to name the
/// client, and the name is not readable.
pub(crate) type ClientAddressFn = dyn Fn(IpAddr, &HeaderMap) -> Result<IpAddr, UnreadableForwarded> + Send + Sync;

/// Fills the bytes with random values.
pub(crate) type RandomFn = dyn Fn(&mut [u8]) + Send + Sync;

/// Access to the portal's sessions.
#[async_trait]
pub trait PortalSessions: Send + Sync {
    /// Whether a request has a live session. Returns `false` if this cannot be determined.
    async fn is_signed_in(&self, headers: &HeaderMap) -> bool;
}

/// Time, randomness, and the client's address.
#[derive(Clone)]
pub struct Environment {
    /// The current time.
    pub now: Arc<dyn Fn() -> UnixMs + Send + Sync>,
    pub random: Arc<RandomFn>,
    /// Returns the client's address: the peer's, unless the peer is a trusted proxy.
    pub client: Arc<ClientAddressFn>,
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Surroundings(..)")
    }
}
