//! The number of confirmations that a payment needs.

use wire::toll::BLOCK_S;

/// A rule: from this amount, this many confirmations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfirmationStep {
    /// Piconero.
    pub from: u64,
    pub confirmations: u16,
}

/// Required confirmations by amount. Below the first step: none, and the token is provisional.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfirmationPolicy(Vec<ConfirmationStep>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("larger amounts need at least as many confirmations as smaller ones")]
pub struct NotRising;

impl ConfirmationPolicy {
    /// Sorts the steps; refuses duplicate amounts, and fewer confirmations for more money.
    pub fn new(mut steps: Vec<ConfirmationStep>) -> Result<Self, NotRising> {
        steps.sort_by_key(|step| step.from);
        let rising =
            steps.windows(2).all(|pair| pair[0].from < pair[1].from && pair[0].confirmations <= pair[1].confirmations);
        if rising { Ok(Self(steps)) } else { Err(NotRising) }
    }

    pub fn needed(&self, piconero: u64) -> u16 {
        let step = self.0.iter().rev().find(|step| step.from <= piconero);
        step.map_or(0, |step| step.confirmations)
    }
}

impl Default for ConfirmationPolicy {
    /// Returns the default: none below 0.01 XMR; 1 from there; 10 from 1 XMR, when the money becomes spendable.
    fn default() -> Self {
        let xmr = crate::amount::XMR;
        Self(vec![
            ConfirmationStep { from: xmr / 100, confirmations: 1 },
            ConfirmationStep { from: xmr, confirmations: 10 },
        ])
    }
}

/// Returns the confirmations of a transaction in block `block` on a chain of `height` blocks.
///
/// The newest block, number `height - 1`, has one. A block beyond the end, as from a node that is behind, has none.
pub fn confirmations(block: Option<u64>, height: u64) -> u64 {
    block.map_or(0, |block| height.saturating_sub(block))
}

/// Returns the seconds until a pending payment is worth another check. That is 5 s if it only must be seen, otherwise a
/// quarter of a block for each missing block, at most ten minutes.
pub fn retry_after_s(have: u64, need: u64) -> u64 {
    need.saturating_sub(have).saturating_mul(BLOCK_S / 4).clamp(5, 600)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::XMR;

    #[test]
    fn more_money_more_blocks() {
        let policy = ConfirmationPolicy::default();
        let amounts = [0, XMR / 100 - 1, XMR / 100, XMR - 1, XMR, u64::MAX];
        assert_eq!(amounts.map(|amount| policy.needed(amount)), [0, 0, 1, 1, 10, 10]);
        let step = |from, confirmations| ConfirmationStep { from, confirmations };
        assert_eq!(ConfirmationPolicy::new(vec![step(5, 1), step(1, 2)]), Err(NotRising));
        assert_eq!(ConfirmationPolicy::new(vec![step(5, 1), step(5, 1)]), Err(NotRising));
        let mixed = ConfirmationPolicy::new(vec![step(9, 3), step(0, 1)]).expect("rising");
        assert_eq!([0, 8, 9].map(|amount| mixed.needed(amount)), [1, 1, 3]);
    }

    #[test]
    fn the_newest_block_confirms_once() {
        assert_eq!(confirmations(None, 100), 0);
        assert_eq!(confirmations(Some(99), 100), 1);
        assert_eq!(confirmations(Some(90), 100), 10);
        assert_eq!(confirmations(Some(100), 100), 0);
        assert_eq!(confirmations(Some(u64::MAX), 0), 0);
        assert_eq!((retry_after_s(0, 1), retry_after_s(1, 1), retry_after_s(0, u64::MAX)), (30, 5, 600));
    }
}
