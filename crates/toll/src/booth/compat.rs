//! The scheme of 2022 (`TPAT0`): each request presents a transaction and its proof, without a message. Anyone who
//! intercepts one can use it. The payment is one account with one expiry and one quota, whatever the form of its proof.

use super::redeem::{broken, read, whole};
use super::{Booth, Outcome};
use crate::caller::Caller;
use crate::declined::Declined;
use crate::route::Route;
use crate::terms::{Bundle, Terms};
use domain::encoding::{base64url, sha256};
use monero::{Claim, Payment};
use store::toll::{PaymentId, Redemption, Terms as Sold};
use tpat::amount::blocks;
use tpat::challenge::RouteId;
use tpat::price::blocks_bought;
use wire::toll::{BLOCK_S, Code};

impl Booth {
    /// Returns what a payment buys at a route that accepts such credentials.
    ///
    /// # Errors
    /// [`Declined`]; with [`Code::TokenSpent`] another payment is needed.
    pub async fn compat(
        &self,
        route: &Route,
        terms: &Terms,
        credential: &str,
        caller: &Caller<'_>,
    ) -> Result<Outcome, Declined> {
        let shown = sha256(credential.as_bytes());
        if let Some(id) = self.proven.get(&shown)
            && let Some(token) = self.store.toll_token(&id).await.map_err(|error| broken(&error))?
        {
            let left = self.ledger.learn(token.clone(), caller.now);
            return Ok(Outcome::Token { text: String::new(), token: Box::new(token), left });
        }
        self.not_too_often(caller)?;
        let payment = read(credential)?;
        let place = self.pool.of_route(RouteId::of(&route.name));
        let (Some(address), Some(bundle)) = (self.pool.address(place), terms.bundles.first()) else {
            return Err(Declined::unavailable());
        };
        let claim = Claim { txid: payment.txid, address, message: String::new(), proof: payment.proof };
        let seen = self.look(&claim).await?;
        let id = PaymentId { txid: payment.txid.to_string(), account: place.account, subaddress: place.index };
        let redemption = redemption(id, route, terms, bundle, &seen, caller)?;
        let redeemed = self.store.redeem(&redemption).await.map_err(|error| broken(&error))?;
        let outcome = self.outcome(&redemption, redeemed)?;
        if let Outcome::Token { token, .. } = &outcome {
            self.proven.insert(shown, token.id.clone());
        }
        Ok(outcome)
    }
}

/// Its time starts with its block: two minutes for each block that was bought.
fn redemption(
    payment: PaymentId,
    route: &Route,
    terms: &Terms,
    bundle: &Bundle,
    seen: &Payment,
    caller: &Caller<'_>,
) -> Result<Redemption, Declined> {
    let ttl = blocks(u64::try_from(bundle.ttl_ms / 1000).unwrap_or_default());
    let bought = blocks_bought(seen.received.total, bundle.price, ttl);
    let left = bought.saturating_sub(seen.confirmations);
    if bought > 0 && left == 0 {
        return Err(Declined::new(Code::TokenSpent, "This payment has expired. Pay again."));
    }
    let name = format!("tpat0 {} {} {} {}", route.name, payment.txid, payment.account, payment.subaddress);
    let confirmations = terms.confirmations.iter().map(|step| (whole(step.from), step.need.into()));
    Ok(Redemption {
        payment,
        // Without a challenge, route and payment identify the account. Another route has another account.
        challenge: base64url(&sha256(name.as_bytes())[..16]),
        route: route.name.clone(),
        jkt: String::new(),
        piconero: whole(seen.received.total),
        outputs: seen.received.outputs.iter().map(|output| base64url(&output.one_time_key)).collect(),
        block: seen.block.map(whole),
        height: whole(seen.height),
        terms: Sold {
            price: whole(bundle.price),
            quota: bundle.quota.into(),
            ttl_ms: whole(left.saturating_mul(BLOCK_S * 1000)),
            confirmations: confirmations.collect(),
            expires_at: i64::MAX,
        },
        now: caller.now,
    })
}
