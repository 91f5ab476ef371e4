//! Encrypting and decrypting frames.

use crate::cipher::{Cipher, TAG};
use wire::time::{CloseReason, LONGEST_MESSAGE};

const COUNTER: usize = 8;
/// Length of a frame beyond its message, in bytes.
pub const OVERHEAD: usize = COUNTER + TAG;

/// The direction of a frame. It is part of the key and of every frame's associated data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Direction {
    ToServer = 1,
    ToClient = 2,
}

/// The sending half.
#[derive(Debug)]
pub struct Sealer(End);

/// The receiving half.
#[derive(Debug)]
pub struct Opener(End);

#[derive(Debug)]
struct End {
    cipher: Cipher,
    direction: Direction,
    /// Counter of the next frame.
    counter: u64,
}

impl Sealer {
    pub(crate) fn new(key: &[u8; 32], direction: Direction) -> Self {
        Self(End::new(key, direction))
    }

    /// Encrypts a message into a frame.
    ///
    /// # Errors
    /// [`CloseReason::TooLarge`].
    pub fn seal(&mut self, message: &[u8]) -> Result<Vec<u8>, CloseReason> {
        let mut frame = Vec::with_capacity(message.len() + OVERHEAD);
        self.seal_into(message, &mut frame)?;
        Ok(frame)
    }

    /// Like [`Self::seal`], appended to `frame`.
    ///
    /// # Errors
    /// [`CloseReason::TooLarge`]; then `frame` is unchanged.
    pub fn seal_into(&mut self, message: &[u8], frame: &mut Vec<u8>) -> Result<(), CloseReason> {
        if message.len() + OVERHEAD > LONGEST_MESSAGE {
            return Err(CloseReason::TooLarge);
        }
        let End { cipher, direction, counter } = &mut self.0;
        let begin = frame.len();
        frame.extend_from_slice(&counter.to_be_bytes());
        frame.extend_from_slice(message);
        let content = frame.split_at_mut(begin + COUNTER).1;
        let associated = associated(*direction, *counter);
        let tag = cipher.seal(nonce(*counter), &associated, content).ok_or(CloseReason::TooLarge)?;
        frame.extend_from_slice(&tag);
        // A frame a nanosecond would need six hundred years to overflow.
        *counter += 1;
        Ok(())
    }
}

impl Opener {
    pub(crate) fn new(key: &[u8; 32], direction: Direction) -> Self {
        Self(End::new(key, direction))
    }

    /// Decrypts a frame.
    ///
    /// # Errors
    /// The reason why the connection must end.
    pub fn open(&mut self, frame: &[u8]) -> Result<Vec<u8>, CloseReason> {
        let mut frame = frame.to_vec();
        self.open_in_place(&mut frame).map(<[u8]>::to_vec)
    }

    /// Decrypts a frame in place, like [`Self::open`].
    ///
    /// # Errors
    /// The reason why the connection must end.
    pub fn open_in_place<'a>(&mut self, frame: &'a mut [u8]) -> Result<&'a [u8], CloseReason> {
        if frame.len() > LONGEST_MESSAGE {
            return Err(CloseReason::TooLarge);
        }
        let (counter, rest) = frame.split_first_chunk_mut::<COUNTER>().ok_or(CloseReason::Truncated)?;
        let (content, tag) = rest.split_last_chunk_mut::<TAG>().ok_or(CloseReason::Truncated)?;
        let counter = u64::from_be_bytes(*counter);
        let End { cipher, direction, counter: expected } = &mut self.0;
        cipher
            .open(nonce(counter), &associated(*direction, counter), content, *tag)
            .map_err(|_| CloseReason::Unreadable)?;
        // The counter is authenticated only after decryption.
        match counter.cmp(expected) {
            std::cmp::Ordering::Less => Err(CloseReason::Replayed),
            std::cmp::Ordering::Greater => Err(CloseReason::OutOfOrder),
            std::cmp::Ordering::Equal => {
                *expected += 1;
                Ok(content)
            }
        }
    }
}

impl End {
    fn new(key: &[u8; 32], direction: Direction) -> Self {
        Self { cipher: Cipher::new(key), direction, counter: 0 }
    }
}

fn nonce(counter: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&counter.to_be_bytes());
    nonce
}

fn associated(direction: Direction, counter: u64) -> [u8; 9] {
    let mut data = [direction as u8; 9];
    data[1..].copy_from_slice(&counter.to_be_bytes());
    data
}
