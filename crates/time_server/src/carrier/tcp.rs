//! Messages with a length prefix of two bytes, big endian.

use super::{Carrier, CarrierError};
use std::io::ErrorKind;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use wire::time::{CloseReason, LONGEST_MESSAGE};

const PREFIX: usize = 2;
/// Size of a buffer in bytes, sufficient for a command; hello and renewal use more temporarily.
const BUFFER: usize = 512;
/// Maximum number of bytes of queued answers.
const FULL: usize = 8 * 1024;
/// Time limit for the peer to read the last message.
const GOODBYE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct Tcp<S> {
    stream: S,
    read: Vec<u8>,
    /// Number of consumed bytes of `read`.
    taken: usize,
    write: Vec<u8>,
    /// Number of sent bytes of `write`.
    written: usize,
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Tcp<S> {
    pub fn new(stream: S) -> Self {
        Self { stream, read: Vec::new(), taken: 0, write: Vec::new(), written: 0 }
    }

    /// Returns the next message, if it is complete.
    fn at_hand(&mut self, message: &mut Vec<u8>) -> Result<bool, CarrierError> {
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

    async fn flush(&mut self) -> Result<(), CarrierError> {
        while let Some(rest) = self.write.get(self.written..).filter(|rest| !rest.is_empty()) {
            self.written += match self.stream.write(rest).await {
                Ok(0) | Err(_) => return Err(CarrierError::Gone),
                Ok(written) => written,
            };
        }
        self.written = 0;
        empty(&mut self.write);
        Ok(())
    }

    async fn read_more(&mut self) -> Result<(), CarrierError> {
        self.read.drain(..self.taken);
        self.taken = 0;
        if self.read.is_empty() {
            empty(&mut self.read);
        }
        self.read.reserve(BUFFER);
        match self.stream.read_buf(&mut self.read).await {
            Ok(0) | Err(_) => Err(CarrierError::Gone),
            Ok(_) => Ok(()),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Carrier for Tcp<S> {
    async fn receive(&mut self, message: &mut Vec<u8>) -> Result<(), CarrierError> {
        while !self.at_hand(message)? {
            self.flush().await?;
            self.read_more().await?;
        }
        Ok(())
    }

    async fn send(&mut self, message: &[u8]) -> Result<(), CarrierError> {
        let length = u16::try_from(message.len()).map_err(|_| CloseReason::TooLarge)?;
        self.write.extend_from_slice(&length.to_be_bytes());
        self.write.extend_from_slice(message);
        if self.write.len() >= FULL { self.flush().await } else { Ok(()) }
    }

    /// Reads and discards what the peer still sends, because closing a socket with unread bytes would discard the last
    /// message.
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

/// Releases the memory of a long message.
fn empty(buffer: &mut Vec<u8>) {
    if buffer.capacity() > 2 * BUFFER {
        *buffer = Vec::new();
    } else {
        buffer.clear();
    }
}
