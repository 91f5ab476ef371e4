//! Commands and answers until the connection ends.

use crate::carrier::{Carrier, CarrierError};
use crate::clock::millis;
use crate::open_connections::ConnectionGuard;
use crate::server::TimeServer;
use crate::tickets::{OpenedTicket, TicketHolder};
use channel::{Keys, Opener, Sealer};
use domain::UnixMs;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use tokio::sync::watch;
use wire::time::{Answer, CloseReason, Command};

/// RFC 3339 with nine digits, so that every answer has the same length.
const FORMAT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:9]Z");

/// The encoding of messages.
pub trait MessageChannel: Send {
    /// Decrypts a frame.
    ///
    /// # Errors
    /// The reason why the connection must end.
    fn open<'a>(&mut self, frame: &'a mut [u8]) -> Result<&'a [u8], CloseReason>;

    /// Encrypts a message.
    ///
    /// # Errors
    /// The message is too long.
    fn seal(&mut self, message: &[u8], frame: &mut Vec<u8>) -> Result<(), CloseReason>;
}

/// A channel that encrypts messages with the connection's keys.
#[derive(Debug)]
pub struct SealedChannel {
    sealer: Sealer,
    opener: Opener,
}

impl SealedChannel {
    pub fn new(keys: &Keys) -> Self {
        let (sealer, opener) = keys.server();
        Self { sealer, opener }
    }
}

impl MessageChannel for SealedChannel {
    fn open<'a>(&mut self, frame: &'a mut [u8]) -> Result<&'a [u8], CloseReason> {
        self.opener.open_in_place(frame)
    }

    fn seal(&mut self, message: &[u8], frame: &mut Vec<u8>) -> Result<(), CloseReason> {
        self.sealer.seal_into(message, frame)
    }
}

impl TimeServer {
    /// Answers commands until the connection ends.
    ///
    /// # Errors
    /// Always: the reason for the end.
    pub async fn converse(
        &self,
        carrier: &mut impl Carrier,
        channel: &mut impl MessageChannel,
        opened: OpenedTicket,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), CarrierError> {
        let clock = &*self.environment.clock;
        let presence = self.open_connections.enter(&opened);
        // Erases what only the start needed.
        let mut holder = opened.holder;
        let (mut frame, mut answer) = (Vec::new(), Vec::new());
        let mut last_message = clock.now();
        let mut alarm = clock.wait_until(holder.until.min(last_message + self.idle_ms));
        loop {
            tokio::select! {
                biased;
                received = carrier.receive(&mut frame) => received?,
                () = &mut alarm => {
                    let now = clock.now();
                    in_time(&holder, now)?;
                    if now >= last_message + self.idle_ms {
                        return Err(CloseReason::TooSlow.into());
                    }
                    alarm = clock.wait_until(holder.until.min(last_message + self.idle_ms));
                    continue;
                }
                reason = presence.ended() => return Err(reason.into()),
                _ = stop.wait_for(|stop| *stop) => return Err(CloseReason::GoingAway.into()),
            }
            let read_ns = clock.now_ns();
            last_message = millis(read_ns);
            // A client that never pauses would never reach the other branches.
            in_time(&holder, last_message)?;
            if let Some(reason) = presence.reason() {
                return Err(reason.into());
            }
            if *stop.borrow() {
                return Err(CloseReason::GoingAway.into());
            }
            let command = serde_json::from_slice(channel.open(&mut frame)?).map_err(|_| CloseReason::BadCommand)?;
            let said = match command {
                Command::Time => self.time(read_ns)?,
                Command::Renew { ticket } => {
                    holder = self.renew(&holder, &ticket, &presence).await?;
                    alarm = clock.wait_until(holder.until.min(last_message + self.idle_ms));
                    Answer::Renewed { until: holder.until.as_millis() }
                }
                Command::Exit => return Err(CloseReason::Goodbye.into()),
            };
            send(&said, carrier, channel, &mut answer).await?;
            if frame.capacity() > 1024 {
                frame = Vec::new();
            }
        }
    }

    fn time(&self, read_ns: i64) -> Result<Answer, CloseReason> {
        let now_ns = self.environment.clock.now_ns();
        let time = OffsetDateTime::from_unix_timestamp_nanos(now_ns.into()).ok();
        let time = time.and_then(|time| time.format(FORMAT).ok()).ok_or(CloseReason::Unavailable)?;
        Ok(Answer::Time { time, held_ns: now_ns.abs_diff(read_ns) })
    }

    /// Accepts a newer ticket of the same person, session and keys.
    async fn renew(
        &self,
        holder: &TicketHolder,
        ticket: &str,
        presence: &ConnectionGuard<'_>,
    ) -> Result<TicketHolder, CloseReason> {
        let newer = self.tickets.open(ticket, self.environment.clock.now()).await?;
        if (TicketHolder { until: newer.holder.until, ..holder.clone() }) != newer.holder {
            return Err(CloseReason::BadTicket);
        }
        presence.renew(&newer);
        Ok(newer.holder)
    }
}

/// Encrypts and sends an answer.
pub(crate) async fn send(
    said: &Answer,
    carrier: &mut impl Carrier,
    channel: &mut impl MessageChannel,
    frame: &mut Vec<u8>,
) -> Result<(), CarrierError> {
    let message = serde_json::to_vec(said).map_err(|_| CloseReason::Unavailable)?;
    frame.clear();
    channel.seal(&message, frame)?;
    carrier.send(frame).await
}

fn in_time(holder: &TicketHolder, now: UnixMs) -> Result<(), CloseReason> {
    if now < holder.until { Ok(()) } else { Err(CloseReason::KeyEnded) }
}
