//! The page of a route for a browser without a token; and addresses that no two offers share, lent to one at a time.

use super::held::{Held, MOST, jar};
use super::offer::{Shared, read, sealed};
use super::people::ACCOUNT;
use super::redeem::{GRACE_S, Sale as Sold, broken, whole};
use super::{Booth, Place};
use crate::caller::Caller;
use crate::page::{self, Arrived, Keeping, Manner, Sale};
use crate::route::{Route, Table};
use crate::terms::Terms;
use axum::body::Body;
use domain::encoding::base64url;
use domain::rate::Rate;
use http::{HeaderValue, Method, Response, header};
use store::leases::Wish;
use tpat::challenge::RouteId;
use wire::toll::Demand;

/// Addresses assigned to one client in an hour. Beyond that the page asks for a proof.
const AN_HOUR: u32 = 6;
const HOUR_MS: i64 = 3_600_000;

impl Booth {
    /// The page for a browser that has no token. It shows the offer that the browser holds, and makes one where it
    /// holds none: with an address of its own where one can be had, else one that asks for a proof.
    pub async fn welcome(&self, table: &Table, route: &Route, terms: &Terms, caller: &Caller<'_>) -> Response<Body> {
        let (own, others) = self.held_for(table, route, caller);
        let ended = own.iter().any(|held| !held.is_payable(caller));
        if let Some(foremost) = self.foremost(&own, caller).await {
            return self.show(foremost, table, ended, caller, Manner::Live).await;
        }
        // A page that follows its payment needs a chain that was seen once: the next look is seconds away.
        let blind = self.people.is_some() && self.chain.height() == 0;
        if blind || self.is_away() {
            return page::closed(caller.target, Manner::Live);
        }
        // An offer that cannot be kept lasts as long as its page.
        let keeps = *caller.method == Method::GET && own.len() + others < MOST;
        let lent = if keeps { self.lend(route, terms, caller).await } else { None };
        if let Some(text) = lent
            && let Ok((sold, _)) = self.sale(table, &text)
        {
            let demand = self.demand_again(&sold, &text, caller);
            let sale = Sale { demand: &demand, back: caller.target, now: caller.seconds() };
            return with(page::pay_here(sale, Arrived::default(), Manner::Live), self.keep(route, &text, caller));
        }
        self.ask_to_prove(route, terms, Keeping { kept: keeps, ended }, caller)
    }

    /// Returns the same page without refreshing. `None`: the browser has no offer, or its token is ready.
    pub async fn keep_still(&self, table: &Table, route: &Route, caller: &Caller<'_>) -> Option<Response<Body>> {
        let (own, _) = self.held_for(table, route, caller);
        let ended = own.iter().any(|held| !held.is_payable(caller));
        match self.foremost(&own, caller).await {
            Some(foremost) => {
                let page = self.show(foremost, table, ended, caller, Manner::Still).await;
                Some(page).filter(|page| !page.status().is_redirection())
            }
            None => self.is_away().then(|| page::closed(caller.target, Manner::Still)),
        }
    }

    /// Another offer for a browser whose offers for this route have all ended: a cookie. Only for one that holds such
    /// an offer, since another site's form does not send its cookies.
    pub async fn renew(&self, table: &Table, route: &Route, caller: &Caller<'_>) -> Option<HeaderValue> {
        let (own, others) = self.held_for(table, route, caller);
        let ended = !own.is_empty() && !own.iter().any(|held| held.is_payable(caller));
        let terms = route.terms.as_ref().filter(|_| ended && !self.is_away())?;
        if own.len() + others >= MOST {
            // The one that ended first makes room.
            return own.last().and_then(|held| jar(route, caller).forget_offer(&held.short()));
        }
        let text = match self.lend(route, terms, caller).await {
            Some(text) => text,
            None => self.demand(route, terms, [0; 32], caller)?.challenge,
        };
        self.keep(route, &text, caller)
    }

    /// What a browser holds for this route, and how many offers for others.
    fn held_for<'a>(&self, table: &Table, route: &Route, caller: &Caller<'a>) -> (Vec<Held<'a>>, usize) {
        let held = self.held(table, caller);
        let all = held.len();
        let own: Vec<_> = held.into_iter().filter(|held| held.sold.route.name == route.name).collect();
        let others = all - own.len();
        (own, others)
    }

    /// The page that asks for a proof.
    fn ask_to_prove(&self, route: &Route, terms: &Terms, keeping: Keeping, caller: &Caller<'_>) -> Response<Body> {
        let Some(demand) = self.demand(route, terms, [0; 32], caller) else {
            return crate::declined::Declined::unavailable().shown(caller);
        };
        let sale = Sale { demand: &demand, back: caller.target, now: caller.seconds() };
        let page = self.challenged(page::ask(sale, Arrived::default(), keeping), &demand, caller);
        let cookie = if keeping.kept { self.keep(route, &demand.challenge, caller) } else { None };
        with(page, cookie)
    }

    /// The challenge of an offer with an address of its own. `None`: there is no address to lend now.
    async fn lend(&self, route: &Route, terms: &Terms, caller: &Caller<'_>) -> Option<String> {
        let (people, height) = (self.people.as_ref()?, self.chain.height());
        // Without the chain's height a payment could not be found.
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
        // A browser without script has no key.
        let shared = Shared { route: RouteId::of(&route.name), place, expires, thumbprint: [0; 32] };
        self.count_challenge(route);
        Some(self.secrets.issue_challenge(random, sealed(terms, bundle, shared)))
    }

    /// Restores the offer from its challenge.
    pub(super) fn demand_again(&self, sold: &Sold, text: &str, caller: &Caller<'_>) -> Demand {
        let terms = &sold.challenge.terms;
        let offer = read(text.to_owned(), 1, terms);
        self.demand_for(&sold.address, offer.clone(), vec![offer], caller)
    }
}

fn with(mut page: Response<Body>, cookie: Option<HeaderValue>) -> Response<Body> {
    if let Some(cookie) = cookie {
        page.headers_mut().append(header::SET_COOKIE, cookie);
    }
    page
}
