//! Prices, quotas and conditions of a route.

/// The price list of a route and its conditions. A route without them is free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pricing {
    /// The bundles for sale; the first is the default. Never empty.
    pub bundles: Vec<Bundle>,
    /// Required confirmations by amount, in ascending order of `from`; the first begins at 0.
    pub confirmations: Vec<ConfirmationStep>,
    /// Free requests for each client.
    pub allowance: Option<Allowance>,
    pub binding: TokenBinding,
    /// A stream or tunnel costs one more request for each period of this many milliseconds.
    pub lease_ms: i64,
    /// Also accepts the credentials of the 2022 document: a transaction and its proof with each request.
    pub tpat0: bool,
    /// People with a session at the portal pass without payment.
    pub signed_in_free: bool,
}

/// A price for a number of requests and a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The price in piconero (10^-12 XMR).
    pub price: u64,
    /// The number of requests.
    pub quota: u32,
    /// The validity in milliseconds from the redemption.
    pub ttl_ms: i64,
}

/// Payments of at least `from` piconero need this many confirmations. With 0, the transaction pool is sufficient, for a
/// token that can be revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfirmationStep {
    pub from: u64,
    pub need: u32,
}

/// Allows `requests` in each `window_ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    pub requests: u32,
    pub window_ms: i64,
}

/// The condition for using a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenBinding {
    /// Each request needs a proof of the token's key.
    Key,
    /// Anyone with the token can use it.
    Bearer,
}

impl Pricing {
    /// Returns the number of confirmations that a payment needs.
    pub fn need(&self, paid: u64) -> u32 {
        let step = self.confirmations.iter().rev().find(|step| step.from <= paid);
        step.or(self.confirmations.first()).map_or(1, |step| step.need)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_money_waits_for_more_blocks() {
        let steps = [(0, 0), (1000, 1), (50_000, 10)];
        let confirmations = steps.map(|(from, need)| ConfirmationStep { from, need }).to_vec();
        let pricing = Pricing {
            bundles: Vec::new(),
            confirmations,
            allowance: None,
            binding: TokenBinding::Key,
            lease_ms: 60_000,
            tpat0: false,
            signed_in_free: false,
        };
        for (paid, need) in [(0, 0), (999, 0), (1000, 1), (49_999, 1), (50_000, 10), (u64::MAX, 10)] {
            assert_eq!(pricing.need(paid), need, "{paid}");
        }
    }
}
