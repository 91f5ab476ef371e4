//! The page of a route for a browser without a token, and the assignment of addresses, each to one offer at a time.

use super::browser_addresses::ACCOUNT;
use super::browser_offer::{BrowserOffer, MAX_OFFERS, cookies};
use super::offer::{OfferParams, challenge_terms, offered_bundle};
use super::redeem::{GRACE_S, IssuedOffer, begin_of};
use super::refusals::store_failed;
use super::{PaymentService, SubaddressIndex};
use crate::caller::Caller;
use crate::page::{self, AmountReceived, OfferRetention, OfferView, PageMode};
use crate::pricing::Pricing;
use crate::route::{Route, RouteTable};
use axum::body::Body;
use domain::encoding::base64url;
use domain::rate::Rate;
use http::{HeaderValue, Method, Response, header};
use store::address_assignments::AssignmentRequest;
use tpat::Binding;
use tpat::challenge::RouteId;
use wire::toll::Offer;

/// Maximum number of addresses assigned to one client in an hour. Beyond that the page asks for a proof.
const ASSIGNMENTS_PER_HOUR: u32 = 6;
const HOUR_MS: i64 = 3_600_000;

impl PaymentService {
    /// Returns the page for a browser that has no token. It shows the offer that the browser holds, or a new one. A new
    /// offer has an address of its own if one is available, and otherwise asks for a proof.
    pub(crate) async fn browser_page(
        &self,
        table: &RouteTable,
        route: &Route,
        pricing: &Pricing,
        caller: &Caller<'_>,
    ) -> Response<Body> {
        let (own, others) = self.held_for(table, route, caller);
        let ended = own.iter().any(|held| !held.is_payable(caller));
        if let Some(most_relevant) = self.most_relevant(&own, caller).await {
            return self.show(most_relevant, table, ended, caller, PageMode::Live);
        }
        // A page that follows its payment needs a chain that was seen once. The next check is seconds away.
        let blind = self.browser_addresses.is_some() && self.chain.height() == 0;
        if blind || self.is_away() {
            return page::closed(caller.target, PageMode::Live);
        }
        // An offer that cannot be kept in a cookie lasts as long as its page.
        let keeps = *caller.method == Method::GET && own.len() + others < MAX_OFFERS;
        let lent = if keeps { self.assign_address(route, pricing, caller).await } else { None };
        if let Some(text) = lent
            && let Ok((issued, _)) = self.issued_offer(table, &text)
        {
            let offer = self.offer_from_challenge(&issued, &text, caller);
            let view = OfferView { offer: &offer, back: caller.target, now: caller.seconds() };
            return with(
                page::pay_here(view, AmountReceived::default(), PageMode::Live),
                self.keep(route, &text, caller),
            );
        }
        self.ask_to_prove(route, pricing, OfferRetention { kept: keeps, ended }, caller)
    }

    /// Returns the same page without refreshing. `None`: the browser has no offer, or its token is ready.
    pub(crate) async fn static_page(
        &self,
        table: &RouteTable,
        route: &Route,
        caller: &Caller<'_>,
    ) -> Option<Response<Body>> {
        let (own, _) = self.held_for(table, route, caller);
        let ended = own.iter().any(|held| !held.is_payable(caller));
        match self.most_relevant(&own, caller).await {
            Some(most_relevant) => {
                let page = self.show(most_relevant, table, ended, caller, PageMode::Still);
                Some(page).filter(|page| !page.status().is_redirection())
            }
            None => self.is_away().then(|| page::closed(caller.target, PageMode::Still)),
        }
    }

    /// Makes another offer for a browser whose offers for this route have all ended, and returns its cookie. Only for a
    /// browser that holds such an offer, because another site's form does not send its cookies.
    pub async fn renew(&self, table: &RouteTable, route: &Route, caller: &Caller<'_>) -> Option<HeaderValue> {
        let (own, others) = self.held_for(table, route, caller);
        let ended = !own.is_empty() && !own.iter().any(|held| held.is_payable(caller));
        let pricing = route.pricing.as_ref().filter(|_| ended && !self.is_away())?;
        if own.len() + others >= MAX_OFFERS {
            // The offer that ended first is removed for the new one.
            return own.last().and_then(|held| cookies(route, caller).forget_offer(&held.short()));
        }
        let text = match self.assign_address(route, pricing, caller).await {
            Some(text) => text,
            None => self.offer(route, pricing, Binding::Bearer, caller)?.challenge,
        };
        self.keep(route, &text, caller)
    }

    /// Returns a browser's offers for this route, and the number of its offers for others.
    fn held_for<'a>(&self, table: &RouteTable, route: &Route, caller: &Caller<'a>) -> (Vec<BrowserOffer<'a>>, usize) {
        let held = self.browser_offers(table, caller);
        let all = held.len();
        let own: Vec<_> = held.into_iter().filter(|held| held.issued.route.name == route.name).collect();
        let others = all - own.len();
        (own, others)
    }

    /// Returns the page that asks for a proof.
    fn ask_to_prove(
        &self,
        route: &Route,
        pricing: &Pricing,
        keeping: OfferRetention,
        caller: &Caller<'_>,
    ) -> Response<Body> {
        let Some(offer) = self.offer(route, pricing, Binding::Bearer, caller) else {
            return crate::payment_problem::PaymentProblem::unavailable().shown(caller);
        };
        let view = OfferView { offer: &offer, back: caller.target, now: caller.seconds() };
        let page = self.challenged(page::offer_page(view, AmountReceived::default(), keeping), &offer, caller);
        let cookie = if keeping.kept { self.keep(route, &offer.challenge, caller) } else { None };
        with(page, cookie)
    }

    /// Returns the challenge of an offer with an address of its own. `None`: no address can be assigned now.
    async fn assign_address(&self, route: &Route, pricing: &Pricing, caller: &Caller<'_>) -> Option<String> {
        let (browser_addresses, height) = (self.browser_addresses.as_ref()?, self.chain.height());
        // Without the chain's height a payment could not be found.
        if height == 0
            || self.assignments.take(caller.client, Rate::per(ASSIGNMENTS_PER_HOUR, HOUR_MS), caller.now).is_err()
        {
            return None;
        }
        let bundle = pricing.bundles.first()?;
        let random = self.draw();
        let expires = caller.seconds().saturating_add(self.settings.challenge_s);
        let at = |second: u64| begin_of(second.saturating_add(1));
        let request = AssignmentRequest {
            challenge: base64url(&random),
            route: route.name.clone(),
            height,
            now: caller.now,
            expires_at: at(expires),
            ends_at: at(expires.saturating_add(GRACE_S)),
            addresses: browser_addresses.count(),
        };
        let index = match self.store.assign_address(&request).await {
            Ok(index) => index?,
            Err(error) => {
                store_failed(&error);
                return None;
            }
        };
        let subaddress = SubaddressIndex { account: ACCOUNT, index };
        // A browser without script has no key.
        let shared = OfferParams { route: RouteId::of(&route.name), subaddress, expires, binding: Binding::Bearer };
        self.count_challenge(route);
        Some(self.secrets.issue_challenge(random, challenge_terms(pricing, bundle, shared)))
    }

    /// Restores the offer from its challenge.
    pub(super) fn offer_from_challenge(&self, issued: &IssuedOffer, text: &str, caller: &Caller<'_>) -> Offer {
        let terms = &issued.challenge.terms;
        let offer = offered_bundle(text.to_owned(), 1, terms);
        self.offer_for(&issued.address, offer.clone(), vec![offer], caller)
    }
}

fn with(mut page: Response<Body>, cookie: Option<HeaderValue>) -> Response<Body> {
    if let Some(cookie) = cookie {
        page.headers_mut().append(header::SET_COOKIE, cookie);
    }
    page
}
