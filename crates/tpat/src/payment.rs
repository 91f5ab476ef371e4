//! The evaluation of a payment, and its states.

use crate::UnixS;
use crate::challenge::Terms;
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
pub enum Verdict {
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

/// Evaluates an offer's payments. `first_seen`: when its first transaction was first presented or seen, which may be
/// long before it has enough confirmations. A payment that was seen in time stays in time.
pub fn judge(terms: &Terms, seen: &[Sighting], first_seen: UnixS, early: Early) -> Verdict {
    if first_seen > terms.expires {
        return Verdict::Expired;
    }
    if seen.iter().any(|sighting| sighting.unlock_time != 0) {
        return Verdict::Locked;
    }
    // A mined transaction has won against a double spend.
    if seen.iter().any(|sighting| sighting.double_spend_seen && sighting.confirmations == 0) {
        return Verdict::DoubleSpent;
    }
    let paid = seen.iter().fold(0_u64, |sum, sighting| sum.saturating_add(sighting.amount));
    let whole = match purchase(terms, paid) {
        Purchase::Underpaid { have, need } => return Verdict::Underpaid { have, need },
        Purchase::Bought(bought) => bought,
    };
    let have = seen.iter().map(|sighting| sighting.confirmations).min().unwrap_or(0);
    let need = u64::from(terms.confirmations);
    if have < need {
        return Verdict::Pending { have, need };
    }
    if have < early.firm {
        let now = Bought { quota: whole.quota.min(early.quota), ttl_s: whole.ttl_s.min(early.ttl_s), ..whole };
        return Verdict::Provisional { now, whole };
    }
    Verdict::Redeem(whole)
}

/// The state of an offer. An unpaid challenge has no row and no state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
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
pub enum Event {
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
    /// It has returned, confirmed or not.
    Back { firm: bool },
    /// It has expired.
    RanOut,
    /// An administrator revoked it.
    TakenBack,
}

/// The event is not possible in this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} is not possible in the state {state:?}")]
pub struct WrongMove {
    pub state: State,
    pub event: Event,
}

impl State {
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
    /// [`WrongMove`], and nothing is changed.
    pub fn after(self, event: Event) -> Result<Self, WrongMove> {
        use {Event as E, State as S};
        let wrong = Err(WrongMove { state: self, event });
        if self.is_over() {
            return wrong;
        }
        match (self, event) {
            (_, E::RanOut) => Ok(S::Expired),
            (_, E::TakenBack) => Ok(S::Revoked),
            (S::Seen | S::Underpaid, E::TooLittle) => Ok(S::Underpaid),
            (S::Seen | S::Underpaid | S::Pending, E::Waits) => Ok(S::Pending),
            (S::Seen | S::Underpaid | S::Pending | S::Provisional, E::GivenEarly)
            | (S::Suspended, E::Back { firm: false }) => Ok(S::Provisional),
            (S::Seen | S::Underpaid | S::Pending | S::Provisional | S::Redeemed, E::Confirmed)
            | (S::Suspended, E::Back { firm: true }) => Ok(S::Redeemed),
            // Without a token nothing must be suspended: it counts as never seen.
            (S::Seen | S::Underpaid | S::Pending, E::Gone) => Ok(S::Seen),
            (S::Provisional | S::Redeemed | S::Suspended, E::Gone) => Ok(S::Suspended),
            _ => wrong,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::challenge::RouteId;
    use proptest::prelude::*;

    fn terms(confirmations: u16) -> Terms {
        let (account, index, thumbprint) = (0, 1, [0; 32]);
        let (price, quota, ttl_s, expires) = (10, 100, 3600, 1000);
        Terms { route: RouteId([0; 8]), price, quota, ttl_s, confirmations, account, index, expires, thumbprint }
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
        let cases: [(&str, u16, Vec<Sighting>, UnixS, Verdict); 14] = [
            ("nothing", 1, vec![], 5, Verdict::Underpaid { have: 0, need: 10 }),
            ("exact", 1, vec![seen(10, 1)], 5, Verdict::Redeem(whole)),
            ("in the pool", 1, vec![seen(10, 0)], 5, Verdict::Pending { have: 0, need: 1 }),
            ("early", 0, vec![seen(10, 0)], 5, Verdict::Provisional { now: bought(1, 20, 1800, 0), whole }),
            ("early, mined", 0, vec![seen(10, 1)], 5, Verdict::Redeem(whole)),
            ("deep", 10, vec![seen(10, 9)], 5, Verdict::Pending { have: 9, need: 10 }),
            ("too little", 1, vec![seen(9, 5)], 5, Verdict::Underpaid { have: 9, need: 10 }),
            ("topped up", 1, vec![seen(9, 5), seen(1, 1)], 5, Verdict::Redeem(whole)),
            ("top-up is new", 1, vec![seen(9, 5), seen(1, 0)], 5, Verdict::Pending { have: 0, need: 1 }),
            ("three times", 1, vec![seen(35, 1)], 5, Verdict::Redeem(bought(3, 300, 3600, 5))),
            ("late", 1, vec![seen(10, 1)], 1001, Verdict::Expired),
            ("just in time", 1, vec![seen(10, 1)], 1000, Verdict::Redeem(whole)),
            ("locked", 1, vec![seen(10, 1), locked], 5, Verdict::Locked),
            ("double spend", 0, vec![double], 5, Verdict::DoubleSpent),
        ];
        for (name, confirmations, sightings, first_seen, expected) in cases {
            assert_eq!(judge(&terms(confirmations), &sightings, first_seen, early), expected, "{name}");
        }
        assert_eq!(judge(&terms(1), &[won], 5, early), Verdict::Redeem(whole));
        let most = [seen(u64::MAX, 1), seen(u64::MAX, 1)];
        assert!(matches!(judge(&terms(1), &most, 5, early), Verdict::Redeem(_)));
    }

    #[test]
    fn the_way_of_a_lost_payment() {
        let walk = [
            (Event::GivenEarly, State::Provisional),
            (Event::Gone, State::Suspended),
            (Event::Back { firm: false }, State::Provisional),
            (Event::Confirmed, State::Redeemed),
            (Event::Gone, State::Suspended),
            (Event::Gone, State::Suspended),
            (Event::Back { firm: true }, State::Redeemed),
            (Event::TakenBack, State::Revoked),
        ];
        let mut state = State::Seen;
        for (event, expected) in walk {
            state = state.after(event).expect("a move");
            assert_eq!(state, expected);
        }
        assert!(state.after(Event::Back { firm: true }).is_err());
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            Just(Event::TooLittle),
            Just(Event::Waits),
            Just(Event::GivenEarly),
            Just(Event::Confirmed),
            Just(Event::Gone),
            any::<bool>().prop_map(|firm| Event::Back { firm }),
            Just(Event::RanOut),
            Just(Event::TakenBack),
        ]
    }

    proptest! {
        #[test]
        fn fuzz_payment_states(events in prop::collection::vec(event(), 0..40)) {
            let mut state = State::Seen;
            for event in events {
                let Ok(next) = state.after(event) else { continue };
                // A final state never changes, and a suspended token resumes only when its payment returns.
                prop_assert!(!state.is_over());
                if state == State::Suspended && next.opens() {
                    prop_assert!(matches!(event, Event::Back { .. }), "{:?}", event);
                }
                if event == Event::Gone {
                    prop_assert!(!next.opens());
                }
                state = next;
            }
        }

        #[test]
        fn fuzz_payment_never_opens_below_the_price(amounts in prop::collection::vec(0..20_u64, 0..4), depth in 0..12_u64, confirmations in 0..12_u16) {
            let sightings: Vec<_> = amounts.iter().map(|&amount| seen(amount, depth)).collect();
            let verdict = judge(&terms(confirmations), &sightings, 5, Early::default());
            if matches!(verdict, Verdict::Redeem(_) | Verdict::Provisional { .. }) {
                prop_assert!(amounts.iter().sum::<u64>() >= 10 && depth >= u64::from(confirmations));
            }
        }
    }
}
