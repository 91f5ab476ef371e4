//! Offers that a browser holds, each in a cookie of its own. They survive a reload, sleep and other tabs, until no
//! payment for them can come any more.

use super::people::ACCOUNT;
use super::redeem::{GRACE_S, Sale as Sold, broken, redemption};
use super::{Booth, Outcome};
use crate::caller::{Caller, seconds};
use crate::declined::Declined;
use crate::page::{self, Arrived, Jar, Manner, Sale};
use crate::route::{Route, Table};
use crate::terms::Terms;
use axum::body::Body;
use domain::encoding::base64url;
use http::{HeaderValue, Response};
use std::cmp::Reverse;
use store::toll::Redeemed;
use tpat::challenge::Challenge;
use wire::toll::Code;

/// Offers that one browser may hold: some 300 bytes of its `Cookie` header each.
pub(super) const MOST: usize = 12;

/// An offer in a cookie.
pub(super) struct Held<'a> {
    /// Its challenge.
    pub text: &'a str,
    pub sold: Sold,
    pub terms: Terms,
}

/// The state of an offer.
pub(super) enum Step {
    Arrived(Arrived),
    Seen { have: u64, need: u64 },
    Open(Outcome),
}

impl Booth {
    /// Whether a payment for this challenge is found without a proof.
    pub fn follows(&self, challenge: &str) -> bool {
        let read = self.secrets.challenge(challenge);
        self.people.is_some() && read.is_some_and(|challenge| challenge.terms.account == ACCOUNT)
    }

    /// Offers of a browser's cookies that may still be paid, or have been: those that end last come first.
    pub(super) fn held<'a>(&self, table: &Table, caller: &Caller<'a>) -> Vec<Held<'a>> {
        let cookies = page::offered(caller.headers, caller.https());
        let mut held: Vec<_> = cookies.into_iter().filter_map(|value| self.read_held(table, value, caller)).collect();
        held.sort_by_key(|held| Reverse(held.sold.challenge.terms.expires));
        held.dedup_by(|one, other| one.text == other.text);
        held
    }

    /// The challenges of those offers.
    pub fn held_challenges<'a>(&self, table: &Table, caller: &Caller<'a>) -> Vec<&'a str> {
        self.held(table, caller).into_iter().map(|held| held.text).collect()
    }

    fn read_held<'a>(&self, table: &Table, value: &'a str, caller: &Caller<'_>) -> Option<Held<'a>> {
        // Before offers were sealed, a challenge whose payment is followed was a cookie as it is.
        let text = self.secrets.open_offer(value).or_else(|| self.follows(value).then_some(value))?;
        let (sold, terms) = self.sale(table, text).ok()?;
        let bound = sold.challenge.terms.thumbprint != [0; 32];
        let last = sold.challenge.terms.expires.saturating_add(GRACE_S);
        (!bound && caller.seconds() <= last).then_some(Held { text, sold, terms })
    }

    /// The cookie that keeps an offer, until no payment for it is looked for any more.
    pub(super) fn keep(&self, route: &Route, text: &str, caller: &Caller<'_>) -> Option<HeaderValue> {
        let challenge = self.secrets.challenge(text)?;
        let left = challenge.terms.expires.saturating_add(GRACE_S).saturating_sub(caller.seconds());
        jar(route, caller).set_offer(&short(&challenge), &self.secrets.seal_offer(text), left)
    }

    /// 303: the page opens, and the browser has its token in place of this offer.
    pub(crate) fn opened(
        &self,
        table: &Table,
        challenge: &str,
        back: &str,
        token: &Opened,
        caller: &Caller<'_>,
    ) -> Response<Body> {
        let left = seconds(token.expires_at).saturating_sub(caller.seconds());
        let jar = Jar { route: &token.route, https: caller.https() };
        let held = self.held(table, caller).into_iter().find(|held| held.text == challenge);
        let gone = held.and_then(|held| jar.forget_offer(&held.short()));
        page::elsewhere(back, [jar.set(&token.text, left), gone].into_iter().flatten())
    }

    /// The offer of these that matters most to whoever looks at the page, and how far it got. `None`: none does.
    pub(super) async fn foremost<'h, 'a>(
        &self,
        held: &'h [Held<'a>],
        caller: &Caller<'_>,
    ) -> Option<(&'h Held<'a>, Result<Step, Declined>)> {
        let mut best = None;
        let mut least = u8::MAX;
        for one in held {
            let step = self.step(one, caller).await;
            if let Some(rank) = one.rank(&step, self.follows(one.text), caller)
                && rank < least
            {
                (least, best) = (rank, Some((one, step)));
            }
        }
        best
    }

    /// The page of an offer. `ended`: whether the browser holds another for the route that can no longer be paid.
    pub(super) async fn show(
        &self,
        (held, step): (&Held<'_>, Result<Step, Declined>),
        table: &Table,
        ended: bool,
        caller: &Caller<'_>,
        manner: Manner,
    ) -> Response<Body> {
        let demand = self.demand_again(&held.sold, held.text, caller);
        let sale = Sale { demand: &demand, back: caller.target, now: caller.seconds() };
        match step {
            Ok(Step::Arrived(arrived)) if held.is_payable(caller) => {
                if self.is_away() {
                    return page::closed(caller.target, manner);
                }
                if self.follows(held.text) {
                    return page::pay_here(sale, arrived, manner);
                }
                let asked = page::ask(sale, arrived, page::Keeping { kept: true, ended });
                self.challenged(asked, &demand, caller)
            }
            Ok(Step::Arrived(arrived)) => page::ran_out(sale, arrived, &held.name(), manner),
            Ok(Step::Seen { have, need }) => page::seen(caller.target, have, need, manner),
            Ok(Step::Open(Outcome::Token { text, token, left })) if left > 0 => {
                let opened = Opened { text, route: token.route.clone(), expires_at: token.expires_at };
                self.opened(table, held.text, caller.target, &opened, caller)
            }
            Ok(Step::Open(_)) => page::held_up(&super::admit::early(), caller.target, manner),
            Err(declined) => page::held_up(&declined, caller.target, manner),
        }
    }

    async fn step(&self, held: &Held<'_>, caller: &Caller<'_>) -> Result<Step, Declined> {
        let name = held.name();
        let payments = self.store.payments_for(&name).await.map_err(|error| broken(&error))?;
        let late = self.store.late_payments_for(&name).await.map_err(|error| broken(&error))?;
        let late = late.iter().map(|late| late.piconero.unsigned_abs()).sum();
        let Some(first) = payments.first() else { return Ok(Step::Arrived(Arrived { late, ..Arrived::default() })) };
        let gone = payments.iter().any(|payment| payment.gone_at.is_some());
        let mut redemption = redemption(&held.sold, &held.terms, first.id.txid.clone(), String::new(), caller);
        redemption.height = self.chain.height();
        let redeemed = self.store.redeem_counted(&redemption).await.map_err(|error| broken(&error))?;
        Ok(match redeemed {
            Redeemed::Underpaid { have, .. } => Step::Arrived(Arrived { have: have.unsigned_abs(), gone, late }),
            Redeemed::Pending { have, need } => Step::Seen { have: have.unsigned_abs(), need: need.unsigned_abs() },
            redeemed => Step::Open(self.outcome(&redemption, redeemed)?),
        })
    }
}

/// What a browser gets for its payment: not for a log.
pub(crate) struct Opened {
    pub text: String,
    pub route: String,
    /// Unix milliseconds.
    pub expires_at: domain::UnixMs,
}

impl Held<'_> {
    /// Returns the name of the offer, its payments and its token.
    pub fn name(&self) -> String {
        base64url(&self.sold.challenge.random)
    }

    /// What tells its cookie from others.
    pub fn short(&self) -> String {
        short(&self.sold.challenge)
    }

    /// Whether what is paid now counts.
    pub fn is_payable(&self, caller: &Caller<'_>) -> bool {
        caller.seconds() <= self.sold.challenge.terms.expires
    }

    /// The least is the foremost. `None`: it is over and done with, or only a proof can tell of it.
    fn rank(&self, step: &Result<Step, Declined>, followed: bool, caller: &Caller<'_>) -> Option<u8> {
        Some(match step {
            Ok(Step::Open(Outcome::Token { left, .. })) if *left > 0 => 0,
            Ok(Step::Open(Outcome::Token { token, .. })) if token.provisional && caller.now < token.expires_at => 1,
            Ok(Step::Open(_)) => return None,
            Err(declined) if declined.code() == Code::TokenRevoked => return None,
            Err(_) => 1,
            Ok(Step::Seen { .. }) => 2,
            Ok(Step::Arrived(arrived)) if self.is_payable(caller) => 4 - u8::from(arrived.have > 0),
            Ok(Step::Arrived(arrived)) if followed || arrived.have > 0 || arrived.late > 0 => 5,
            Ok(Step::Arrived(_)) => return None,
        })
    }
}

fn short(challenge: &Challenge) -> String {
    base64url(&challenge.random[..6])
}

pub(super) fn jar<'a>(route: &'a Route, caller: &Caller<'_>) -> Jar<'a> {
    Jar { route: &route.name, https: caller.https() }
}
