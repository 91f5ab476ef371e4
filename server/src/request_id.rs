//! Request ids, for log lines and answers.

use crate::entropy::Entropy;
use std::sync::atomic::{AtomicU64, Ordering};

/// Odd, so that its multiples repeat only after 2^64 steps.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A generator of ids that are unique in this process and almost certainly among processes. They are not secret.
#[derive(Debug)]
pub struct RequestIds(AtomicU64);

impl RequestIds {
    pub fn new(entropy: &dyn Entropy) -> Self {
        Self(AtomicU64::new(u64::from_be_bytes(entropy.bytes())))
    }

    /// Returns 16 hexadecimal digits.
    pub fn next(&self) -> String {
        format!("{:016x}", mixed(self.0.fetch_add(STEP, Ordering::Relaxed)))
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
        assert!(many.iter().all(|id| id.len() == 16 && id.bytes().all(|c| c.is_ascii_hexdigit())));
    }
}
