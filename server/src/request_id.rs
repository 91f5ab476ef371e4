//! Request ids, for log lines and answers.
//!
//! The id of a request is in its task and not in a span of `tracing`. A span costs every request more than the line
//! costs the few that are logged.

use crate::entropy::Entropy;
use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};

tokio::task_local! {
    static CURRENT: RequestId;
}

/// An id of 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId([u8; 16]);

impl RequestId {
    fn of(number: u64) -> Self {
        let mut digits = [0; 16];
        for (digit, shift) in digits.iter_mut().zip((0..16).rev()) {
            *digit = b"0123456789abcdef"[(number >> (4 * shift) & 15) as usize];
        }
        Self(digits)
    }

    /// Returns the id of the request that this task answers. `None`: it answers none.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(|id| *id).ok()
    }

    /// Runs a future as a part of the request.
    pub async fn scope<T>(self, part: impl Future<Output = T>) -> T {
        CURRENT.scope(self, part).await
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.0).unwrap_or_default())
    }
}

/// Odd, so that its multiples repeat only after 2^64 steps.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A generator of ids that are unique in this process and almost certainly among processes. They are not secret.
#[derive(Debug)]
pub struct RequestIds(AtomicU64);

impl RequestIds {
    pub fn new(entropy: &dyn Entropy) -> Self {
        Self(AtomicU64::new(u64::from_be_bytes(entropy.bytes())))
    }

    pub fn next(&self) -> RequestId {
        RequestId::of(mixed(self.0.fetch_add(STEP, Ordering::Relaxed)))
    }
}

/// Applies the last half of `SplitMix64`: different numbers stay different but no longer look sequential.
fn mixed(mut number: u64) -> u64 {
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;
    use std::collections::HashSet;

    #[test]
    fn none_comes_twice() {
        let ids = RequestIds::new(&SystemEntropy);
        let many: HashSet<_> = (0..10_000).map(|_| ids.next()).collect();
        assert_eq!(many.len(), 10_000);
        assert!(many.iter().all(|id| id.as_bytes().iter().all(u8::is_ascii_hexdigit)));
        assert_eq!(RequestId::of(0x0123_4567_89ab_cdef).to_string(), "0123456789abcdef");
    }

    #[tokio::test]
    async fn a_task_knows_the_request_that_it_is_a_part_of() {
        let id = RequestId::of(7);
        assert_eq!(id.scope(async { RequestId::current() }).await, Some(id));
        assert_eq!(RequestId::current(), None);
    }
}
