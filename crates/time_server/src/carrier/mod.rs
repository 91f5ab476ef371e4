//! The transports of messages.

mod tcp;
mod websocket;

pub use tcp::Tcp;
pub use websocket::{Origins, WebSocket};

use wire::time::{Answer, CloseReason};

/// A connection that transports messages.
pub trait Carrier: Send {
    /// Receives the next message into `message`. Cancellation loses no data.
    fn receive(&mut self, message: &mut Vec<u8>) -> impl Future<Output = Result<(), CarrierError>> + Send;

    /// Queues a message; it may be sent only when the next one is received.
    fn send(&mut self, message: &[u8]) -> impl Future<Output = Result<(), CarrierError>> + Send;

    /// Sends queued messages and the reason, and gives the peer a moment to read it.
    fn close(self, reason: CloseReason) -> impl Future<Output = ()> + Send;
}

/// The reason why no further message arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CarrierError {
    /// The peer has disconnected.
    Gone,
    /// This side ends the connection.
    Because(CloseReason),
}

impl From<CloseReason> for CarrierError {
    fn from(reason: CloseReason) -> Self {
        Self::Because(reason)
    }
}

/// Returns the last message, in plain text.
pub(crate) fn closing_message(reason: CloseReason) -> Vec<u8> {
    // One name can always be serialized.
    serde_json::to_vec(&Answer::Closed { reason }).unwrap_or_default()
}
