//! Sends one plain-text message over SMTP (RFC 5321) with verified TLS, and reports the server's answer to each command.

mod conversation;
mod error;
mod message;
mod reply;
mod server;
mod tls;

pub use error::{SendError, Step};
pub use message::Message;
pub use server::{Credentials, MailServer, Receipt, Security};
pub use tls::{TlsError, TlsTrust};
