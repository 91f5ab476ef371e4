//! The reason why a message was not accepted.

use crate::reply::Reply;
use std::fmt;
use std::io;
use std::time::Duration;

/// The part of the conversation that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Connect,
    Greeting,
    Hello,
    StartTls,
    Tls,
    Authenticate,
    /// `MAIL FROM`.
    Sender,
    /// `RCPT TO`.
    Recipient,
    /// `DATA` and the message itself.
    Content,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connecting",
            Self::Greeting => "greeting",
            Self::Hello => "EHLO",
            Self::StartTls => "STARTTLS",
            Self::Tls => "TLS",
            Self::Authenticate => "AUTH",
            Self::Sender => "MAIL FROM",
            Self::Recipient => "RCPT TO",
            Self::Content => "DATA",
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Cause {
    #[error("the server answered: {0}")]
    Refused(Reply),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("no answer within {} s", .0.as_secs_f32())]
    Stalled(Duration),
    #[error("the answer is not SMTP")]
    NotSmtp,
    #[error("the server offers no STARTTLS, and nothing is sent without encryption")]
    NoStartTls,
    #[error("the server sent data before TLS began")]
    EarlyBytes,
    #[error("the server offers neither AUTH PLAIN nor AUTH LOGIN")]
    NoAuthentication,
}

/// A message that was not accepted, with the step and the server's answer.
#[derive(Debug, thiserror::Error)]
#[error("{step}: {cause}")]
pub struct SendError {
    pub step: Step,
    pub(crate) cause: Cause,
}

impl SendError {
    /// Whether the server refuses this recipient or this message, so that no later attempt would work (RFC 5321,
    /// section 4.2.1). The operator can correct a refused sender or password, and then later attempts may work.
    pub fn is_final(&self) -> bool {
        let about_message = matches!(self.step, Step::Recipient | Step::Content);
        about_message && matches!(&self.cause, Cause::Refused(reply) if reply.is_permanent())
    }

    /// Whether the failure concerns this message only: the server answered about it.
    pub fn is_about_message(&self) -> bool {
        matches!(self.step, Step::Recipient | Step::Content) && matches!(self.cause, Cause::Refused(_))
    }
}
