//! A body that is read piece by piece, and goes on where its connection broke.

use crate::{Answer, Error, Result};
use async_trait::async_trait;
use std::time::Duration;

/// How often the rest is asked for, without a byte of it in between.
const TRIES: u32 = 5;
/// Seconds before the first try after the one that comes at once; each is twice as long as the one before.
const PAUSE: u64 = 1;

/// The part of a body that is still missing (RFC 9110, section 14).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// Bytes that are here.
    pub from: u64,
    /// What the body was known by: a strong entity tag, or when it was last modified.
    pub validator: String,
}

/// Where a body came from, and its rest comes from.
#[async_trait]
pub trait Source: std::fmt::Debug + Send + Sync {
    /// Asks for the rest. Nothing is paid for that.
    async fn rest(&self, rest: &Rest) -> Result<Answer>;
}

/// A body on its way.
#[derive(Debug)]
pub struct Download<'a> {
    answer: Answer,
    source: &'a dyn Source,
    validator: Option<String>,
    /// Bytes that were given out.
    at: u64,
    /// Bytes to drop: here already, and sent again.
    skip: u64,
    total: Option<u64>,
    tries: u32,
}

impl<'a> Download<'a> {
    /// Of an answer whose body was not read yet.
    pub fn new(answer: Answer, source: &'a dyn Source) -> Self {
        let (validator, total) = (validator(&answer), answer.length());
        Self { answer, source, validator, at: 0, skip: 0, total, tries: TRIES }
    }

    /// Bytes in all, where the server says so.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// The next piece; `None`: that was all.
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
                Err(broken) => self.go_on(broken).await?,
            }
        }
    }

    /// Asks for the rest until it comes.
    async fn go_on(&mut self, mut broken: Error) -> Result<()> {
        let Some(validator) = self.validator.clone() else { return Err(self.broken_off(broken)) };
        let rest = Rest { from: self.at, validator };
        while self.tries > 0 {
            self.tries -= 1;
            // At once, then after 1, 2, 4 and 8 seconds.
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
        Err(self.broken_off(broken))
    }

    fn take(&mut self, answer: Answer, rest: &Rest) -> Result<()> {
        match answer.status {
            206 if answer.starts_at(rest.from) => self.skip = 0,
            // It sends all of the same thing again.
            200 if validator(&answer).as_ref() == Some(&rest.validator) => self.skip = rest.from,
            200 | 206 | 416 => return Err(Error::Changed(answer.origin().to_owned())),
            _ => return Err(self.broken_off(answer.refusal())),
        }
        self.answer = answer;
        Ok(())
    }

    fn broken_off(&self, cause: Error) -> Error {
        Error::BrokenOff { origin: self.answer.origin().to_owned(), bytes: self.at, cause: Box::new(cause) }
    }
}

/// What `If-Range` may name: a weak tag may not (RFC 9110, section 13.1.5).
fn validator(answer: &Answer) -> Option<String> {
    let tag = answer.header("etag").filter(|tag| tag.starts_with('"'));
    tag.or_else(|| answer.header("last-modified")).map(str::to_owned)
}
