//! The conversation after the hello.

use super::estimate::{Reading, reading};
use crate::{Keys, Opener, Sealer};
use std::collections::VecDeque;
use wire::time::{Answer, CloseReason, Command};

/// Encodes commands and decodes answers.
#[derive(Debug)]
pub struct Conversation {
    sealer: Sealer,
    opener: Opener,
    /// The times of the outstanding requests, oldest first. Answers arrive in order.
    asked: VecDeque<i64>,
}

/// A message from the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerMessage {
    Time(Reading),
    /// The connection may continue until then, unix milliseconds.
    Renewed {
        until: i64,
    },
    /// The server's last message.
    Closed(CloseReason),
}

impl Conversation {
    pub(super) fn new(keys: &Keys) -> Self {
        let (sealer, opener) = keys.client();
        Self { sealer, opener, asked: VecDeque::new() }
    }

    /// Returns the frame that asks for the time.
    ///
    /// # Errors
    /// None: the command is short.
    pub fn ask(&mut self, now_ns: i64) -> Result<Vec<u8>, CloseReason> {
        let frame = self.encode(&Command::Time)?;
        self.asked.push_back(now_ns);
        Ok(frame)
    }

    /// Returns the frame that presents a newer ticket.
    ///
    /// # Errors
    /// [`CloseReason::TooLarge`].
    pub fn renew(&mut self, ticket: String) -> Result<Vec<u8>, CloseReason> {
        self.encode(&Command::Renew { ticket })
    }

    /// Returns the frame that ends the connection.
    ///
    /// # Errors
    /// None: the command is short.
    pub fn exit(&mut self) -> Result<Vec<u8>, CloseReason> {
        self.encode(&Command::Exit)
    }

    /// Decodes a frame of the server that arrived at `now_ns`.
    ///
    /// # Errors
    /// It is not the server's next frame, or not an answer: end the connection.
    pub fn decode(&mut self, frame: &[u8], now_ns: i64) -> Result<ServerMessage, CloseReason> {
        let message = self.opener.open(frame)?;
        match serde_json::from_slice(&message).map_err(|_| CloseReason::BadCommand)? {
            Answer::Time { time, held_ns } => {
                let asked = self.asked.pop_front().ok_or(CloseReason::OutOfOrder)?;
                reading(time, held_ns, asked, now_ns).map(ServerMessage::Time).ok_or(CloseReason::BadCommand)
            }
            Answer::Renewed { until } => Ok(ServerMessage::Renewed { until }),
            Answer::Closed { reason } => Ok(ServerMessage::Closed(reason)),
        }
    }

    fn encode(&mut self, command: &Command) -> Result<Vec<u8>, CloseReason> {
        let command = serde_json::to_vec(command).map_err(|_| CloseReason::BadCommand)?;
        self.sealer.seal(&command)
    }
}

/// Returns the reason, if this is the plain answer of a server that refuses the hello.
pub fn refusal(message: &[u8]) -> Option<CloseReason> {
    match serde_json::from_slice(message) {
        Ok(Answer::Closed { reason }) => Some(reason),
        _ => None,
    }
}
