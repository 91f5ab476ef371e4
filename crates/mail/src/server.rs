//! A mail server that accepts messages for delivery.

use crate::conversation::Conversation;
use crate::credentials::Credentials;
use crate::error::{Cause, SendError, Step};
use crate::message::Message;
use crate::tls::{TlsError, TlsTrust};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

/// The encryption of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte, usually at port 465 (RFC 8314).
    Implicit,
    /// TLS after the command STARTTLS, usually at port 587 (RFC 3207). Nothing is sent if the server does not offer it.
    StartTls,
    /// No TLS, for a mail server on this machine.
    Off,
}

/// The mail server, with the parameters for sending it a message.
#[derive(Debug, Clone)]
pub struct MailServer {
    host: String,
    port: u16,
    security: Security,
    credentials: Option<Credentials>,
    /// The name of this machine in `EHLO`.
    hello: String,
    /// Time limit of one whole attempt.
    timeout: Duration,
    tls: Arc<ClientConfig>,
    name: ServerName<'static>,
}

/// The server's answer to a message that it accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    pub answer: String,
    /// The protocol version, such as `TLSv1_3`; `None`: without encryption.
    pub tls: Option<String>,
}

impl MailServer {
    /// Creates the connection's parameters.
    ///
    /// # Errors
    /// The certificates cannot be read, or `host` is neither a name nor an address.
    pub fn new(
        host: &str,
        port: u16,
        security: Security,
        credentials: Option<Credentials>,
        hello: &str,
        timeout: Duration,
        trust: &TlsTrust,
    ) -> Result<Self, TlsError> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| TlsError::Rustls(tokio_rustls::rustls::Error::General(error.to_string())))?;
        let (host, hello) = (host.to_owned(), hello_name(hello));
        Ok(Self { host, port, security, credentials, hello, timeout, tls: trust.config()?, name })
    }

    /// Sends one message. If an error occurs after the message was sent, the server may have accepted it anyway.
    ///
    /// # Errors
    /// The step that failed, with the server's answer.
    pub async fn send(&self, message: &Message) -> Result<Receipt, SendError> {
        let mut step = Step::Connect;
        match tokio::time::timeout(self.timeout, self.attempt(message, &mut step)).await {
            Ok(Ok(receipt)) => Ok(receipt),
            Ok(Err(cause)) => Err(SendError { step, cause }),
            Err(_) => Err(SendError { step, cause: Cause::Stalled(self.timeout) }),
        }
    }

    async fn attempt(&self, message: &Message, step: &mut Step) -> Result<Receipt, Cause> {
        let bytes = message.bytes()?;
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        match self.security {
            Security::Off => {
                let mut conversation = Conversation::new(stream);
                conversation.greeting(step).await?;
                conversation.hello(&self.hello, step).await?;
                self.hand_over(conversation, message, &bytes, None, step).await
            }
            Security::StartTls => {
                let mut conversation = Conversation::new(stream);
                conversation.greeting(step).await?;
                conversation.hello(&self.hello, step).await?;
                let stream = conversation.start_tls(step).await?;
                self.hand_over_encrypted(stream, false, message, &bytes, step).await
            }
            Security::Implicit => self.hand_over_encrypted(stream, true, message, &bytes, step).await,
        }
    }

    async fn hand_over_encrypted(
        &self,
        stream: TcpStream,
        greets: bool,
        message: &Message,
        bytes: &[u8],
        step: &mut Step,
    ) -> Result<Receipt, Cause> {
        *step = Step::Tls;
        let stream = TlsConnector::from(Arc::clone(&self.tls)).connect(self.name.clone(), stream).await?;
        let version = stream.get_ref().1.protocol_version().map(|version| format!("{version:?}"));
        let version = version.ok_or_else(|| io::Error::other("TLS was not negotiated"))?;
        let mut conversation = Conversation::new(stream);
        if greets {
            conversation.greeting(step).await?;
        }
        // The server's answers before encryption are ignored (RFC 3207, section 4.2).
        conversation.hello(&self.hello, step).await?;
        self.hand_over(conversation, message, bytes, Some(version), step).await
    }

    async fn hand_over<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(
        &self,
        mut conversation: Conversation<S>,
        message: &Message,
        bytes: &[u8],
        tls: Option<String>,
        step: &mut Step,
    ) -> Result<Receipt, Cause> {
        if let Some(credentials) = &self.credentials {
            conversation.authenticate(credentials, step).await?;
        }
        let reply = conversation.deliver(message.from.as_str(), message.to.as_str(), bytes, step).await?;
        conversation.quit().await;
        Ok(Receipt { answer: reply.to_string(), tls })
    }
}

/// Returns the argument of `EHLO`: a name as it is, an address as a literal (RFC 5321, section 4.1.3).
fn hello_name(host: &str) -> String {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse() {
        Ok(IpAddr::V4(address)) => format!("[{address}]"),
        Ok(IpAddr::V6(address)) => format!("[IPv6:{address}]"),
        Err(_) => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::hello_name;

    #[test]
    fn addresses_are_literals_in_ehlo() {
        for (host, name) in [
            ("auth.example", "auth.example"),
            ("192.168.1.5", "[192.168.1.5]"),
            ("[2001:db8::1]", "[IPv6:2001:db8::1]"),
            ("2001:db8::1", "[IPv6:2001:db8::1]"),
        ] {
            assert_eq!(hello_name(host), name);
        }
    }
}
