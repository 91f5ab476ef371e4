//! Exchanges a payment for a token. Checks are in the order of cost: the syntax, the challenge's MAC, the rates of the
//! offer and the client, the client's key, the store, and only then a node and the proof.

use super::refusals::{check_active, store_failed};
use super::{PaymentService, SubaddressIndex};
use crate::caller::{Caller, unix_seconds};
use crate::payment_problem::PaymentProblem;
use crate::pricing::{Pricing, TokenBinding};
use crate::route::{Route, RouteTable};
use domain::encoding::base64url;
use domain::rate::Rate;
use domain::{UnixMs, UnixSeconds};
use monero::{PaymentClaim, VerifiedPayment};
use std::sync::Arc;
use store::toll::{OfferTerms, PaymentId, Redemption, RedemptionOutcome, TollToken};
use tpat::Address;
use tpat::challenge::Challenge;
use tpat::credential::{self, Credential};
use tpat::{Binding, Thumbprint};
use wire::jwk::VerifyingJwk;
use wire::toll::TollCode;

/// Seconds for which an expired challenge is still considered, because it may have been paid in time.
pub(super) const GRACE_S: u64 = 86_400;

/// Factor by which all offers at one address together may exceed the limit of one offer. A neighbour who presents
/// nonsense uses up the limit of an offer of that neighbour first.
const SHARED: u32 = 10;

/// A payment as the client presented it.
#[derive(Debug, Clone, Copy)]
pub struct PresentedPayment<'a> {
    /// The value of `Authorization`.
    pub credential: &'a str,
    pub challenge: &'a str,
    pub key: RequestedBinding<'a>,
}

/// The key to bind the token to.
#[derive(Debug, Clone, Copy)]
pub enum RequestedBinding<'a> {
    /// The key that signed the request, if any.
    RequestKey,
    /// This key, which must have signed the request.
    Named(&'a VerifyingJwk),
    /// No key.
    Bearer,
    /// No key: a browser without script cannot sign, so its token goes into a cookie.
    BrowserCookie,
}

/// The result of redeeming a valid payment.
#[derive(Debug)]
pub enum RedeemOutcome {
    Token {
        text: String,
        token: Box<TollToken>,
        left: i64,
    },
    /// The payment lacks confirmations. The numbers are those that it has and needs.
    Pending {
        have: u64,
        need: u64,
    },
}

/// A challenge of this gate with its route and terms.
pub(super) struct IssuedOffer {
    pub challenge: Challenge,
    pub route: Arc<Route>,
    pub subaddress: SubaddressIndex,
    pub address: Address,
}

impl PaymentService {
    /// Exchanges a payment for a token.
    ///
    /// # Errors
    /// [`PaymentProblem`]. Nothing was written that would prevent presenting the payment again.
    pub async fn redeem(
        &self,
        table: &RouteTable,
        show: PresentedPayment<'_>,
        caller: &Caller<'_>,
    ) -> Result<RedeemOutcome, PaymentProblem> {
        self.redeem_one(table, show, caller).await
    }

    /// Tries one challenge after the other, because a person does not know for which of the offers a proof was made.
    /// The second value is the challenge that it was made for.
    ///
    /// # Errors
    /// As [`Self::redeem`], for the first one.
    pub(crate) async fn redeem_any<'c>(
        &self,
        table: &RouteTable,
        credential: &str,
        challenges: &[&'c str],
        caller: &Caller<'_>,
    ) -> Result<(RedeemOutcome, &'c str), (PaymentProblem, &'c str)> {
        let mut first = None;
        for &challenge in challenges {
            let tried = self.redeem_one(table, show(credential, challenge), caller).await;
            match tried {
                Ok(outcome) => return Ok((outcome, challenge)),
                Err(problem) if !problem.is_listed() && is_of_another(problem.code()) => {
                    first.get_or_insert((problem, challenge));
                }
                Err(problem) => return Err((problem, challenge)),
            }
        }
        Err(first.unwrap_or_else(|| (malformed(), "")))
    }

    async fn redeem_one(
        &self,
        table: &RouteTable,
        show: PresentedPayment<'_>,
        caller: &Caller<'_>,
    ) -> Result<RedeemOutcome, PaymentProblem> {
        let payment = parse_payment(show.credential)?;
        let (issued, pricing) = self.issued_offer(table, show.challenge)?;
        self.check_redemption_rate(issued.challenge.random, caller)?;
        let key = self.binding_key(&issued, &pricing, show.key, caller)?;
        let mut redemption = redemption(&issued, &pricing, payment.txid.to_string(), key, caller);
        let counted = self.is_counted(&redemption.payment).await?;
        if counted && let Some(redeemed) = self.redeem_again(&mut redemption).await? {
            return self.outcome(&redemption, redeemed);
        }
        let message = Challenge::message(show.challenge);
        let claim = PaymentClaim { txid: payment.txid, address: issued.address, message, proof: payment.proof };
        let seen = self.look_up(&claim, caller.now).await?;
        record_sighting(&mut redemption, &issued, &seen, counted, caller);
        let redeemed = self.store.redeem(&redemption).await.map_err(|error| store_failed(&error))?;
        self.outcome(&redemption, redeemed)
    }

    /// Counts a payment that is presented for an offer.
    ///
    /// # Errors
    /// Too many were presented for it, or by this client. Requests from pages of other origins count separately.
    pub(super) fn check_redemption_rate(&self, offer: [u8; 16], caller: &Caller<'_>) -> Result<(), PaymentProblem> {
        let count = self.settings.redemptions_per_minute;
        let (own, all) = (Rate::per(count, 60_000), Rate::per(count.saturating_mul(SHARED), 60_000));
        let by_offer = self.presented.take((caller.client, offer), own, caller.now);
        let who = (caller.client, caller.is_elsewhere());
        by_offer.and_then(|()| self.redemptions.take(who, all, caller.now)).map_err(|wait| {
            let wait = u64::try_from(wait).unwrap_or_default().div_ceil(1000);
            PaymentProblem::new(TollCode::TooMany, "Too many payments were presented from here. Wait a little.")
                .retry_after(wait)
        })
    }

    pub(super) fn issued_offer(
        &self,
        table: &RouteTable,
        text: &str,
    ) -> Result<(IssuedOffer, Pricing), PaymentProblem> {
        let forged = || PaymentProblem::new(TollCode::Forged, "This gate did not issue the challenge.");
        let challenge = self.secrets.challenge(text).ok_or_else(forged)?;
        let subaddress = SubaddressIndex { account: challenge.terms.account, index: challenge.terms.index };
        let (route, address) = (table.by_id(challenge.terms.route), self.address(subaddress));
        let (Some(route), Some(address)) = (route, address) else {
            return Err(PaymentProblem::new(
                TollCode::ExpiredChallenge,
                "The route of this challenge is no longer for sale.",
            ));
        };
        let Some(pricing) = route.pricing.clone() else {
            return Err(PaymentProblem::new(TollCode::ExpiredChallenge, "The route of this challenge is now free."));
        };
        Ok((IssuedOffer { challenge, route: Arc::clone(route), subaddress, address }, pricing))
    }

    fn binding_key(
        &self,
        issued: &IssuedOffer,
        pricing: &Pricing,
        key: RequestedBinding<'_>,
        caller: &Caller<'_>,
    ) -> Result<Option<Thumbprint>, PaymentProblem> {
        let wanted = issued.challenge.terms.binding;
        let must = pricing.binding == TokenBinding::Key || wanted.is_key();
        let signed = match key {
            RequestedBinding::Named(_) => true,
            RequestedBinding::RequestKey => must || caller.single_header(wire::toll::PROOF_HEADER).is_some(),
            RequestedBinding::Bearer => must,
            RequestedBinding::BrowserCookie => wanted.is_key(),
        };
        if !signed {
            return Ok(None);
        }
        let proven = self.dpop.check(caller)?;
        let other = matches!(key, RequestedBinding::Named(key) if Thumbprint::of(&key.thumbprint_input()) != proven)
            || matches!(wanted, Binding::Key(wanted) if wanted != proven);
        if other {
            return Err(PaymentProblem::new(TollCode::BadPossession, "The request is signed with another key."));
        }
        Ok(Some(proven))
    }

    async fn is_counted(&self, id: &PaymentId) -> Result<bool, PaymentProblem> {
        let payments = self.store.payments_of(&id.txid).await.map_err(|error| store_failed(&error))?;
        Ok(payments.iter().any(|payment| payment.id == *id))
    }

    /// Answers from the store if the same key presented this payment before, since the watcher knows its state. Without
    /// a key, only the proof identifies the client, so it must be verified again.
    async fn redeem_again(&self, redemption: &mut Redemption) -> Result<Option<RedemptionOutcome>, PaymentProblem> {
        if redemption.jkt.is_none() {
            return Ok(None);
        }
        redemption.height = self.chain.height();
        self.store.redeem_again(redemption).await.map_err(|error| store_failed(&error))
    }

    pub(super) fn outcome(
        &self,
        redemption: &Redemption,
        redeemed: RedemptionOutcome,
    ) -> Result<RedeemOutcome, PaymentProblem> {
        let outcome = match redeemed {
            RedemptionOutcome::Minted(token) => {
                let text = self.token_text(&token).ok_or_else(PaymentProblem::unavailable)?;
                let left = self.ledger.refresh(token.clone(), redemption.now);
                check_active(&token)?;
                Ok(RedeemOutcome::Token { text, token: Box::new(token), left })
            }
            RedemptionOutcome::Pending { have, need } => {
                Ok(RedeemOutcome::Pending { have: have.unsigned_abs(), need: need.unsigned_abs() })
            }
            RedemptionOutcome::Underpaid { have, need } => Err(PaymentProblem::new(
                TollCode::Underpaid,
                "Less was paid than asked. Pay the rest to the same address, and show that payment with the same \
                 challenge.",
            )
            .amounts(have.unsigned_abs(), need.unsigned_abs())),
            RedemptionOutcome::Taken => {
                Err(PaymentProblem::new(TollCode::AlreadyRedeemed, "This payment was already redeemed."))
            }
            RedemptionOutcome::Burnt => {
                Err(PaymentProblem::new(TollCode::AlreadyRedeemed, "An output of this payment was already counted."))
            }
            RedemptionOutcome::Late => Err(late(&redemption.challenge)),
        };
        let payment = self.secrets.log_name(&redemption.payment.txid);
        match &outcome {
            Ok(RedeemOutcome::Token { token, left, .. }) => {
                tracing::info!(payment, route = token.route, left, provisional = token.provisional, "redeemed");
            }
            Ok(RedeemOutcome::Pending { have, need }) => {
                tracing::info!(payment, route = redemption.route, have, need, "waiting for confirmations");
            }
            Err(problem) => {
                tracing::info!(payment, route = redemption.route, code = ?problem.code(), "declined");
            }
        }
        outcome
    }
}

pub(super) fn parse_payment(credential: &str) -> Result<credential::PaymentCredential, PaymentProblem> {
    match Credential::parse(credential) {
        Ok(Credential::Payment(payment)) => Ok(payment),
        _ => Err(malformed()),
    }
}

/// Creates a redemption that knows only the transaction.
pub(super) fn redemption(
    issued: &IssuedOffer,
    pricing: &Pricing,
    txid: String,
    jkt: Option<Thumbprint>,
    caller: &Caller<'_>,
) -> Redemption {
    let terms = &issued.challenge.terms;
    let SubaddressIndex { account, index: subaddress } = issued.subaddress;
    let confirmations = pricing.confirmations.iter().map(|step| (saturating_i64(step.from), step.need.into()));
    Redemption {
        payment: PaymentId { txid, account, subaddress },
        challenge: base64url(&issued.challenge.random),
        route: issued.route.name.clone(),
        jkt,
        piconero: 0,
        outputs: Vec::new(),
        block: None,
        height: 0,
        terms: OfferTerms {
            price: saturating_i64(terms.price),
            quota: saturating_i64(terms.quota),
            ttl_ms: i64::from(terms.ttl_s) * 1000,
            confirmations: confirmations.collect(),
            expires_at: begin_of(terms.expires.saturating_add(1)),
        },
        now: caller.now,
    }
}

/// Adds the data that a node reported.
fn record_sighting(
    redemption: &mut Redemption,
    issued: &IssuedOffer,
    seen: &VerifiedPayment,
    counted: bool,
    caller: &Caller<'_>,
) {
    let keys = seen.received.outputs.iter().map(|output| base64url(&output.one_time_key));
    redemption.outputs = keys.collect();
    redemption.piconero = saturating_i64(seen.received.total);
    redemption.block = seen.block.map(saturating_i64);
    redemption.height = saturating_i64(seen.height);
    // Paid in time, but presented late. After another day the node's report is no longer reliable.
    let expires = issued.challenge.terms.expires;
    let shown_in_time = counted || caller.seconds() <= expires.saturating_add(GRACE_S);
    if shown_in_time && seen.since.is_some_and(|since| since <= expires) {
        redemption.terms.expires_at = UnixMs::MAX;
    }
}

/// Returns the begin of a unix second, which is a `u64` in offers and tokens.
pub(super) fn begin_of(second: u64) -> UnixMs {
    UnixSeconds::from_seconds(saturating_i64(second)).to_millis()
}

/// Converts, saturating at the maximum. No possible amount of Monero exceeds it.
pub(super) fn saturating_i64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn malformed() -> PaymentProblem {
    PaymentProblem::new(TollCode::Malformed, "Present a payment as TPAT, transaction id, colon and an OutProofV2.")
}

/// Builds the problem of a payment after the end of its offer. `name`: the name in the list of late payments.
fn late(name: &str) -> PaymentProblem {
    let title = format!(
        "This payment was made after its offer had ended, so it bought nothing. It is listed here under the name {name}: \
         ask the operator of this site."
    );
    PaymentProblem::new(TollCode::ExpiredChallenge, title).reference(name)
}

/// Whether a payment may have been made for another challenge.
fn is_of_another(code: TollCode) -> bool {
    matches!(
        code,
        TollCode::WrongMessage
            | TollCode::BadProof
            | TollCode::ExpiredChallenge
            | TollCode::Forged
            | TollCode::AlreadyRedeemed
    )
}

/// Returns the payment in the form in which a browser presents it.
fn show<'a>(credential: &'a str, challenge: &'a str) -> PresentedPayment<'a> {
    PresentedPayment { credential, challenge, key: RequestedBinding::BrowserCookie }
}

/// Returns the expiry that a token's text contains.
pub(super) fn token_expiry(token: &TollToken) -> u64 {
    unix_seconds(token.expires_at)
}
