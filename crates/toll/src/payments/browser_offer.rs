//! Offers that a browser holds, each in a cookie of its own. They survive a reload, sleep and other tabs, until no
//! payment for them can arrive any more.

use super::browser_addresses::ACCOUNT;
use super::redeem::{GRACE_S, IssuedOffer, redemption};
use super::refusals::{awaiting_block, store_failed};
use super::{PaymentService, RedeemOutcome};
use crate::caller::{Caller, unix_seconds};
use crate::page::{self, AmountReceived, OfferView, PageMode, RouteCookies};
use crate::payment_problem::PaymentProblem;
use crate::pricing::Pricing;
use crate::route::{Route, RouteTable};
use axum::body::Body;
use domain::encoding::base64url;
use http::{HeaderValue, Response};
use std::cmp::Reverse;
use store::toll::RedemptionOutcome;
use tpat::challenge::Challenge;
use wire::toll::TollCode;

/// Maximum number of offers that one browser may hold. Each takes some 300 bytes of its `Cookie` header.
pub(super) const MAX_OFFERS: usize = 12;

/// An offer in a cookie.
pub(super) struct BrowserOffer<'a> {
    /// Its challenge.
    pub text: &'a str,
    pub issued: IssuedOffer,
    pub pricing: Pricing,
}

/// The state of an offer.
pub(super) enum OfferStatus {
    Waiting(AmountReceived),
    Pending { have: u64, need: u64 },
    Open(RedeemOutcome),
}

impl PaymentService {
    /// Whether a payment for this challenge is found without a proof.
    pub fn follows(&self, challenge: &str) -> bool {
        let read = self.secrets.challenge(challenge);
        self.browser_addresses.is_some() && read.is_some_and(|challenge| challenge.terms.account == ACCOUNT)
    }

    /// Returns the offers of a browser's cookies that may still be paid, or have been. Those that end last come first.
    pub(super) fn browser_offers<'a>(&self, table: &RouteTable, caller: &Caller<'a>) -> Vec<BrowserOffer<'a>> {
        let cookies = page::offer_challenge(caller.headers, caller.https());
        let mut held: Vec<_> = cookies.into_iter().filter_map(|value| self.read_held(table, value, caller)).collect();
        held.sort_by_key(|held| Reverse(held.issued.challenge.terms.expires));
        held.dedup_by(|one, other| one.text == other.text);
        held
    }

    /// Returns the challenges of those offers.
    pub(crate) fn held_challenges<'a>(&self, table: &RouteTable, caller: &Caller<'a>) -> Vec<&'a str> {
        self.browser_offers(table, caller).into_iter().map(|held| held.text).collect()
    }

    fn read_held<'a>(&self, table: &RouteTable, value: &'a str, caller: &Caller<'_>) -> Option<BrowserOffer<'a>> {
        // Before offers were sealed, the cookie of a followed payment was the bare challenge.
        let text = self.secrets.open_offer(value).or_else(|| self.follows(value).then_some(value))?;
        let (issued, pricing) = self.issued_offer(table, text).ok()?;
        let bound = issued.challenge.terms.binding.is_key();
        let last = issued.challenge.terms.expires.saturating_add(GRACE_S);
        (!bound && caller.seconds() <= last).then_some(BrowserOffer { text, issued, pricing })
    }

    /// Returns the cookie that keeps an offer until its payments are no longer looked for.
    pub(super) fn keep(&self, route: &Route, text: &str, caller: &Caller<'_>) -> Option<HeaderValue> {
        let challenge = self.secrets.challenge(text)?;
        let left = challenge.terms.expires.saturating_add(GRACE_S).saturating_sub(caller.seconds());
        cookies(route, caller).set_offer(&short(&challenge), &self.secrets.seal_offer(text), left)
    }

    /// Returns 303: the page opens, and the browser gets its token in place of this offer.
    pub(crate) fn opened(
        &self,
        table: &RouteTable,
        challenge: &str,
        back: &str,
        token: &GrantedToken,
        caller: &Caller<'_>,
    ) -> Response<Body> {
        let left = unix_seconds(token.expires_at).saturating_sub(caller.seconds());
        let cookies = RouteCookies { route: &token.route, https: caller.https() };
        let held = self.browser_offers(table, caller).into_iter().find(|held| held.text == challenge);
        let gone = held.and_then(|held| cookies.forget_offer(&held.short()));
        page::redirect(back, [cookies.set(&token.text, left), gone].into_iter().flatten())
    }

    /// Returns the offer that matters most for the page, and its state. `None`: none does.
    pub(super) async fn most_relevant<'h, 'a>(
        &self,
        held: &'h [BrowserOffer<'a>],
        caller: &Caller<'_>,
    ) -> Option<(&'h BrowserOffer<'a>, Result<OfferStatus, PaymentProblem>)> {
        let mut best = None;
        let mut least = u8::MAX;
        for one in held {
            let step = self.status(one, caller).await;
            if let Some(rank) = one.rank(&step, self.follows(one.text), caller)
                && rank < least
            {
                (least, best) = (rank, Some((one, step)));
            }
        }
        best
    }

    /// Returns the page of an offer. `ended`: whether the browser holds another for the route that can no longer be
    /// paid.
    pub(super) fn show(
        &self,
        (held, step): (&BrowserOffer<'_>, Result<OfferStatus, PaymentProblem>),
        table: &RouteTable,
        ended: bool,
        caller: &Caller<'_>,
        mode: PageMode,
    ) -> Response<Body> {
        let offer = self.offer_from_challenge(&held.issued, held.text, caller);
        let view = OfferView { offer: &offer, back: caller.target, now: caller.seconds() };
        match step {
            Ok(OfferStatus::Waiting(received)) if held.is_payable(caller) => {
                if self.is_away() {
                    return page::closed(caller.target, mode);
                }
                if self.follows(held.text) {
                    return page::pay_here(view, received, mode);
                }
                let asked = page::offer_page(view, received, page::OfferRetention { kept: true, ended });
                self.challenged(asked, &offer, caller)
            }
            Ok(OfferStatus::Waiting(received)) => page::expired(view, received, &held.name(), mode),
            Ok(OfferStatus::Pending { have, need }) => page::pending(caller.target, have, need, mode),
            Ok(OfferStatus::Open(RedeemOutcome::Token { text, token, left })) if left > 0 => {
                let opened = GrantedToken { text, route: token.route.clone(), expires_at: token.expires_at };
                self.opened(table, held.text, caller.target, &opened, caller)
            }
            Ok(OfferStatus::Open(_)) => page::unavailable(&awaiting_block(), caller.target, mode),
            Err(problem) => page::unavailable(&problem, caller.target, mode),
        }
    }

    async fn status(&self, held: &BrowserOffer<'_>, caller: &Caller<'_>) -> Result<OfferStatus, PaymentProblem> {
        let name = held.name();
        let payments = self.store.payments_for(&name).await.map_err(|error| store_failed(&error))?;
        let late = self.store.late_payments_for(&name).await.map_err(|error| store_failed(&error))?;
        let late = late.iter().map(|late| late.piconero.unsigned_abs()).sum();
        let Some(first) = payments.first() else {
            return Ok(OfferStatus::Waiting(AmountReceived { late, ..AmountReceived::default() }));
        };
        let gone = payments.iter().any(|payment| payment.gone_at.is_some());
        let mut redemption = redemption(&held.issued, &held.pricing, first.id.txid.clone(), None, caller);
        redemption.height = self.chain.height();
        let redeemed = self.store.redeem_counted(&redemption).await.map_err(|error| store_failed(&error))?;
        Ok(match redeemed {
            RedemptionOutcome::Underpaid { have, .. } => {
                OfferStatus::Waiting(AmountReceived { have: have.unsigned_abs(), gone, late })
            }
            RedemptionOutcome::Pending { have, need } => {
                OfferStatus::Pending { have: have.unsigned_abs(), need: need.unsigned_abs() }
            }
            redeemed => OfferStatus::Open(self.outcome(&redemption, redeemed)?),
        })
    }
}

/// The token that a browser gets for its payment. It must not be logged.
pub(crate) struct GrantedToken {
    pub text: String,
    pub route: String,
    /// Expiry in unix milliseconds.
    pub expires_at: domain::UnixMs,
}

impl BrowserOffer<'_> {
    /// Returns the name that the offer, its payments and its token share.
    pub(super) fn name(&self) -> String {
        base64url(&self.issued.challenge.random)
    }

    /// Returns the part of the cookie's name that distinguishes it from others.
    pub(super) fn short(&self) -> String {
        short(&self.issued.challenge)
    }

    /// Whether a payment now counts.
    pub(super) fn is_payable(&self, caller: &Caller<'_>) -> bool {
        caller.seconds() <= self.issued.challenge.terms.expires
    }

    /// Returns the rank of an offer; the lowest is shown. `None`: it has ended, or only a proof can show its payment.
    #[expect(clippy::match_same_arms, reason = "arms stand in the order in which they apply")]
    fn rank(&self, step: &Result<OfferStatus, PaymentProblem>, followed: bool, caller: &Caller<'_>) -> Option<u8> {
        Some(match step {
            Ok(OfferStatus::Open(RedeemOutcome::Token { left, .. })) if *left > 0 => 0,
            Ok(OfferStatus::Open(RedeemOutcome::Token { token, .. }))
                if token.provisional && caller.now < token.expires_at =>
            {
                1
            }
            Ok(OfferStatus::Open(_)) => return None,
            Err(problem) if problem.code() == TollCode::TokenRevoked => return None,
            Err(_) => 1,
            Ok(OfferStatus::Pending { .. }) => 2,
            Ok(OfferStatus::Waiting(received)) if self.is_payable(caller) => 4 - u8::from(received.have > 0),
            Ok(OfferStatus::Waiting(received)) if followed || received.have > 0 || received.late > 0 => 5,
            Ok(OfferStatus::Waiting(_)) => return None,
        })
    }
}

fn short(challenge: &Challenge) -> String {
    base64url(&challenge.random[..6])
}

pub(super) fn cookies<'a>(route: &'a Route, caller: &Caller<'_>) -> RouteCookies<'a> {
    RouteCookies { route: &route.name, https: caller.https() }
}
