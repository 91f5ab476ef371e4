//! The decision whether to pay.

/// The decision about a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The price is within the limit.
    Pay,
    /// The price is above the limit, and a person can be asked.
    Ask,
    /// The price is above the limit, and nobody can be asked.
    Refuse,
}

/// Decides about a price. `max_pay` is the most to pay without asking, in piconero; `None`: nothing. The network fee is
/// added and not part of the price.
pub fn decide(price: u64, max_pay: Option<u64>, someone: bool) -> Decision {
    match (max_pay, someone) {
        (Some(most), _) if price <= most => Decision::Pay,
        (_, true) => Decision::Ask,
        (_, false) => Decision::Refuse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_of_a_table() {
        use Decision::{Ask, Pay, Refuse};
        for (price, max_pay, someone, expected) in [
            (10, Some(11), false, Pay),
            (10, Some(10), false, Pay),
            (10, Some(10), true, Pay),
            (10, Some(9), true, Ask),
            (10, Some(9), false, Refuse),
            (10, None, true, Ask),
            (10, None, false, Refuse),
            (1, Some(0), true, Ask),
            (1, Some(0), false, Refuse),
            (u64::MAX, Some(u64::MAX), false, Pay),
        ] {
            assert_eq!(decide(price, max_pay, someone), expected, "{price} {max_pay:?} {someone}");
        }
    }
}
