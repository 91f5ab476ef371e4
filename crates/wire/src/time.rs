//! The time server's protocol: the same messages in WebSocket frames and behind length prefixes.
//!
//! The server speaks first, with a [`Greeting`]; the client answers with a [`Hello`]. Both are JSON.
//! Every message after these is sealed by the `channel` crate; inside are [`Command`] and [`Answer`].

use serde::{Deserialize, Serialize};

/// The WebSocket's path.
pub const PATH: &str = "/time";
/// The WebSocket's subprotocol (RFC 6455, section 1.9).
pub const SUBPROTOCOL: &str = "postern-time.v1";
/// The name that the service has unless the config says otherwise; the `aud` of its tickets.
pub const SERVICE: &str = "time";
/// No message is longer, prefix excluded.
pub const LONGEST_MESSAGE: usize = 4096;
/// `htm` of the proof in a [`Hello`].
pub const PROOF_METHOD: &str = "HELLO";

/// The server's first words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Greeting {
    /// 32 bytes, base64url: fresh for this connection.
    pub server_random: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    pub ticket: String,
    /// 32 bytes, base64url: fresh for this connection.
    pub client_random: String,
    /// A proof (RFC 9449) by the client key that the ticket names: `htm` is `HELLO`, `htu` the
    /// service's name, `nonce` the server's random, `ath` the hash of the ticket (section 4.2).
    pub proof: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// What time is it?
    Time,
    /// A newer ticket of the same session: the connection may run as long as that one says.
    Renew { ticket: String },
    /// Goodbye.
    Exit,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    Time {
        /// RFC 3339 with nanoseconds, UTC: when the answer was made.
        time: String,
        /// How long the server took between reading the command and writing this, in nanoseconds: what
        /// the client takes off its round trip.
        held_ns: u64,
    },
    Renewed {
        /// Unix milliseconds.
        until: i64,
    },
    /// The last word of the server. On a WebSocket the close frame's reason says the same.
    Closed { reason: CloseReason },
}

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseReason {
    /// `exit`.
    Goodbye,
    /// The server is being stopped.
    GoingAway,
    /// The ticket is not for this service, not whole, or not of this auth server.
    BadTicket,
    TicketExpired,
    /// The proof is not by the key that the ticket names, or not over this connection.
    BadProof,
    /// The key's time is over: come back with a new ticket.
    KeyEnded,
    /// A frame that was read before.
    Replayed,
    /// A frame before its turn.
    OutOfOrder,
    /// A frame that this connection's key did not seal for this direction.
    Unreadable,
    /// A frame too short to be one.
    Truncated,
    TooLarge,
    /// What was sealed is no command.
    BadCommand,
    /// Nothing came for too long.
    TooSlow,
    /// As many connections as the server takes.
    Full,
    /// The page is not of an origin that the config names.
    BadOrigin,
    /// The server cannot judge tickets now: the auth server's keys are not to be had.
    Unavailable,
    /// A reason of a newer version.
    #[serde(other)]
    Unknown,
}
