//! Admits requests with a token.

use super::redeem::token_expiry;
use super::refusals::{problem, store_failed};
use super::{PaymentService, USED_UP_MS};
use crate::caller::Caller;
use crate::ledger::HeldRequest;
use crate::payment_problem::PaymentProblem;
use crate::pricing::Allowance;
use crate::route::Route;
use domain::encoding::{base64url, from_base64url};
use http::{HeaderName, HeaderValue, StatusCode};
use store::toll::TollToken;
use tpat::challenge::RouteId;
use tpat::credential::Credential;
use tpat::mac::CoveredRequest;
use tpat::{Binding, Thumbprint, TokenClass};
use verify::dpop::token_hash;
use wire::toll::{MAC_HEADER, MAC_KEY_HEADER, PROOF_HEADER, TollCode};

impl PaymentService {
    /// Reserves one request of a token until it is charged or dropped. The second value has headers for the client's
    /// next proof, if the token is bound.
    ///
    /// # Errors
    /// [`PaymentProblem`]; with [`TollCode::TokenSpent`] another token must be bought.
    pub async fn admit(
        &self,
        route: &Route,
        credential: &str,
        caller: &Caller<'_>,
    ) -> Result<(HeldRequest, Vec<(HeaderName, HeaderValue)>), PaymentProblem> {
        let forged = || {
            PaymentProblem::new(TollCode::Forged, "This gate did not issue the token.").status(StatusCode::UNAUTHORIZED)
        };
        let Ok(Credential::Session(text)) = Credential::parse(credential) else { return Err(forged()) };
        let token = match self.secrets.token(&text) {
            Some(token) => token,
            None => self.outlasting(&text).await?.ok_or_else(forged)?,
        };
        if token.routes != RouteId::of(&route.name) {
            return Err(PaymentProblem::new(TollCode::OtherRoute, "This token is for another route."));
        }
        let point = match token.binding {
            Binding::Bearer => None,
            Binding::Key(holder) => self.check_holder(holder, &text, caller)?,
        };
        let unit = self.unit(&base64url(&token.id), caller).await?.ok_or_else(forged)?;
        let next = token.binding.key().map(|holder| self.for_next_proof(point.as_deref(), holder, &text, caller));
        Ok((unit, next.unwrap_or_default()))
    }

    /// Checks a MAC or, if the request has one, a DPoP proof. Returns the proof's point for agreeing on a key.
    fn check_holder(
        &self,
        holder: Thumbprint,
        token: &str,
        caller: &Caller<'_>,
    ) -> Result<Option<String>, PaymentProblem> {
        if caller.headers.contains_key(MAC_HEADER) && !caller.headers.contains_key(PROOF_HEADER) {
            let request = CoveredRequest { method: caller.method.as_str(), url: &caller.url };
            let mac = caller.single_header(MAC_HEADER);
            let valid = mac.is_some_and(|mac| self.agreed.admits(mac, holder, token, request, caller.now));
            return if valid { Ok(None) } else { Err(self.dpop.refused_mac(caller.now)) };
        }
        let proven = self.dpop.verify(caller, Some(&token_hash(token)))?;
        if proven.thumbprint != holder {
            return Err(PaymentProblem::new(TollCode::BadPossession, "This token belongs to another key."));
        }
        Ok(proven.mac_epk)
    }

    /// Returns a nonce and, if the holder of a token signed a point, the gate's half of an agreement on a key.
    fn for_next_proof(
        &self,
        point: Option<&str>,
        holder: Thumbprint,
        token: &str,
        caller: &Caller<'_>,
    ) -> Vec<(HeaderName, HeaderValue)> {
        let agree = |point| self.agreed.agree(point, holder, token, &*self.environment.random, caller.now);
        let answer = point.and_then(agree).and_then(|answer| HeaderValue::try_from(answer.to_string()).ok());
        let key = answer.map(|answer| (HeaderName::from_static(MAC_KEY_HEADER), answer));
        std::iter::once(self.dpop.nonce(caller.now)).chain(key).collect()
    }

    /// Admits a token with the MAC of an expired or revoked key whose paid amount is not used up. It must match its
    /// sale and be bound to a key that the client proves, because others may have made it.
    async fn outlasting(&self, text: &str) -> Result<Option<tpat::Token>, PaymentProblem> {
        let Some(token) = self.secrets.ended_token(text).filter(tpat::Token::is_bound) else { return Ok(None) };
        let sold = self.ledger.find(&base64url(&token.id)).await.map_err(|error| store_failed(&error))?;
        Ok(sold.and_then(|sold| of_sale(&sold.token())).filter(|sold| *sold == token))
    }

    /// Returns the key that a token is bound to, if it is a token and has one.
    pub(super) fn holder(&self, credential: &str) -> Binding {
        let Ok(Credential::Session(text)) = Credential::parse(credential) else { return Binding::Bearer };
        self.secrets.token(&text).map_or(Binding::Bearer, |token| token.binding)
    }

    /// Reserves the first request of a newly bought token.
    ///
    /// # Errors
    /// [`PaymentProblem`]: the token is for another route, or used up.
    pub(crate) async fn first_unit(
        &self,
        route: &Route,
        token: &TollToken,
        caller: &Caller<'_>,
    ) -> Result<HeldRequest, PaymentProblem> {
        if token.route != route.name {
            return Err(PaymentProblem::new(TollCode::OtherRoute, "This payment was for another route."));
        }
        self.unit(&token.id, caller).await?.ok_or_else(PaymentProblem::unavailable)
    }

    /// Reserves one request of the token with this id. `None`: no such token exists.
    async fn unit(&self, id: &str, caller: &Caller<'_>) -> Result<Option<HeldRequest>, PaymentProblem> {
        let entry = self.ledger.find(id).await.map_err(|error| store_failed(&error))?;
        entry.map(|entry| entry.take(caller.now).map_err(problem)).transpose()
    }

    /// Whether this client has a session at the portal.
    pub async fn is_signed_in(&self, caller: &Caller<'_>) -> bool {
        match &self.portal {
            Some(portal) => portal.is_signed_in(caller.headers).await,
            None => false,
        }
    }

    /// Uses a free request of this client, if one is left.
    ///
    /// # Errors
    /// The store does not answer. Then no payment is requested.
    pub async fn is_free(
        &self,
        route: &Route,
        allowance: Option<Allowance>,
        caller: &Caller<'_>,
    ) -> Result<bool, PaymentProblem> {
        let Some(Allowance { requests, window_ms }) = allowance else { return Ok(false) };
        let who = (RouteId::of(&route.name), caller.client);
        if self.used_up.get(&who).is_some_and(|until| caller.now < until) {
            return Ok(false);
        }
        let allowance = domain::allowance::Allowance { count: requests, span_ms: window_ms };
        let name = self.secrets.client_name(caller.client);
        let taken = self.store.take_free(&route.name, &name, allowance, caller.now).await;
        match taken.map_err(|error| store_failed(&error))? {
            Ok(()) => Ok(true),
            Err(wait) => {
                self.used_up.insert(who, caller.now + wait.min(USED_UP_MS));
                Ok(false)
            }
        }
    }

    /// Returns the token as its holder presents it. It depends only on its row, so it is always the same for one key.
    pub(super) fn token_text(&self, token: &TollToken) -> Option<String> {
        Some(self.secrets.mint(&of_sale(token)?))
    }
}

fn of_sale(token: &TollToken) -> Option<tpat::Token> {
    let id = from_base64url(&token.id)?.try_into().ok()?;
    let (routes, expires) = (RouteId::of(&token.route), token_expiry(token));
    Some(tpat::Token { id, routes, expires, class: TokenClass::Counted, binding: token.jkt.into() })
}
