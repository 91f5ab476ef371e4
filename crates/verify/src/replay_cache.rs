//! Used proofs, each of which is accepted once (RFC 9449, section 11.1).

use domain::UnixMs;
use domain::encoding::sha256;
use domain::thumbprint::Thumbprint;
use parking_lot::Mutex;
use std::collections::HashSet;
use std::sync::Arc;

/// Number of proofs in a generation, after which the next one begins early: 100 MB in both, at most.
const MOST: usize = 1_000_000;

/// A memory of used proofs. Clones share it.
#[derive(Debug, Clone)]
pub struct ReplayCache {
    period_ms: i64,
    generations: Arc<Mutex<Generations>>,
}

/// Proofs since a time, and those of the period before.
#[derive(Debug, Default)]
struct Generations {
    since: UnixMs,
    young: HashSet<[u8; 32]>,
    old: HashSet<[u8; 32]>,
}

impl ReplayCache {
    /// Creates a memory that remembers each proof for at least `period_ms`, and at most twice as long.
    pub fn new(period_ms: i64) -> Self {
        Self { period_ms, generations: Arc::default() }
    }

    /// Whether the proof with this [`hash`] is used for the first time.
    pub fn is_first(&self, proof: [u8; 32], now: UnixMs) -> bool {
        let mut kept = self.generations.lock();
        // After the clock was set back, remembered proofs must not be discarded early.
        if !(0..self.period_ms).contains(&(now - kept.since)) || kept.young.len() >= MOST {
            kept.old = std::mem::take(&mut kept.young);
            kept.since = now;
        }
        !kept.old.contains(&proof) && kept.young.insert(proof)
    }
}

/// Returns the key for remembering a proof.
pub fn hash(jkt: Thumbprint, jti: &str) -> [u8; 32] {
    sha256(format!("{jkt} {jti}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_serves_once_for_the_whole_period() {
        let seen = ReplayCache::new(300);
        let mut now = UnixMs::from_millis(1_000_000);
        for round in 0..100_u8 {
            assert!(seen.is_first([round; 32], now));
            now += 50;
            for last in round.saturating_sub(5)..=round {
                assert!(!seen.is_first([last; 32], now), "{round} {last}");
            }
        }
        let kept = seen.generations.lock();
        assert!(kept.young.len() + kept.old.len() < 20, "and is forgotten");
    }

    #[test]
    fn a_clock_that_goes_back_forgets_nothing_early() {
        let seen = ReplayCache::new(300);
        assert!(seen.is_first([1; 32], UnixMs::from_millis(1_000_000)));
        for back in [999_000, 999_299] {
            assert!(!seen.is_first([1; 32], UnixMs::from_millis(back)), "{back}");
        }
    }
}
