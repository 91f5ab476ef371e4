//! The commands of SMTP, each with its reply.

use crate::credentials::Credentials;
use crate::error::{Cause, Step};
use crate::message::dot_stuffed;
use crate::reply::Reply;
use crate::reply_reader;
use base64ct::{Base64, Encoding};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};

pub(crate) struct Conversation<S> {
    stream: BufReader<S>,
    /// The last answer to `EHLO`.
    offers: Reply,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Conversation<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream: BufReader::new(stream), offers: Reply { code: 0, lines: Vec::new() } }
    }

    pub(crate) async fn greeting(&mut self, step: &mut Step) -> Result<(), Cause> {
        *step = Step::Greeting;
        self.expect(220).await.map(drop)
    }

    pub(crate) async fn hello(&mut self, name: &str, step: &mut Step) -> Result<(), Cause> {
        *step = Step::Hello;
        self.offers = self.command(&format!("EHLO {name}"), 250).await?;
        Ok(())
    }

    /// Returns the stream, on which TLS begins.
    pub(crate) async fn start_tls(mut self, step: &mut Step) -> Result<S, Cause> {
        *step = Step::StartTls;
        if self.offers.extension("STARTTLS").is_none() {
            return Err(Cause::NoStartTls);
        }
        self.command("STARTTLS", 220).await?;
        // Otherwise a text that was inserted before encryption would count as received after it (CVE-2011-0411).
        if self.stream.buffer().is_empty() { Ok(self.stream.into_inner()) } else { Err(Cause::EarlyBytes) }
    }

    pub(crate) async fn authenticate(&mut self, credentials: &Credentials, step: &mut Step) -> Result<(), Cause> {
        *step = Step::Authenticate;
        let Credentials { username, password } = credentials;
        let mechanisms = self.offers.extension("AUTH").unwrap_or_default().to_ascii_uppercase();
        let offers = |name| mechanisms.split_ascii_whitespace().any(|offered| offered == name);
        if offers("PLAIN") {
            let response = Base64::encode_string(format!("\0{username}\0{password}").as_bytes());
            self.command(&format!("AUTH PLAIN {response}"), 235).await.map(drop)
        } else if offers("LOGIN") {
            self.command("AUTH LOGIN", 334).await?;
            self.command(&Base64::encode_string(username.as_bytes()), 334).await?;
            self.command(&Base64::encode_string(password.as_bytes()), 235).await.map(drop)
        } else {
            Err(Cause::NoAuthentication)
        }
    }

    /// Sends the message and returns the answer that accepts it.
    pub(crate) async fn deliver(
        &mut self,
        from: &str,
        to: &str,
        bytes: &[u8],
        step: &mut Step,
    ) -> Result<Reply, Cause> {
        *step = Step::Sender;
        self.command(&format!("MAIL FROM:<{from}>"), 250).await?;
        *step = Step::Recipient;
        // 251: the server forwards it.
        self.write(format!("RCPT TO:<{to}>\r\n").as_bytes()).await?;
        match reply_reader::read(&mut self.stream).await? {
            reply if matches!(reply.code, 250 | 251) => {}
            reply => return Err(Cause::Refused(reply)),
        }
        *step = Step::Content;
        self.command("DATA", 354).await?;
        self.write(&dot_stuffed(bytes)).await?;
        self.expect(250).await
    }

    /// Ends the conversation. The message is already accepted, so no failure matters.
    pub(crate) async fn quit(&mut self) {
        let _ = self.write(b"QUIT\r\n").await;
        let _ = self.stream.shutdown().await;
    }

    async fn command(&mut self, line: &str, code: u16) -> Result<Reply, Cause> {
        self.write(format!("{line}\r\n").as_bytes()).await?;
        self.expect(code).await
    }

    async fn expect(&mut self, code: u16) -> Result<Reply, Cause> {
        let reply = reply_reader::read(&mut self.stream).await?;
        if reply.code == code { Ok(reply) } else { Err(Cause::Refused(reply)) }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Cause> {
        self.stream.write_all(bytes).await?;
        Ok(self.stream.flush().await?)
    }
}
