//! The time server's protocol, with the same messages in WebSocket frames and after length prefixes.
//!
//! The server begins with a [`Greeting`]; the client answers with a [`Hello`]. Both are JSON. Every later message is
//! encrypted by the `channel` crate and contains a [`Command`] or an [`Answer`].

use serde::{Deserialize, Serialize};

/// The WebSocket's path.
pub const PATH: &str = "/time";
/// The WebSocket's subprotocol (RFC 6455, section 1.9).
pub const SUBPROTOCOL: &str = "postern-time.v1";
/// The service's default name; the `aud` of its tickets.
pub const SERVICE: &str = "time";
/// Maximum length of a message, without its prefix.
pub const LONGEST_MESSAGE: usize = 4096;
/// `htm` of the proof in a [`Hello`].
pub const PROOF_METHOD: &str = "HELLO";

/// The server's first message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Greeting {
    /// 32 random bytes, base64url, new for this connection.
    pub server_random: String,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    pub ticket: String,
    /// 32 random bytes, base64url, new for this connection.
    pub client_random: String,
    /// A proof (RFC 9449) by the client key in the ticket. `htm` is `HELLO`, `htu` the service's name, `nonce` the
    /// server's random value, `ath` the hash of the ticket (section 4.2).
    pub proof: String,
}

impl std::fmt::Debug for Hello {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hello(..)")
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Asks for the time.
    Time,
    /// Presents a newer ticket of the same session, which may extend the connection.
    Renew { ticket: String },
    /// Ends the connection.
    Exit,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    Time {
        /// RFC 3339 with nanoseconds, UTC: when the answer was made.
        time: String,
        /// Nanoseconds between reading the command and writing this. The client subtracts them from its round trip.
        held_ns: u64,
    },
    Renewed {
        /// Unix milliseconds.
        until: i64,
    },
    /// The server's last message. On a WebSocket the close frame has the same reason.
    Closed { reason: CloseReason },
}

/// The reason for the end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseReason {
    /// The client sent `exit`.
    Goodbye,
    /// The server is stopping.
    GoingAway,
    /// The ticket is invalid, for another service, or from another auth server.
    BadTicket,
    TicketExpired,
    /// The proof is not by the ticket's key, or not for this connection.
    BadProof,
    /// The key has expired: return with a new ticket.
    KeyEnded,
    /// A repeated frame.
    Replayed,
    /// A frame out of order.
    OutOfOrder,
    /// A frame that was not encrypted by this connection's key for this direction.
    Unreadable,
    /// A frame that is too short.
    Truncated,
    TooLarge,
    /// The content is not a command.
    BadCommand,
    /// The client was silent for too long.
    TooSlow,
    /// The server has reached its maximum number of connections.
    Full,
    /// The page's origin is not allowed.
    BadOrigin,
    /// Tickets cannot be verified now, because the auth server's keys are not available.
    Unavailable,
    /// A reason from a newer version.
    #[serde(other)]
    Unknown,
}
