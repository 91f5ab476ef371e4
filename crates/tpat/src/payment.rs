//! The evaluation of a payment, and its states.

use crate::UnixS;
use crate::challenge::ChallengeTerms;
use crate::price::{Bought, Purchase, purchase};

/// One transaction of an offer according to a node and its proof. An offer has several if it was topped up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sighting {
    /// Piconero paid to the challenge's address.
    pub amount: u64,
    /// Confirmations; zero in the pool.
    pub confirmations: u64,
    /// The transaction's lock; anything except zero is refused.
    pub unlock_time: u64,
    /// Another visible transaction spends the same money.
    pub double_spend_seen: bool,
}

/// Rules for unconfirmed payments and their provisional tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Early {
    /// Confirmations from which a token is not provisional.
    pub firm: u64,
    /// Maximum number of requests of a provisional token.
    pub quota: u64,
    /// Maximum lifetime of a provisional token in seconds.
    pub ttl_s: u32,
}

impl Default for Early {
    fn default() -> Self {
        Self { firm: 1, quota: 20, ttl_s: 1800 }
    }
}

/// The current value of an offer's transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfferVerdict {
    /// Everything that was bought.
    Redeem(Bought),
    /// A part of it until the payment is confirmed; `whole` is the final value.
    Provisional { now: Bought, whole: Bought },
    /// Seen; waiting for confirmations.
    Pending { have: u64, need: u64 },
    /// Pay the rest under the same challenge.
    Underpaid { have: u64, need: u64 },
    /// First seen after the challenge expired.
    Expired,
    /// The money is locked.
    Locked,
    /// The money may never arrive.
    DoubleSpent,
}

/// Evaluates an offer's payments. `first_seen`: the time when its first transaction was first presented or seen, which
/// may be long before it has enough confirmations. A payment that was seen in time stays in time.
pub fn judge(terms: &ChallengeTerms, seen: &[Sighting], first_seen: UnixS, early: Early) -> OfferVerdict {
    if first_seen > terms.expires {
        return OfferVerdict::Expired;
    }
    if seen.iter().any(|sighting| sighting.unlock_time != 0) {
        return OfferVerdict::Locked;
    }
    // A mined transaction has won against a double spend.
    if seen.iter().any(|sighting| sighting.double_spend_seen && sighting.confirmations == 0) {
        return OfferVerdict::DoubleSpent;
    }
    let paid = seen.iter().fold(0_u64, |sum, sighting| sum.saturating_add(sighting.amount));
    let whole = match purchase(terms, paid) {
        Purchase::Underpaid { have, need } => return OfferVerdict::Underpaid { have, need },
        Purchase::Bought(bought) => bought,
    };
    let have = seen.iter().map(|sighting| sighting.confirmations).min().unwrap_or(0);
    let need = u64::from(terms.confirmations);
    if have < need {
        return OfferVerdict::Pending { have, need };
    }
    if have < early.firm {
        let now = Bought { quota: whole.quota.min(early.quota), ttl_s: whole.ttl_s.min(early.ttl_s), ..whole };
        return OfferVerdict::Provisional { now, whole };
    }
    OfferVerdict::Redeem(whole)
}

/// The state of an offer. An unpaid challenge has no row and no state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OfferState {
    /// Presented or seen, not evaluated yet.
    Seen,
    /// Less than the price.
    Underpaid,
    /// Fully paid, waiting for confirmations.
    Pending,
    /// A provisional token was issued.
    Provisional,
    /// A token was issued.
    Redeemed,
    /// A token was issued and is suspended, because its payment has disappeared.
    Suspended,
    /// The token has expired, or the challenge had before it was paid.
    Expired,
    /// An administrator revoked the token.
    Revoked,
}

/// An event of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OfferEvent {
    /// Evaluated: underpaid.
    TooLittle,
    /// Evaluated: paid, not confirmed yet.
    Waits,
    /// A provisional token was issued.
    GivenEarly,
    /// A token was issued, or a provisional one became final.
    Confirmed,
    /// The transaction is in neither a block nor the pool, or was double-spent.
    Gone,
    /// The transaction has returned, confirmed or not.
    Back { firm: bool },
    /// The payment has expired.
    RanOut,
    /// An administrator revoked it.
    TakenBack,
}

/// The reason for an impossible transition: the state and the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} is not possible in the state {state:?}")]
pub struct InvalidTransition {
    pub state: OfferState,
    pub event: OfferEvent,
}

impl OfferState {
    /// Whether a token in this state admits requests.
    pub fn opens(self) -> bool {
        matches!(self, Self::Provisional | Self::Redeemed)
    }

    /// Whether the state is final.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Expired | Self::Revoked)
    }

    /// Returns the state after an event.
    ///
    /// # Errors
    /// [`InvalidTransition`], and nothing is changed.
    pub fn after(self, event: OfferEvent) -> Result<Self, InvalidTransition> {
        use {OfferEvent, OfferState};
        let wrong = Err(InvalidTransition { state: self, event });
        if self.is_over() {
            return wrong;
        }
        match (self, event) {
            (_, OfferEvent::RanOut) => Ok(OfferState::Expired),
            (_, OfferEvent::TakenBack) => Ok(OfferState::Revoked),
            (OfferState::Seen | OfferState::Underpaid, OfferEvent::TooLittle) => Ok(OfferState::Underpaid),
            (OfferState::Seen | OfferState::Underpaid | OfferState::Pending, OfferEvent::Waits) => {
                Ok(OfferState::Pending)
            }
            (
                OfferState::Seen | OfferState::Underpaid | OfferState::Pending | OfferState::Provisional,
                OfferEvent::GivenEarly,
            )
            | (OfferState::Suspended, OfferEvent::Back { firm: false }) => Ok(OfferState::Provisional),
            (
                OfferState::Seen
                | OfferState::Underpaid
                | OfferState::Pending
                | OfferState::Provisional
                | OfferState::Redeemed,
                OfferEvent::Confirmed,
            )
            | (OfferState::Suspended, OfferEvent::Back { firm: true }) => Ok(OfferState::Redeemed),
            // Without a token nothing must be suspended: it counts as never seen.
            (OfferState::Seen | OfferState::Underpaid | OfferState::Pending, OfferEvent::Gone) => Ok(OfferState::Seen),
            (OfferState::Provisional | OfferState::Redeemed | OfferState::Suspended, OfferEvent::Gone) => {
                Ok(OfferState::Suspended)
            }
            _ => wrong,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Binding;
    use crate::challenge::RouteId;
    use proptest::prelude::*;

    fn terms(confirmations: u16) -> ChallengeTerms {
        let (account, index, binding) = (0, 1, Binding::Bearer);
        let (price, quota, ttl_s, expires) = (10, 100, 3600, 1000);
        ChallengeTerms { route: RouteId([0; 8]), price, quota, ttl_s, confirmations, account, index, expires, binding }
    }

    fn seen(amount: u64, confirmations: u64) -> Sighting {
        Sighting { amount, confirmations, unlock_time: 0, double_spend_seen: false }
    }

    fn bought(times: u64, quota: u64, ttl_s: u32, remainder: u64) -> Bought {
        Bought { times, quota, ttl_s, remainder }
    }

    #[test]
    fn verdicts_of_a_table() {
        let early = Early::default();
        let locked = Sighting { unlock_time: 100_000, ..seen(10, 20) };
        let double = Sighting { double_spend_seen: true, ..seen(10, 0) };
        let won = Sighting { double_spend_seen: true, ..seen(10, 1) };
        let whole = bought(1, 100, 3600, 0);
        let cases: [(&str, u16, Vec<Sighting>, UnixS, OfferVerdict); 14] = [
            ("nothing", 1, vec![], 5, OfferVerdict::Underpaid { have: 0, need: 10 }),
            ("exact", 1, vec![seen(10, 1)], 5, OfferVerdict::Redeem(whole)),
            ("in the pool", 1, vec![seen(10, 0)], 5, OfferVerdict::Pending { have: 0, need: 1 }),
            ("early", 0, vec![seen(10, 0)], 5, OfferVerdict::Provisional { now: bought(1, 20, 1800, 0), whole }),
            ("early, mined", 0, vec![seen(10, 1)], 5, OfferVerdict::Redeem(whole)),
            ("deep", 10, vec![seen(10, 9)], 5, OfferVerdict::Pending { have: 9, need: 10 }),
            ("too little", 1, vec![seen(9, 5)], 5, OfferVerdict::Underpaid { have: 9, need: 10 }),
            ("topped up", 1, vec![seen(9, 5), seen(1, 1)], 5, OfferVerdict::Redeem(whole)),
            ("top-up is new", 1, vec![seen(9, 5), seen(1, 0)], 5, OfferVerdict::Pending { have: 0, need: 1 }),
            ("three times", 1, vec![seen(35, 1)], 5, OfferVerdict::Redeem(bought(3, 300, 3600, 5))),
            ("late", 1, vec![seen(10, 1)], 1001, OfferVerdict::Expired),
            ("just in time", 1, vec![seen(10, 1)], 1000, OfferVerdict::Redeem(whole)),
            ("locked", 1, vec![seen(10, 1), locked], 5, OfferVerdict::Locked),
            ("double spend", 0, vec![double], 5, OfferVerdict::DoubleSpent),
        ];
        for (name, confirmations, sightings, first_seen, expected) in cases {
            assert_eq!(judge(&terms(confirmations), &sightings, first_seen, early), expected, "{name}");
        }
        assert_eq!(judge(&terms(1), &[won], 5, early), OfferVerdict::Redeem(whole));
        let most = [seen(u64::MAX, 1), seen(u64::MAX, 1)];
        assert!(matches!(judge(&terms(1), &most, 5, early), OfferVerdict::Redeem(_)));
    }

    #[test]
    fn the_way_of_a_lost_payment() {
        let walk = [
            (OfferEvent::GivenEarly, OfferState::Provisional),
            (OfferEvent::Gone, OfferState::Suspended),
            (OfferEvent::Back { firm: false }, OfferState::Provisional),
            (OfferEvent::Confirmed, OfferState::Redeemed),
            (OfferEvent::Gone, OfferState::Suspended),
            (OfferEvent::Gone, OfferState::Suspended),
            (OfferEvent::Back { firm: true }, OfferState::Redeemed),
            (OfferEvent::TakenBack, OfferState::Revoked),
        ];
        let mut state = OfferState::Seen;
        for (event, expected) in walk {
            state = state.after(event).expect("a move");
            assert_eq!(state, expected);
        }
        assert!(state.after(OfferEvent::Back { firm: true }).is_err());
    }

    fn event() -> impl Strategy<Value = OfferEvent> {
        prop_oneof![
            Just(OfferEvent::TooLittle),
            Just(OfferEvent::Waits),
            Just(OfferEvent::GivenEarly),
            Just(OfferEvent::Confirmed),
            Just(OfferEvent::Gone),
            any::<bool>().prop_map(|firm| OfferEvent::Back { firm }),
            Just(OfferEvent::RanOut),
            Just(OfferEvent::TakenBack),
        ]
    }

    proptest! {
        #[test]
        fn fuzz_payment_states(events in prop::collection::vec(event(), 0..40)) {
            let mut state = OfferState::Seen;
            for event in events {
                let Ok(next) = state.after(event) else { continue };
                // A final state never changes, and a suspended token resumes only when its payment returns.
                prop_assert!(!state.is_over());
                if state == OfferState::Suspended && next.opens() {
                    prop_assert!(matches!(event, OfferEvent::Back { .. }), "{:?}", event);
                }
                if event == OfferEvent::Gone {
                    prop_assert!(!next.opens());
                }
                state = next;
            }
        }

        #[test]
        fn fuzz_payment_never_opens_below_the_price(amounts in prop::collection::vec(0..20_u64, 0..4), depth in 0..12_u64, confirmations in 0..12_u16) {
            let sightings: Vec<_> = amounts.iter().map(|&amount| seen(amount, depth)).collect();
            let verdict = judge(&terms(confirmations), &sightings, 5, Early::default());
            if matches!(verdict, OfferVerdict::Redeem(_) | OfferVerdict::Provisional { .. }) {
                prop_assert!(amounts.iter().sum::<u64>() >= 10 && depth >= u64::from(confirmations));
            }
        }
    }
}
