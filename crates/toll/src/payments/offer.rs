//! Answers that ask for a payment, with authenticated offers.

use super::{PaymentService, SubaddressIndex};
use crate::caller::Caller;
use crate::page::{self, AmountReceived, OfferRetention, OfferView, PageMode, RETRY_S};
use crate::payment_problem::PaymentProblem;
use crate::pricing::{Bundle, Pricing};
use crate::response::json;
use crate::route::Route;
use axum::body::Body;
use domain::rate::Rate;
use http::{HeaderValue, Response, StatusCode, header};
use tpat::Address;
use tpat::Binding;
use tpat::amount::{blocks, format_xmr};
use tpat::challenge::{Challenge, ChallengeTerms, RouteId};
use tpat::header::{RefusedCredential, write};
use wire::toll::{Offer, OfferedBundle, PROOF_HEADER, Piconero, REDEEM, TollCode, VERSION};

/// The common part of one answer's offers.
#[derive(Clone, Copy)]
pub(super) struct OfferParams {
    pub route: RouteId,
    pub subaddress: SubaddressIndex,
    pub expires: u64,
    /// The only key that may redeem them.
    pub binding: Binding,
}

impl PaymentService {
    /// Returns 402 with the bundles for sale, when no usable credential was presented. If the request is signed, the
    /// offer is for that key only.
    pub(crate) fn offer_response(
        &self,
        route: &Route,
        pricing: &Pricing,
        caller: &Caller<'_>,
        presented: RefusedCredential<'_>,
    ) -> Response<Body> {
        if self.is_away() {
            return Self::away(caller);
        }
        let signer = match self.signer(caller) {
            Ok(signer) => signer,
            Err(problem) => return problem.answer(),
        };
        let Some(offer) = self.offer(route, pricing, signer, caller) else {
            return PaymentProblem::unavailable().answer();
        };
        let response = if caller.is_browser() {
            let issued = OfferView { offer: &offer, back: caller.target, now: caller.seconds() };
            page::offer_page(issued, AmountReceived::default(), OfferRetention::default())
        } else {
            json(StatusCode::PAYMENT_REQUIRED, "application/json", &offer)
        };
        self.with_challenge(response, &offer, presented, caller)
    }

    /// Returns a page with the headers that programs read of an offer.
    pub(super) fn challenged(&self, page: Response<Body>, offer: &Offer, caller: &Caller<'_>) -> Response<Body> {
        self.with_challenge(page, offer, RefusedCredential::default(), caller)
    }

    fn with_challenge(
        &self,
        mut response: Response<Body>,
        offer: &Offer,
        presented: RefusedCredential<'_>,
        caller: &Caller<'_>,
    ) -> Response<Body> {
        let (name, nonce) = self.dpop.nonce(caller.now);
        response.headers_mut().insert(name, nonce);
        if let Ok(value) = HeaderValue::try_from(write(offer, presented)) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        response
    }

    /// Returns 503, because a payment could not be found.
    fn away(caller: &Caller<'_>) -> Response<Body> {
        if caller.is_browser() { page::closed(caller.target, PageMode::Live) } else { no_node().answer() }
    }

    /// Returns 402 with the reason why the credential is no longer usable. `credential`: a payment, or a token whose
    /// key was proven if it is bound.
    pub(crate) fn refuse_with_offer(
        &self,
        route: &Route,
        pricing: &Pricing,
        credential: &str,
        caller: &Caller<'_>,
        problem: PaymentProblem,
    ) -> PaymentProblem {
        if self.is_away() {
            return no_node();
        }
        let offer = self.offer(route, pricing, self.holder(credential), caller);
        let value = offer.and_then(|offer| HeaderValue::try_from(write(&offer, RefusedCredential::default())).ok());
        match value {
            Some(value) => problem.with(header::WWW_AUTHENTICATE, value),
            None => problem,
        }
    }

    /// Returns the key of a signed request without another credential; none if no signature counts. The check is
    /// rate-limited, because anybody can sign.
    ///
    /// # Errors
    /// The request is signed for another host, so the purchase would be unusable. No other signature is refused.
    fn signer(&self, caller: &Caller<'_>) -> Result<Binding, PaymentProblem> {
        let signed = caller.single_header(PROOF_HEADER).is_some();
        let rate = Rate::per(self.settings.redemptions_per_minute, 60_000);
        if !signed || self.proofs.take((caller.client, caller.is_elsewhere()), rate, caller.now).is_err() {
            return Ok(Binding::Bearer);
        }
        match self.dpop.check(caller) {
            Err(problem) if problem.code() == TollCode::HostRewritten => Err(problem),
            checked => Ok(checked.ok().into()),
        }
    }

    /// Makes one challenge for each bundle, all for one address. Writes nothing.
    pub(super) fn offer(
        &self,
        route: &Route,
        pricing: &Pricing,
        binding: Binding,
        caller: &Caller<'_>,
    ) -> Option<Offer> {
        let id = RouteId::of(&route.name);
        let subaddress = if pricing.tpat0 { self.pool.of_route(id) } else { self.pool.next_subaddress() };
        let address = self.pool.address(subaddress)?;
        let expires = caller.seconds() + self.settings.challenge_s;
        let shared = OfferParams { route: id, subaddress, expires, binding };
        let bundles = pricing.bundles.iter().enumerate();
        let accepts: Vec<_> =
            bundles.map(|(at, bundle)| self.offered_bundle(at + 1, pricing, bundle, shared)).collect();
        let first = accepts.first()?.clone();
        self.count_challenge(route);
        let offer = self.offer_for(&address, first, accepts, caller);
        Some(Offer { jkt: binding.key().map(|key| key.to_string()), ..offer })
    }

    pub(super) fn count_challenge(&self, route: &Route) {
        *self.challenges.lock().entry(route.name.clone()).or_default() += 1;
    }

    /// Makes the offers for any client and key.
    pub(super) fn offer_for(
        &self,
        address: &Address,
        first: OfferedBundle,
        accepts: Vec<OfferedBundle>,
        caller: &Caller<'_>,
    ) -> Offer {
        Offer {
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

    fn offered_bundle(&self, number: usize, pricing: &Pricing, bundle: &Bundle, shared: OfferParams) -> OfferedBundle {
        let sealed = challenge_terms(pricing, bundle, shared);
        offered_bundle(self.secrets.issue_challenge(self.draw(), sealed), number, &sealed)
    }

    /// Returns the random part of a challenge.
    pub(super) fn draw(&self) -> [u8; 16] {
        let mut random = [0; 16];
        (self.environment.random)(&mut random);
        random
    }
}

fn no_node() -> PaymentProblem {
    let title = "Payments cannot be checked here now: the Monero node does not answer, or is behind the network. Nothing \
                 was charged. Do not pay; try again later.";
    PaymentProblem::new(TollCode::NodeUnavailable, title).retry_after(RETRY_S)
}

/// Returns the authenticated content of a challenge.
pub(super) fn challenge_terms(pricing: &Pricing, bundle: &Bundle, shared: OfferParams) -> ChallengeTerms {
    let OfferParams { route, subaddress, expires, binding } = shared;
    ChallengeTerms {
        route,
        price: bundle.price,
        quota: bundle.quota.into(),
        ttl_s: u32::try_from(bundle.ttl_ms / 1000).unwrap_or(u32::MAX),
        confirmations: u16::try_from(pricing.need(bundle.price)).unwrap_or(u16::MAX),
        account: subaddress.account,
        index: subaddress.index,
        expires,
        binding,
    }
}

/// Restores the offer from a challenge.
pub(super) fn offered_bundle(challenge: String, number: usize, sealed: &ChallengeTerms) -> OfferedBundle {
    OfferedBundle {
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

fn title(offer: &OfferedBundle) -> String {
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
