//! What becomes of a payment: judged from what was seen of it, and moved from state to state.

use crate::UnixS;
use crate::challenge::Terms;
use crate::price::{Bought, Purchase, purchase};

/// One transaction of a sale, as a node and its proof show it. A sale has several where it was topped up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sighting {
    /// Piconero that it pays to the challenge's address.
    pub amount: u64,
    /// Confirmations; zero in the pool.
    pub confirmations: u64,
    /// The transaction's own lock: anything but zero is refused.
    pub unlock_time: u64,
    /// Another transaction in sight spends the same money.
    pub double_spend_seen: bool,
}

/// When early payments count, and what they get until they are confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Early {
    /// Confirmations from which on a token is no longer provisional.
    pub firm: u64,
    /// The most requests of a provisional token.
    pub quota: u64,
    /// The most seconds of a provisional token.
    pub ttl_s: u32,
}

impl Default for Early {
    fn default() -> Self {
        Self { firm: 1, quota: 20, ttl_s: 1800 }
    }
}

/// What a sale's transactions are worth now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The whole of what was bought.
    Redeem(Bought),
    /// A part of it until the payment is firm; `whole` is what it becomes then.
    Provisional { now: Bought, whole: Bought },
    /// Seen; wait for blocks.
    Pending { have: u64, need: u64 },
    /// Pay the rest under the same challenge.
    Underpaid { have: u64, need: u64 },
    /// First seen after the challenge ran out.
    Expired,
    /// It cannot be spent when it should.
    Locked,
    /// It may never be.
    DoubleSpent,
}

/// Judges a sale. `first_seen`: when its first transaction was first shown to the gate or seen by it,
/// which may be long before `confirmations` are enough; what was seen in time stays in time.
pub fn judge(terms: &Terms, seen: &[Sighting], first_seen: UnixS, early: Early) -> Verdict {
    if first_seen > terms.expires {
        return Verdict::Expired;
    }
    if seen.iter().any(|sighting| sighting.unlock_time != 0) {
        return Verdict::Locked;
    }
    // A mined transaction has won over whatever else spends the same money.
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

/// Where a sale stands. A challenge that nobody has paid has no row and no state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Shown or seen, not judged yet.
    Seen,
    /// Less than the price.
    Underpaid,
    /// Enough, and waiting for blocks.
    Pending,
    /// A token is out that may be taken back.
    Provisional,
    /// A token is out.
    Redeemed,
    /// A token is out and asleep, since its payment is gone.
    Suspended,
    /// The token's time is over, or the challenge's was before it was paid.
    Expired,
    /// An administrator took the token back.
    Revoked,
}

/// What happens to a sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// It was judged: too little.
    TooLittle,
    /// It was judged: enough, not yet confirmed.
    Waits,
    /// A provisional token was given out.
    GivenEarly,
    /// A token was given out, or a provisional one became whole.
    Confirmed,
    /// The transaction is in no block and no pool, or another one spent its money.
    Gone,
    /// It is back, confirmed or not.
    Back { firm: bool },
    /// Time is over.
    RanOut,
    /// An administrator said so.
    TakenBack,
}

/// The sale cannot make this move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{state:?} knows no {event:?}")]
pub struct WrongMove {
    pub state: State,
    pub event: Event,
}

impl State {
    /// Whether a token of this state opens the gate.
    pub fn opens(self) -> bool {
        matches!(self, Self::Provisional | Self::Redeemed)
    }

    /// Whether nothing can happen any more.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Expired | Self::Revoked)
    }

    /// The state after an event.
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
            // Without a token there is nothing to suspend: it is as if it had never been seen.
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
                // Nothing wakes what is over, and a sleeping token wakes only when its payment is back.
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
