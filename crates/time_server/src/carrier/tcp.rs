//! Messages behind two bytes of length, big endian.

use super::{Carrier, Ended};
use std::io::ErrorKind;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use wire::time::{CloseReason, LONGEST_MESSAGE};

const PREFIX: usize = 2;
/// Room for a command; a hello or a renewal takes more for as long as it is here.
const BUFFER: usize = 512;
/// Answers wait for each other up to this many bytes.
const FULL: usize = 8 * 1024;
/// How long the other end may take to read the last word.
const GOODBYE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct Tcp<S> {
    stream: S,
    read: Vec<u8>,
    /// How much of `read` was given away.
    taken: usize,
    write: Vec<u8>,
    /// How much of `write` is on its way.
    written: usize,
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Tcp<S> {
    pub fn new(stream: S) -> Self {
        Self { stream, read: Vec::new(), taken: 0, write: Vec::new(), written: 0 }
    }

    /// The next message, if all of it is here.
    fn at_hand(&mut self, message: &mut Vec<u8>) -> Result<bool, Ended> {
        let rest = self.read.get(self.taken..).unwrap_or_default();
        let Some((prefix, rest)) = rest.split_first_chunk::<PREFIX>() else { return Ok(false) };
        let length = usize::from(u16::from_be_bytes(*prefix));
        if length > LONGEST_MESSAGE {
            return Err(CloseReason::TooLarge.into());
        }
        let Some(content) = rest.get(..length) else { return Ok(false) };
        message.clear();
        message.extend_from_slice(content);
        self.taken += PREFIX + length;
        Ok(true)
    }

    async fn flush(&mut self) -> Result<(), Ended> {
        while let Some(rest) = self.write.get(self.written..).filter(|rest| !rest.is_empty()) {
            self.written += match self.stream.write(rest).await {
                Ok(0) | Err(_) => return Err(Ended::Gone),
                Ok(written) => written,
            };
        }
        self.written = 0;
        empty(&mut self.write);
        Ok(())
    }

    async fn read_more(&mut self) -> Result<(), Ended> {
        self.read.drain(..self.taken);
        self.taken = 0;
        if self.read.is_empty() {
            empty(&mut self.read);
        }
        self.read.reserve(BUFFER);
        match self.stream.read_buf(&mut self.read).await {
            Ok(0) | Err(_) => Err(Ended::Gone),
            Ok(_) => Ok(()),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Carrier for Tcp<S> {
    async fn receive(&mut self, message: &mut Vec<u8>) -> Result<(), Ended> {
        while !self.at_hand(message)? {
            self.flush().await?;
            self.read_more().await?;
        }
        Ok(())
    }

    async fn send(&mut self, message: &[u8]) -> Result<(), Ended> {
        let length = u16::try_from(message.len()).map_err(|_| CloseReason::TooLarge)?;
        self.write.extend_from_slice(&length.to_be_bytes());
        self.write.extend_from_slice(message);
        if self.write.len() >= FULL { self.flush().await } else { Ok(()) }
    }

    /// What the other end still sends is read and forgotten: a socket that is closed over unread bytes
    /// takes the last word back.
    async fn close(mut self, _: CloseReason) {
        let goodbye = async {
            self.flush().await.ok()?;
            self.stream.shutdown().await.ok()?;
            let mut rest = [0; BUFFER];
            loop {
                match self.stream.read(&mut rest).await {
                    Ok(0) => return Some(()),
                    Err(error) if error.kind() != ErrorKind::Interrupted => return None,
                    _ => {}
                }
            }
        };
        let _ = timeout(GOODBYE, goodbye).await;
    }
}

/// Gives back what a long message took.
fn empty(buffer: &mut Vec<u8>) {
    if buffer.capacity() > 2 * BUFFER {
        *buffer = Vec::new();
    } else {
        buffer.clear();
    }
}
