//! A client for the time server over TCP, with a length of two bytes (big endian) before each message.

use crate::api::is_over;
use crate::{Error, Result, Session};
use channel::client::{Conversation, HelloDraft, ServerMessage, refusal};
use domain::UnixSeconds;
use domain::encoding::base64url;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use wire::time::{CloseReason, LONGEST_MESSAGE};

pub use channel::client::Reading;

/// Time limit for a message, longer than a slow network needs.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A client that asks for the time, connects when necessary, and presents new tickets in time.
#[derive(Debug)]
pub struct TimeServer<'a> {
    session: &'a Session,
    service: String,
    address: String,
    connection: Option<Connection>,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    conversation: Conversation,
    /// The user key's version.
    version: u32,
    /// The end of the connection, by the time server's clock.
    until: i64,
    /// The portal's time in unix seconds when it made the ticket; `None` after the first answer.
    fresh: Option<u64>,
    /// When to present a new ticket, by this machine's clock; unknown before the first answer.
    renew_at: Option<i64>,
}

impl<'a> TimeServer<'a> {
    pub fn new(session: &'a Session, service: &str, address: &str) -> Self {
        Self { session, service: service.to_owned(), address: address.to_owned(), connection: None }
    }

    /// Returns the user key's version of the connection.
    pub fn version(&self) -> Option<u32> {
        self.connection.as_ref().map(|connection| connection.version)
    }

    /// Returns the server's time. Reconnects once if the connection has ended, because the key was rotated or by the
    /// idle timeout.
    ///
    /// # Errors
    /// No ticket, no connection, or the server ended it.
    pub async fn time(&mut self) -> Result<Reading> {
        if self.connection.is_some() {
            match self.ask().await {
                Err(Error::Closed(_) | Error::Unreachable(..)) => {}
                result => return result,
            }
        }
        self.connection = Some(self.connect().await?);
        self.ask().await
    }

    /// Ends the connection with a message. If the server has closed it already, nothing happens.
    ///
    /// # Errors
    /// Never because of the connection.
    pub async fn exit(&mut self) -> Result<()> {
        let Some(mut connection) = self.connection.take() else { return Ok(()) };
        let frame = connection.conversation.exit().map_err(Error::Closed)?;
        let said = self.write(&mut connection.stream, &frame).await;
        let received = said.and(self.receive(&mut connection).await.map(drop));
        match received {
            Err(Error::Closed(_) | Error::Unreachable(..)) => Ok(()),
            received => received,
        }
    }

    async fn connect(&self) -> Result<Connection> {
        let environment = self.session.environment();
        let (issued, made) = self.session.ticket_and_time(&self.service).await?;
        let key = self.session.user_key(Some(issued.version)).await?;
        let connecting = timeout(TIMEOUT, TcpStream::connect(&self.address)).await;
        let mut stream = connecting.unwrap_or_else(|late| Err(late.into())).map_err(|error| self.unreachable(error))?;
        stream.set_nodelay(true).map_err(|error| self.unreachable(error))?;

        let greeting = self.read(&mut stream).await?;
        if let Some(reason) = refusal(&greeting) {
            return Err(Error::Closed(reason));
        }
        let foreign = |_| Error::Foreign(self.address.clone(), 0);
        let opening = HelloDraft::new(&greeting, &issued, &key, environment.bytes()?).map_err(foreign)?;
        let (signing, _) = self.session.keys().public();
        let id = base64url(&environment.bytes::<16>()?);
        let unsigned = opening.unsigned(&signing, &self.service, &id, environment.now() / 1000);
        let signature = self.session.keys().signing().sign(&unsigned);
        let (hello, conversation) = opening.hello(&unsigned, &signature).map_err(foreign)?;
        self.write(&mut stream, hello.as_bytes()).await?;
        Ok(Connection {
            stream,
            conversation,
            version: issued.version,
            until: issued.key_until,
            fresh: made,
            renew_at: None,
        })
    }

    async fn ask(&mut self) -> Result<Reading> {
        let Some(mut connection) = self.connection.take() else { return Err(Error::Closed(CloseReason::Unknown)) };
        if connection.renew_at.is_some_and(|at| self.session.environment().now() >= at) {
            self.renew(&mut connection).await?;
        }
        let frame = connection.conversation.ask(self.session.environment().now_ns()).map_err(Error::Closed)?;
        self.write(&mut connection.stream, &frame).await?;
        loop {
            let received = self.receive(&mut connection).await;
            if let ServerMessage::Time(reading) = received.map_err(|error| self.explain(error, connection.fresh))? {
                connection.fresh = None;
                // Half of the remaining time leaves room for retries. This needs no synchronised clocks.
                let left = (connection.until - reading.server_ns / 1_000_000).max(0);
                let now = self.session.environment().now();
                connection.renew_at.get_or_insert(now + left / 2);
                self.connection = Some(connection);
                return Ok(reading);
            }
        }
    }

    /// Presents a new ticket. Under a replaced key the connection continues to its end, and no ticket extends it.
    async fn renew(&self, connection: &mut Connection) -> Result<()> {
        connection.renew_at = Some(i64::MAX);
        let issued = match self.session.ticket(&self.service, Some(connection.version)).await {
            Err(error) if is_over(&error) => return Ok(()),
            result => result?,
        };
        let frame = connection.conversation.renew(issued.ticket).map_err(Error::Closed)?;
        self.write(&mut connection.stream, &frame).await?;
        let ServerMessage::Renewed { until } = self.receive(connection).await? else {
            return Err(Error::Closed(CloseReason::OutOfOrder));
        };
        if until > connection.until {
            connection.until = until;
            connection.renew_at = None;
        }
        Ok(())
    }

    async fn receive(&self, connection: &mut Connection) -> Result<ServerMessage> {
        let frame = self.read(&mut connection.stream).await?;
        if let Some(reason) = refusal(&frame) {
            return Err(Error::Closed(reason));
        }
        let now = self.session.environment().now_ns();
        match connection.conversation.decode(&frame, now).map_err(Error::Closed)? {
            ServerMessage::Closed(reason) => Err(Error::Closed(reason)),
            received => Ok(received),
        }
    }

    async fn read(&self, stream: &mut TcpStream) -> Result<Vec<u8>> {
        let reading = timeout(TIMEOUT, async {
            let length = usize::from(stream.read_u16().await?);
            if length > LONGEST_MESSAGE {
                return Err(std::io::ErrorKind::InvalidData.into());
            }
            let mut message = vec![0; length];
            stream.read_exact(&mut message).await.map(|_| message)
        });
        reading.await.unwrap_or_else(|late| Err(late.into())).map_err(|error| self.unreachable(error))
    }

    async fn write(&self, stream: &mut TcpStream, message: &[u8]) -> Result<()> {
        let length = u16::try_from(message.len()).map_err(|_| Error::Closed(CloseReason::TooLarge))?;
        let whole = [&length.to_be_bytes(), message].concat();
        stream.write_all(&whole).await.map_err(|error| self.unreachable(error))
    }

    fn explain(&self, error: Error, made: Option<u64>) -> Error {
        let (portal, here) = (self.session.http().server().origin(), self.session.environment().now() / 1000);
        explain(error, made, &self.address, &portal, u64::try_from(here).unwrap_or_default())
    }

    fn unreachable(&self, error: std::io::Error) -> Error {
        Error::Unreachable(self.address.clone(), error.into())
    }
}

/// Formats unix seconds as RFC 3339 in UTC.
fn moment(at: u64) -> String {
    let at = UnixSeconds::from_seconds(i64::try_from(at).unwrap_or(i64::MAX));
    humantime::format_rfc3339_seconds(at.to_millis().to_system_time()).to_string()
}

/// Explains an expired new ticket or key by different clocks. Arguments in unix seconds: the portal's time when it made
/// the ticket, and the time here.
fn explain(error: Error, made: Option<u64>, service: &str, portal: &str, here: u64) -> Error {
    match (error, made) {
        (Error::Closed(CloseReason::TicketExpired | CloseReason::KeyEnded), Some(made)) => Error::Clocks {
            service: service.to_owned(),
            portal: portal.to_owned(),
            there: moment(made),
            here: moment(here),
        },
        (error, _) => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_ticket_that_is_refused_as_old_names_both_clocks() {
        let explained = |reason, made| explain(Error::Closed(reason), made, "s.example:3003", "https://p.example", 5);
        for reason in [CloseReason::TicketExpired, CloseReason::KeyEnded] {
            let said = explained(reason, Some(1_795_240_000)).to_string();
            for word in ["s.example:3003", "https://p.example", "2026-11-21T05:46:40Z", "1970-01-01T00:00:05Z"] {
                assert!(said.contains(word), "{said}");
            }
            // Later in the connection, the reason is returned unchanged.
            assert!(matches!(explained(reason, None), Error::Closed(_)));
        }
        assert!(matches!(explained(CloseReason::Full, Some(1)), Error::Closed(_)));
        let late = explained(CloseReason::TicketExpired, Some(u64::MAX)).to_string();
        assert!(late.contains("9999-12-31T23:59:59Z"), "{late}");
    }
}
