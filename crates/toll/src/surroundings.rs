//! What comes from outside.

use async_trait::async_trait;
use domain::UnixMs;
use domain::forwarded::Unreadable;
use http::HeaderMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// Whom a peer speaks for, by the headers of its request. An error: the peer is trusted to say so, and it is not
/// readable.
pub type Client = dyn Fn(IpAddr, &HeaderMap) -> Result<IpAddr, Unreadable> + Send + Sync;

/// Fills the bytes with what nobody can guess.
pub type Random = dyn Fn(&mut [u8]) + Send + Sync;

/// Knows who is signed in.
#[async_trait]
pub trait Portal: Send + Sync {
    /// Whether a request comes from somebody with a session. `false` too where that cannot be found out.
    async fn is_signed_in(&self, headers: &HeaderMap) -> bool;
}

/// Time, chance, and who a peer speaks for.
#[derive(Clone)]
pub struct Surroundings {
    /// Unix milliseconds.
    pub now: Arc<dyn Fn() -> UnixMs + Send + Sync>,
    pub random: Arc<Random>,
    /// The client's address: the peer's, unless the peer is a proxy that is trusted to speak for others.
    pub client: Arc<Client>,
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Surroundings(..)")
    }
}
