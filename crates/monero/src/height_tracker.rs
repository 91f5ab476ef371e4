//! Plausibility of a chain's height. A chain grows by a block every two minutes, and sometimes loses its newest ones. A
//! node that reports anything else is broken, was replaced, or lies.

use std::time::Duration;
use tokio::time::Instant;

/// Maximum change of the height between two checks, in blocks.
const JUMP: u64 = 120;
/// Period after which any height is accepted: the node may have been away and synchronised again.
const FORGET: Duration = Duration::from_mins(10);

/// The last plausible height.
#[derive(Debug, Default)]
pub(crate) struct HeightTracker(Option<(u64, Instant)>);

impl HeightTracker {
    /// Whether a height is plausible after the last one, and if so remembers it.
    pub(crate) fn takes(&mut self, height: u64, now: Instant) -> bool {
        let steady = self.0.is_none_or(|(last, at)| height.abs_diff(last) <= JUMP || now - at >= FORGET);
        if steady {
            self.0 = Some((height, now));
        }
        steady
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_is_believed_only_after_a_while() {
        let (mut steady, start) = (HeightTracker::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        assert!(steady.takes(1_000_000, start));
        assert!(steady.takes(1_000_120, after(1)) && steady.takes(1_000_000, after(2)));
        assert!(!steady.takes(2_000_000, after(3)) && !steady.takes(999_879, after(4)));
        assert!(steady.takes(1_000_001, after(500)), "and comes back by itself");
        assert!(!steady.takes(2_000_000, after(1099)));
        assert!(steady.takes(2_000_000, after(1100)));
    }
}
