//! The quota that an amount buys under a challenge's terms.

use crate::challenge::ChallengeTerms;

/// The result of a purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purchase {
    /// Pay `need - have` to the same address.
    Underpaid {
        have: u64,
        need: u64,
    },
    Bought(Bought),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bought {
    /// Number of times that the price was paid.
    pub times: u64,
    /// Number of requests: `times` the quota, saturating.
    pub quota: u64,
    /// Lifetime of the token in seconds; overpaying buys requests, but no time.
    pub ttl_s: u32,
    /// Piconero that bought nothing.
    pub remainder: u64,
}

/// Computes a purchase. A multiple of the price buys that multiple of requests. A price of zero counts as one piconero.
pub fn purchase(terms: &ChallengeTerms, paid: u64) -> Purchase {
    let price = terms.price.max(1);
    if paid < price {
        return Purchase::Underpaid { have: paid, need: price };
    }
    let times = paid / price;
    let quota = terms.quota.saturating_mul(times);
    Purchase::Bought(Bought { times, quota, ttl_s: terms.ttl_s, remainder: paid % price })
}

/// Returns the number of blocks for which a payment is valid in the scheme of 2022. That is `ttl` for each time the
/// price was paid, counted from the payment's block.
pub fn blocks_bought(paid: u64, price: u64, ttl_blocks: u64) -> u64 {
    (paid / price.max(1)).saturating_mul(ttl_blocks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Binding;
    use crate::challenge::RouteId;
    use proptest::prelude::*;

    fn terms(price: u64, quota: u64) -> ChallengeTerms {
        let (account, index, expires, binding) = (0, 1, 0, Binding::Bearer);
        ChallengeTerms {
            route: RouteId([0; 8]),
            price,
            quota,
            ttl_s: 60,
            confirmations: 1,
            account,
            index,
            expires,
            binding,
        }
    }

    #[test]
    fn the_edges() {
        let bought = |times, quota, remainder| Purchase::Bought(Bought { times, quota, ttl_s: 60, remainder });
        let cases = [
            (10, 5, 9, Purchase::Underpaid { have: 9, need: 10 }),
            (10, 5, 0, Purchase::Underpaid { have: 0, need: 10 }),
            (10, 5, 10, bought(1, 5, 0)),
            (10, 5, 19, bought(1, 5, 9)),
            (10, 5, 30, bought(3, 15, 0)),
            (0, 5, 0, Purchase::Underpaid { have: 0, need: 1 }),
            (1, u64::MAX, u64::MAX, bought(u64::MAX, u64::MAX, 0)),
            (u64::MAX, 1, u64::MAX, bought(1, 1, 0)),
            (u64::MAX, 1, u64::MAX - 1, Purchase::Underpaid { have: u64::MAX - 1, need: u64::MAX }),
        ];
        for (price, quota, paid, expected) in cases {
            assert_eq!(purchase(&terms(price, quota), paid), expected, "{price} {quota} {paid}");
        }
        assert_eq!(blocks_bought(u64::MAX, 0, u64::MAX), u64::MAX);
        assert_eq!(blocks_bought(6, 2, 30), 90);
    }

    proptest! {
        #[test]
        fn fuzz_price_loses_nothing(price: u64, quota: u64, paid: u64) {
            match purchase(&terms(price, quota), paid) {
                Purchase::Underpaid { have, need } => prop_assert!(have < need && have == paid),
                Purchase::Bought(bought) => {
                    prop_assert!(bought.times >= 1 && bought.remainder < price.max(1));
                    prop_assert_eq!(bought.times * price.max(1) + bought.remainder, paid);
                    prop_assert!(bought.quota >= quota);
                }
            }
        }
    }
}
