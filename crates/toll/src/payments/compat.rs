//! The scheme of 2022 (`TPAT0`): each request presents a transaction and its proof, without a message. Anyone who
//! intercepts one can use it. The payment is one account with one expiry and one quota, whatever the form of its proof.

use super::redeem::{parse_payment, saturating_i64};
use super::refusals::store_failed;
use super::{PROVEN_MS, PaymentService, RedeemOutcome};
use crate::caller::Caller;
use crate::payment_problem::PaymentProblem;
use crate::pricing::{Bundle, Pricing};
use crate::route::Route;
use domain::UnixMs;
use domain::encoding::{base64url, sha256};
use monero::{PaymentClaim, VerifiedPayment};
use store::toll::{OfferTerms, PaymentId, Redemption};
use tpat::amount::blocks;
use tpat::challenge::RouteId;
use tpat::price::blocks_bought;
use wire::toll::{BLOCK_S, TollCode};

impl PaymentService {
    /// Returns what a payment buys at a route that accepts such credentials.
    ///
    /// # Errors
    /// [`PaymentProblem`]; with [`TollCode::TokenSpent`] another payment is needed.
    pub async fn compat(
        &self,
        route: &Route,
        pricing: &Pricing,
        credential: &str,
        caller: &Caller<'_>,
    ) -> Result<RedeemOutcome, PaymentProblem> {
        let shown = sha256(credential.as_bytes());
        if let Some((id, _)) = self.proven.get(&shown).filter(|(_, until)| caller.now < *until)
            && let Some(token) = self.store.toll_token(&id).await.map_err(|error| store_failed(&error))?
        {
            let left = self.ledger.refresh(token.clone(), caller.now);
            return Ok(RedeemOutcome::Token { text: String::new(), token: Box::new(token), left });
        }
        let payment = parse_payment(credential)?;
        // Without a challenge, the payment identifies its offer.
        let mut offer = [0; 16];
        offer.copy_from_slice(&shown[..16]);
        self.check_redemption_rate(offer, caller)?;
        let subaddress = self.pool.of_route(RouteId::of(&route.name));
        let (Some(address), Some(bundle)) = (self.pool.address(subaddress), pricing.bundles.first()) else {
            return Err(PaymentProblem::unavailable());
        };
        let claim = PaymentClaim { txid: payment.txid, address, message: String::new(), proof: payment.proof };
        let seen = self.look_up(&claim, caller.now).await?;
        let id =
            PaymentId { txid: payment.txid.to_string(), account: subaddress.account, subaddress: subaddress.index };
        let redemption = redemption(id, route, pricing, bundle, &seen, caller)?;
        let redeemed = self.store.redeem(&redemption).await.map_err(|error| store_failed(&error))?;
        let outcome = self.outcome(&redemption, redeemed)?;
        if let RedeemOutcome::Token { token, .. } = &outcome {
            self.proven.insert(shown, (token.id.clone(), caller.now + PROVEN_MS));
        }
        Ok(outcome)
    }
}

/// Returns the redemption of such a payment. Its lifetime starts with its block: two minutes for each block that was
/// bought.
fn redemption(
    payment: PaymentId,
    route: &Route,
    pricing: &Pricing,
    bundle: &Bundle,
    seen: &VerifiedPayment,
    caller: &Caller<'_>,
) -> Result<Redemption, PaymentProblem> {
    let ttl = blocks(u64::try_from(bundle.ttl_ms / 1000).unwrap_or_default());
    let bought = blocks_bought(seen.received.total, bundle.price, ttl);
    let left = bought.saturating_sub(seen.confirmations);
    if bought > 0 && left == 0 {
        return Err(PaymentProblem::new(TollCode::TokenSpent, "This payment has expired. Pay again."));
    }
    let name = format!("tpat0 {} {} {} {}", route.name, payment.txid, payment.account, payment.subaddress);
    let confirmations = pricing.confirmations.iter().map(|step| (saturating_i64(step.from), step.need.into()));
    Ok(Redemption {
        payment,
        // Without a challenge, route and payment identify the account. Another route has another account.
        challenge: base64url(&sha256(name.as_bytes())[..16]),
        route: route.name.clone(),
        jkt: None,
        piconero: saturating_i64(seen.received.total),
        outputs: seen.received.outputs.iter().map(|output| base64url(&output.one_time_key)).collect(),
        block: seen.block.map(saturating_i64),
        height: saturating_i64(seen.height),
        terms: OfferTerms {
            price: saturating_i64(bundle.price),
            quota: bundle.quota.into(),
            ttl_ms: saturating_i64(left.saturating_mul(BLOCK_S * 1000)),
            confirmations: confirmations.collect(),
            expires_at: UnixMs::MAX,
        },
        now: caller.now,
    })
}
