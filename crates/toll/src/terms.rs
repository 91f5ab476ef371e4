//! What a route asks for, and what it gives.

/// The price list of a route and how strictly it is taken. A route without terms is free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// What can be bought, the first by default. Never empty.
    pub bundles: Vec<Bundle>,
    /// By what is paid, in rising order of `from`; the first begins at 0.
    pub confirmations: Vec<Confirmations>,
    /// Requests that each client has for nothing.
    pub allowance: Option<Allowance>,
    pub bind: Bind,
    /// A stream or a tunnel costs one more request for each span of so many milliseconds.
    pub lease_ms: i64,
    /// Takes the credentials of the 2022 document as well: a transaction and its proof with each request.
    pub tpat0: bool,
    /// Whoever has a session at the portal passes.
    pub signed_in_free: bool,
}

/// So much for so many requests within so long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Piconero: 10^-12 XMR.
    pub price: u64,
    /// Requests.
    pub quota: u32,
    /// Milliseconds from the redemption on.
    pub ttl_ms: i64,
}

/// Payments of at least `from` piconero need so many blocks on top of each other, the first one included.
/// 0: the transaction pool is enough, for a token that can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmations {
    pub from: u64,
    pub need: u32,
}

/// `requests` in each `window_ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    pub requests: u32,
    pub window_ms: i64,
}

/// Who may use a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bind {
    /// Whoever proves with each request to hold the key that it was bought with.
    Key,
    /// Whoever has it.
    Bearer,
}

impl Terms {
    /// How many confirmations a payment needs.
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
        let confirmations = steps.map(|(from, need)| Confirmations { from, need }).to_vec();
        let terms = Terms {
            bundles: Vec::new(),
            confirmations,
            allowance: None,
            bind: Bind::Key,
            lease_ms: 60_000,
            tpat0: false,
            signed_in_free: false,
        };
        for (paid, need) in [(0, 0), (999, 0), (1000, 1), (49_999, 1), (50_000, 10), (u64::MAX, 10)] {
            assert_eq!(terms.need(paid), need, "{paid}");
        }
    }
}
