//! The ways that messages travel.

mod tcp;
mod websocket;

pub use tcp::Tcp;
pub use websocket::{Origins, WebSocket};

use wire::time::{Answer, CloseReason};

/// One connection that carries messages.
pub trait Carrier: Send {
    /// The next message, in place of what `message` holds. A call that is dropped loses nothing.
    fn receive(&mut self, message: &mut Vec<u8>) -> impl Future<Output = Result<(), Ended>> + Send;

    /// Messages may wait here for each other until the next is received.
    fn send(&mut self, message: &[u8]) -> impl Future<Output = Result<(), Ended>> + Send;

    /// Sends what waits, says why, and gives the other end a moment to read it.
    fn close(self, reason: CloseReason) -> impl Future<Output = ()> + Send;
}

/// Why no message comes any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The other end has gone.
    Gone,
    /// We end it.
    Because(CloseReason),
}

impl From<CloseReason> for Ended {
    fn from(reason: CloseReason) -> Self {
        Self::Because(reason)
    }
}

/// The last word where nothing is sealed yet.
pub(crate) fn last_word(reason: CloseReason) -> Vec<u8> {
    // One name can always be written.
    serde_json::to_vec(&Answer::Closed { reason }).unwrap_or_default()
}
