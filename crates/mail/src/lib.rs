//! Sends one plain-text message over SMTP (RFC 5321) with verified TLS, and reports the server's answer to each
//! command.

mod conversation;
mod credentials;
mod error;
mod message;
mod reply;
mod reply_reader;
mod server;
mod tls;

pub use credentials::Credentials;
pub use error::{SendError, Step};
pub use message::Message;
pub use server::{MailServer, Receipt, Security};
pub use tls::{TlsError, TlsTrust};
