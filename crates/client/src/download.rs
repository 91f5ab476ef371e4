//! Bodies that are read in pieces and resumed after an interruption.

use crate::http::RemainingRange;
use crate::{Answer, Error, Result};
use async_trait::async_trait;
use std::time::Duration;

/// Maximum number of requests for the rest without receiving a byte.
const TRIES: u32 = 5;
/// Seconds before the second attempt; the first is immediate, and each later pause is twice as long.
const PAUSE: u64 = 1;

/// The source of a body and of its rest.
#[async_trait]
pub trait RangeSource: std::fmt::Debug + Send + Sync {
    /// Requests the rest, without any payment.
    async fn rest(&self, rest: &RemainingRange) -> Result<Answer>;
}

/// A body in transit.
#[derive(Debug)]
pub struct Download<'a> {
    answer: Answer,
    source: &'a dyn RangeSource,
    validator: Option<String>,
    /// Number of bytes returned to the caller.
    at: u64,
    /// Number of bytes to skip, because they were received before.
    skip: u64,
    total: Option<u64>,
    tries: u32,
}

impl<'a> Download<'a> {
    /// Starts with an answer whose body was not read yet.
    pub fn new(answer: Answer, source: &'a dyn RangeSource) -> Self {
        let (validator, total) = (validator(&answer), answer.length());
        Self { answer, source, validator, at: 0, skip: 0, total, tries: TRIES }
    }

    /// Returns the total number of bytes, if the server sends it.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// Returns the next piece; `None` at the end.
    ///
    /// # Errors
    /// The connection broke, and the rest is not available.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        loop {
            match self.answer.chunk().await {
                Ok(Some(mut piece)) => {
                    let known = usize::try_from(self.skip).unwrap_or(usize::MAX).min(piece.len());
                    self.skip -= known as u64;
                    piece.drain(..known);
                    if !piece.is_empty() {
                        self.at += piece.len() as u64;
                        self.tries = TRIES;
                        return Ok(Some(piece));
                    }
                }
                Ok(None) if self.skip == 0 => return Ok(None),
                Ok(None) => return Err(Error::Changed(self.answer.origin().to_owned())),
                Err(broken) => self.resume(broken).await?,
            }
        }
    }

    /// Requests the rest until it arrives.
    async fn resume(&mut self, mut broken: Error) -> Result<()> {
        let Some(validator) = self.validator.clone() else { return Err(self.interrupted(broken)) };
        let rest = RemainingRange { from: self.at, validator };
        while self.tries > 0 {
            self.tries -= 1;
            // Immediately, then after 1, 2, 4 and 8 seconds.
            let tried = TRIES - 1 - self.tries;
            if let Some(before) = tried.checked_sub(1) {
                tokio::time::sleep(Duration::from_secs(PAUSE << before)).await;
            }
            match self.source.rest(&rest).await {
                Ok(answer) if matches!(answer.status, 429 | 500..=599) => broken = answer.refusal(),
                Ok(answer) => return self.take(answer, &rest),
                Err(error @ Error::Unreachable(..)) => broken = error,
                Err(error) => return Err(error),
            }
        }
        Err(self.interrupted(broken))
    }

    fn take(&mut self, answer: Answer, rest: &RemainingRange) -> Result<()> {
        match answer.status {
            206 if answer.starts_at(rest.from) => self.skip = 0,
            // The server sends the same body from the start.
            200 if validator(&answer).as_ref() == Some(&rest.validator) => self.skip = rest.from,
            200 | 206 | 416 => return Err(Error::Changed(answer.origin().to_owned())),
            _ => return Err(self.interrupted(answer.refusal())),
        }
        self.answer = answer;
        Ok(())
    }

    fn interrupted(&self, cause: Error) -> Error {
        Error::BrokenOff { origin: self.answer.origin().to_owned(), bytes: self.at, cause: Box::new(cause) }
    }
}

/// Returns a validator for `If-Range`; a weak tag is not allowed there (RFC 9110, section 13.1.5).
fn validator(answer: &Answer) -> Option<String> {
    let tag = answer.header("etag").filter(|tag| tag.starts_with('"'));
    tag.or_else(|| answer.header("last-modified")).map(str::to_owned)
}
