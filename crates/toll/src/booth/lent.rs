//! A browser's offer, with an address that no other offer has: lent once, and kept in the browser's cookie.

use super::offer::{Shared, read, sealed};
use super::people::ACCOUNT;
use super::redeem::{GRACE_S, Sale as Sold, broken, redemption, whole};
use super::{Booth, Outcome, Place};
use crate::caller::{Caller, seconds};
use crate::declined::Declined;
use crate::page::{self, Arrived, Jar, Manner, Sale};
use crate::route::{Route, Table};
use crate::terms::Terms;
use axum::body::Body;
use domain::encoding::base64url;
use domain::rate::Rate;
use http::{HeaderValue, Method, Response, header};
use store::leases::Wish;
use store::toll::Redeemed;
use tpat::challenge::RouteId;
use tpat::header::Presented;
use wire::toll::{Code, Demand};

/// Addresses that one client is lent in an hour. Who wants more pays as programs do.
const AN_HOUR: u32 = 6;
const HOUR_MS: i64 = 3_600_000;

/// An offer that a browser has.
struct Lent<'a> {
    /// Its challenge.
    text: &'a str,
    sold: Sold,
    terms: Terms,
}

/// How far an offer got.
enum Step {
    Arrived(Arrived),
    Seen { have: u64, need: u64 },
    Open(Outcome),
}

impl Booth {
    /// The page for a browser that has no token: it follows the payment where an address of its own can be
    /// had, and asks for a proof where none can.
    pub async fn welcome(&self, table: &Table, route: &Route, terms: &Terms, caller: &Caller<'_>) -> Response<Body> {
        if let Some(lent) = self.held(table, route, caller)
            && let Some(response) = self.at_step(&lent, caller, Manner::Live).await
        {
            return response;
        }
        let lent = if *caller.method == Method::GET { self.lend(table, route, terms, caller).await } else { None };
        lent.unwrap_or_else(|| self.ask(route, terms, caller, Presented::default()))
    }

    /// The same page, kept still. `None`: the browser has no offer, or its page is open by now.
    pub async fn keep_still(&self, table: &Table, route: &Route, caller: &Caller<'_>) -> Option<Response<Body>> {
        let lent = self.held(table, route, caller)?;
        self.at_step(&lent, caller, Manner::Still).await.filter(|response| !response.status().is_redirection())
    }

    /// Whether a payment for this challenge is followed.
    pub fn follows(&self, challenge: &str) -> bool {
        let read = self.secrets.challenge(challenge);
        self.people.is_some() && read.is_some_and(|challenge| challenge.terms.account == ACCOUNT)
    }

    /// The offer in the browser's cookie, if it may still be paid, or have been.
    fn held<'a>(&self, table: &Table, route: &Route, caller: &Caller<'a>) -> Option<Lent<'a>> {
        let text = page::offered(caller.headers, jar(route, caller))?;
        let (sold, terms) = self.sale(table, text).ok()?;
        let last = sold.challenge.terms.expires.saturating_add(GRACE_S);
        let good = self.follows(text) && sold.route.name == route.name && caller.seconds() <= last;
        good.then_some(Lent { text, sold, terms })
    }

    /// `None`: it is over and done with, and another may begin.
    async fn at_step(&self, lent: &Lent<'_>, caller: &Caller<'_>, manner: Manner) -> Option<Response<Body>> {
        let demand = self.demand_again(&lent.sold, lent.text, caller);
        let sale = Sale { demand: &demand, back: caller.target, now: caller.seconds() };
        let in_time = caller.seconds() <= demand.expires;
        Some(match self.step(lent, caller).await {
            Ok(Step::Arrived(arrived)) if in_time => page::pay_here(sale, arrived, manner),
            Ok(Step::Arrived(arrived)) => page::ran_out(sale, arrived.have, &lent.name(), manner),
            Ok(Step::Seen { have, need }) => page::seen(caller.target, have, need, manner),
            Ok(Step::Open(Outcome::Token { text, token, left })) if left > 0 => {
                let left = seconds(token.expires_at).saturating_sub(caller.seconds());
                page::opened(caller.target, jar(&lent.sold.route, caller), &text, left)
            }
            Ok(Step::Open(Outcome::Token { token, .. })) if token.provisional && caller.now < token.expires_at => {
                page::held_up(&super::admit::early(), caller.target, manner)
            }
            Ok(Step::Open(_)) => return None,
            Err(declined) if declined.code() == Code::TokenRevoked => return None,
            Err(declined) => page::held_up(&declined, caller.target, manner),
        })
    }

    async fn step(&self, lent: &Lent<'_>, caller: &Caller<'_>) -> Result<Step, Declined> {
        let payments = self.store.payments_for(&lent.name()).await.map_err(|error| broken(&error))?;
        let Some(first) = payments.first() else { return Ok(Step::Arrived(Arrived::default())) };
        let gone = payments.iter().any(|payment| payment.gone_at.is_some());
        let mut redemption = redemption(&lent.sold, &lent.terms, first.id.txid.clone(), String::new(), caller);
        redemption.height = self.chain.height();
        let redeemed = self.store.redeem_counted(&redemption).await.map_err(|error| broken(&error))?;
        Ok(match redeemed {
            Redeemed::Underpaid { have, .. } => Step::Arrived(Arrived { have: have.unsigned_abs(), gone }),
            Redeemed::Pending { have, need } => Step::Seen { have: have.unsigned_abs(), need: need.unsigned_abs() },
            redeemed => Step::Open(self.outcome(&redemption, redeemed)?),
        })
    }

    /// `None`: there is no address to lend now.
    async fn lend(&self, table: &Table, route: &Route, terms: &Terms, caller: &Caller<'_>) -> Option<Response<Body>> {
        let (people, height) = (self.people.as_ref()?, self.chain.height());
        // Where the chain is not known, a payment could not be found.
        if height == 0 || self.lent.take(caller.client, Rate::per(AN_HOUR, HOUR_MS), caller.now).is_err() {
            return None;
        }
        let bundle = terms.bundles.first()?;
        let random = self.draw();
        let expires = caller.seconds().saturating_add(self.settings.challenge_s);
        let at = |seconds: u64| whole(seconds).saturating_add(1).saturating_mul(1000);
        let wish = Wish {
            challenge: base64url(&random),
            route: route.name.clone(),
            height,
            now: caller.now,
            expires_at: at(expires),
            ends_at: at(expires.saturating_add(GRACE_S)),
            addresses: people.count(),
        };
        let index = match self.store.lease(&wish).await {
            Ok(index) => index?,
            Err(error) => {
                broken(&error);
                return None;
            }
        };
        let place = Place { account: ACCOUNT, index };
        // Without script a browser has no key.
        let shared = Shared { route: RouteId::of(&route.name), place, expires, thumbprint: [0; 32] };
        let text = self.secrets.issue_challenge(random, sealed(terms, bundle, shared));
        self.count_challenge(route);
        let (sold, _) = self.sale(table, &text).ok()?;
        let demand = self.demand_again(&sold, &text, caller);
        let sale = Sale { demand: &demand, back: caller.target, now: caller.seconds() };
        let mut response = page::pay_here(sale, Arrived::default(), Manner::Live);
        let kept = expires.saturating_add(GRACE_S).saturating_sub(caller.seconds());
        response.headers_mut().insert(header::SET_COOKIE, jar(route, caller).set_offer(&text, kept)?);
        Some(response)
    }

    /// What the offer said, from its challenge.
    fn demand_again(&self, sold: &Sold, text: &str, caller: &Caller<'_>) -> Demand {
        let terms = &sold.challenge.terms;
        let offer = read(text.to_owned(), 1, terms);
        self.demand_for(&sold.address, offer.clone(), vec![offer], caller)
    }
}

impl Lent<'_> {
    /// What the offer, its payments and its token are called.
    fn name(&self) -> String {
        base64url(&self.sold.challenge.random)
    }
}

fn jar<'a>(route: &'a Route, caller: &Caller<'_>) -> Jar<'a> {
    Jar { route: &route.name, https: caller.https() }
}

/// The cookie that ends a browser's offer, if it shows one.
pub fn forgotten(route: &Route, caller: &Caller<'_>) -> Option<HeaderValue> {
    page::offered(caller.headers, jar(route, caller))?;
    jar(route, caller).forget_offer()
}
