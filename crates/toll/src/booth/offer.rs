//! Answers that ask for a payment, with authenticated offers.

use super::{Booth, Place};
use crate::answer::json;
use crate::caller::Caller;
use crate::declined::Declined;
use crate::page::{self, Arrived, Keeping, Manner, RETRY_S, Sale};
use crate::route::Route;
use crate::terms::{Bundle, Terms};
use axum::body::Body;
use domain::encoding::base64url;
use domain::rate::Rate;
use http::{HeaderValue, Response, StatusCode, header};
use tpat::Address;
use tpat::amount::{blocks, format_xmr};
use tpat::challenge::{Challenge, RouteId, Terms as Sealed};
use tpat::header::{Presented, write};
use wire::toll::{Code, Demand, Offer, PROOF_HEADER, Piconero, REDEEM, VERSION};

/// The common part of one answer's offers.
#[derive(Clone, Copy)]
pub(super) struct Shared {
    pub route: RouteId,
    pub place: Place,
    pub expires: u64,
    /// The only key that may redeem them; zeros: any key.
    pub thumbprint: [u8; 32],
}

impl Booth {
    /// Returns 402 with the bundles for sale, when no usable credential was presented. If the request is signed, the
    /// offer is for that key only.
    pub fn ask(&self, route: &Route, terms: &Terms, caller: &Caller<'_>, presented: Presented<'_>) -> Response<Body> {
        if self.is_away() {
            return self.away(caller);
        }
        let signer = match self.signer(caller) {
            Ok(signer) => signer,
            Err(declined) => return declined.answer(),
        };
        let Some(demand) = self.demand(route, terms, signer, caller) else {
            return Declined::unavailable().answer();
        };
        let response = if caller.is_browser() {
            let sale = Sale { demand: &demand, back: caller.target, now: caller.seconds() };
            page::ask(sale, Arrived::default(), Keeping::default())
        } else {
            json(StatusCode::PAYMENT_REQUIRED, "application/json", &demand)
        };
        self.with_challenge(response, &demand, presented, caller)
    }

    /// An answer with what programs read of an offer in its headers.
    pub(super) fn challenged(&self, page: Response<Body>, demand: &Demand, caller: &Caller<'_>) -> Response<Body> {
        self.with_challenge(page, demand, Presented::default(), caller)
    }

    fn with_challenge(
        &self,
        mut response: Response<Body>,
        demand: &Demand,
        presented: Presented<'_>,
        caller: &Caller<'_>,
    ) -> Response<Body> {
        let (name, nonce) = self.possessions.nonce(caller.now);
        response.headers_mut().insert(name, nonce);
        if let Ok(value) = HeaderValue::try_from(write(demand, presented)) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        response
    }

    /// 503: nobody is asked for money that could not be found.
    fn away(&self, caller: &Caller<'_>) -> Response<Body> {
        if caller.is_browser() { page::closed(caller.target, Manner::Live) } else { no_node().answer() }
    }

    /// Returns 402 with the reason why the credential is not usable any more. `credential`: a payment, or a token whose
    /// key was proven if it is bound.
    pub fn ask_again(
        &self,
        route: &Route,
        terms: &Terms,
        credential: &str,
        caller: &Caller<'_>,
        declined: Declined,
    ) -> Declined {
        if self.is_away() {
            return no_node();
        }
        let demand = self.demand(route, terms, self.holder(credential), caller);
        let value = demand.and_then(|demand| HeaderValue::try_from(write(&demand, Presented::default())).ok());
        match value {
            Some(value) => declined.with(header::WWW_AUTHENTICATE, value),
            None => declined,
        }
    }

    /// Returns the key of a signed request without another credential; zeros if none counts. The check is rate-limited,
    /// because anybody can sign.
    ///
    /// # Errors
    /// The request is signed for another host, so the purchase would be unusable. No other signature is refused.
    fn signer(&self, caller: &Caller<'_>) -> Result<[u8; 32], Declined> {
        let signed = caller.only(PROOF_HEADER).is_some();
        let rate = Rate::per(self.settings.redemptions_per_minute, 60_000);
        if !signed || self.proofs.take(caller.client, rate, caller.now).is_err() {
            return Ok([0; 32]);
        }
        match self.possessions.check(caller, None) {
            Err(declined) if declined.code() == Code::HostRewritten => Err(declined),
            checked => Ok(checked.unwrap_or([0; 32])),
        }
    }

    /// Makes one challenge for each bundle, all for one address. Writes nothing.
    pub(super) fn demand(
        &self,
        route: &Route,
        terms: &Terms,
        thumbprint: [u8; 32],
        caller: &Caller<'_>,
    ) -> Option<Demand> {
        let id = RouteId::of(&route.name);
        let place = if terms.tpat0 { self.pool.of_route(id) } else { self.pool.next() };
        let address = self.pool.address(place)?;
        let expires = caller.seconds() + self.settings.challenge_s;
        let shared = Shared { route: id, place, expires, thumbprint };
        let bundles = terms.bundles.iter().enumerate();
        let accepts: Vec<_> = bundles.map(|(at, bundle)| self.offer(at + 1, terms, bundle, shared)).collect();
        let first = accepts.first()?.clone();
        self.count_challenge(route);
        let demand = self.demand_for(&address, first, accepts, caller);
        Some(Demand { jkt: (thumbprint != [0; 32]).then(|| base64url(&thumbprint)), ..demand })
    }

    pub(super) fn count_challenge(&self, route: &Route) {
        *self.challenges.lock().entry(route.name.clone()).or_default() += 1;
    }

    /// Makes the offers for any client and key.
    pub(super) fn demand_for(
        &self,
        address: &Address,
        first: Offer,
        accepts: Vec<Offer>,
        caller: &Caller<'_>,
    ) -> Demand {
        Demand {
            address: address.to_string(),
            min_amt: first.min_amt,
            ttl: blocks(first.ttl_s),
            v: VERSION,
            realm: caller.host.to_owned(),
            expires: first.expires,
            ttl_s: first.ttl_s,
            quota: first.quota,
            conf: first.conf,
            network: self.settings.network,
            redeem: REDEEM.to_owned(),
            jkt: None,
            title: title(&first),
            challenge: first.challenge,
            message: first.message,
            accepts,
        }
    }

    fn offer(&self, number: usize, terms: &Terms, bundle: &Bundle, shared: Shared) -> Offer {
        let sealed = sealed(terms, bundle, shared);
        read(self.secrets.issue_challenge(self.draw(), sealed), number, &sealed)
    }

    /// Returns the random part of a challenge.
    pub(super) fn draw(&self) -> [u8; 16] {
        let mut random = [0; 16];
        (self.surroundings.random)(&mut random);
        random
    }
}

fn no_node() -> Declined {
    let title = "Payments cannot be checked here now: the Monero node does not answer, or is behind the network. Nothing \
                 was charged. Do not pay; try again later.";
    Declined::new(Code::NodeUnavailable, title).retry_after(RETRY_S)
}

/// Returns the authenticated content of a challenge.
pub(super) fn sealed(terms: &Terms, bundle: &Bundle, shared: Shared) -> Sealed {
    let Shared { route, place, expires, thumbprint } = shared;
    Sealed {
        route,
        price: bundle.price,
        quota: bundle.quota.into(),
        ttl_s: u32::try_from(bundle.ttl_ms / 1000).unwrap_or(u32::MAX),
        confirmations: u16::try_from(terms.need(bundle.price)).unwrap_or(u16::MAX),
        account: place.account,
        index: place.index,
        expires,
        thumbprint,
    }
}

/// Restores the offer from a challenge.
pub(super) fn read(challenge: String, number: usize, sealed: &Sealed) -> Offer {
    Offer {
        name: number.to_string(),
        min_amt: Piconero(sealed.price),
        ttl_s: sealed.ttl_s.into(),
        quota: sealed.quota,
        conf: sealed.confirmations.into(),
        message: Challenge::message(&challenge),
        challenge,
        expires: sealed.expires,
    }
}

fn title(offer: &Offer) -> String {
    let requests = if offer.quota == 1 { "one request".to_owned() } else { format!("{} requests", offer.quota) };
    format!("This costs {} XMR for {requests} within {}.", format_xmr(offer.min_amt.0), span(offer.ttl_s))
}

fn span(seconds: u64) -> String {
    let units = [(86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")];
    let unit = units.into_iter().find(|(length, _)| seconds >= *length && seconds.is_multiple_of(*length));
    let (length, name) = unit.unwrap_or((1, "second"));
    let count = seconds / length;
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_said_as_people_say_them() {
        for (seconds, said) in
            [(1, "1 second"), (60, "1 minute"), (90, "90 seconds"), (5400, "90 minutes"), (172_800, "2 days")]
        {
            assert_eq!(span(seconds), said);
        }
    }
}
