//! Exchanges a payment for a token. Checks are in the order of cost: the client's rate, the syntax, the challenge's
//! MAC, the client's key, the store, and only then a node and the proof.

use super::{Booth, Place};
use crate::caller::{Caller, seconds};
use crate::declined::Declined;
use crate::route::{Route, Table};
use crate::terms::{Bind, Terms};
use domain::encoding::base64url;
use domain::rate::Rate;
use monero::{Claim, Payment};
use std::sync::Arc;
use store::toll::{PaymentId, Redeemed, Redemption, Terms as Sold, Token};
use tpat::Address;
use tpat::challenge::Challenge;
use tpat::credential::{self, Credential};
use tpat::possession::thumbprint;
use wire::jwk::VerifyingJwk;
use wire::toll::Code;

/// Seconds for which an expired challenge is still considered, because it may have been paid in time.
pub(super) const GRACE_S: u64 = 86_400;

/// A payment as the client presented it.
#[derive(Debug, Clone, Copy)]
pub struct Show<'a> {
    /// The value of `Authorization`.
    pub credential: &'a str,
    pub challenge: &'a str,
    pub key: Key<'a>,
}

/// The key to bind the token to.
#[derive(Debug, Clone, Copy)]
pub enum Key<'a> {
    /// The key that signed the request, if any.
    OfTheRequest,
    /// This key, which must have signed the request.
    Named(&'a VerifyingJwk),
    /// None.
    Nobodys,
    /// None: a browser without script cannot sign, so its token goes into a cookie.
    Browsers,
}

/// The result of redeeming a valid payment.
#[derive(Debug)]
pub enum Outcome {
    Token {
        text: String,
        token: Box<Token>,
        left: i64,
    },
    /// Confirmations that it has and needs.
    Pending {
        have: u64,
        need: u64,
    },
}

/// A challenge of this gate with its route and terms.
pub(super) struct Sale {
    pub challenge: Challenge,
    pub route: Arc<Route>,
    pub place: Place,
    pub address: Address,
}

impl Booth {
    /// # Errors
    /// [`Declined`]. Nothing was written that would prevent presenting the payment again.
    pub async fn redeem(&self, table: &Table, show: Show<'_>, caller: &Caller<'_>) -> Result<Outcome, Declined> {
        self.not_too_often(caller)?;
        self.redeem_one(table, show, caller).await
    }

    /// Tries one challenge after the other: a person does not know which of the offers a proof was made for. The
    /// second: which one it was.
    ///
    /// # Errors
    /// As [`Self::redeem`], for the first one.
    pub async fn redeem_any<'c>(
        &self,
        table: &Table,
        credential: &str,
        challenges: &[&'c str],
        caller: &Caller<'_>,
    ) -> Result<(Outcome, &'c str), (Declined, &'c str)> {
        let mut first = None;
        if let Err(declined) = self.not_too_often(caller) {
            return Err((declined, challenges.first().copied().unwrap_or_default()));
        }
        for &challenge in challenges {
            let tried = self.redeem_one(table, show(credential, challenge), caller).await;
            match tried {
                Ok(outcome) => return Ok((outcome, challenge)),
                Err(declined) if !declined.is_listed() && is_of_another(declined.code()) => {
                    first.get_or_insert((declined, challenge));
                }
                Err(declined) => return Err((declined, challenge)),
            }
        }
        Err(first.unwrap_or_else(|| (malformed(), "")))
    }

    async fn redeem_one(&self, table: &Table, show: Show<'_>, caller: &Caller<'_>) -> Result<Outcome, Declined> {
        let payment = read(show.credential)?;
        let (sale, terms) = self.sale(table, show.challenge)?;
        let key = self.key_of(&sale, &terms, show.key, caller)?;
        let mut redemption = redemption(&sale, &terms, payment.txid.to_string(), key, caller);
        let counted = self.is_counted(&redemption.payment).await?;
        if counted && let Some(redeemed) = self.again(&mut redemption).await? {
            return self.outcome(&redemption, redeemed);
        }
        let message = Challenge::message(show.challenge);
        let claim = Claim { txid: payment.txid, address: sale.address, message, proof: payment.proof };
        let seen = self.look(&claim).await?;
        note(&mut redemption, &sale, &seen, counted, caller);
        let redeemed = self.store.redeem(&redemption).await.map_err(|error| broken(&error))?;
        self.outcome(&redemption, redeemed)
    }

    pub(super) fn not_too_often(&self, caller: &Caller<'_>) -> Result<(), Declined> {
        let rate = Rate::per(self.settings.redemptions_per_minute, 60_000);
        self.redemptions.take(caller.client, rate, caller.now).map_err(|wait| {
            let wait = u64::try_from(wait).unwrap_or_default().div_ceil(1000);
            Declined::new(Code::TooMany, "Too many payments were shown from here. Wait a little.").retry_after(wait)
        })
    }

    pub(super) fn sale(&self, table: &Table, text: &str) -> Result<(Sale, Terms), Declined> {
        let forged = || Declined::new(Code::Forged, "This challenge was not made here.");
        let challenge = self.secrets.challenge(text).ok_or_else(forged)?;
        let place = Place { account: challenge.terms.account, index: challenge.terms.index };
        let (route, address) = (table.by_id(challenge.terms.route), self.address(place));
        let (Some(route), Some(address)) = (route, address) else {
            return Err(Declined::new(Code::ExpiredChallenge, "The route of this challenge is no longer for sale."));
        };
        let Some(terms) = route.terms.clone() else {
            return Err(Declined::new(Code::ExpiredChallenge, "The route of this challenge is now free."));
        };
        Ok((Sale { challenge, route: Arc::clone(route), place, address }, terms))
    }

    fn key_of(&self, sale: &Sale, terms: &Terms, key: Key<'_>, caller: &Caller<'_>) -> Result<String, Declined> {
        let wanted = sale.challenge.terms.thumbprint;
        let must = terms.bind == Bind::Key || wanted != [0; 32];
        let signed = match key {
            Key::Named(_) => true,
            Key::OfTheRequest => must || caller.only(wire::toll::PROOF_HEADER).is_some(),
            Key::Nobodys => must,
            Key::Browsers => wanted != [0; 32],
        };
        if !signed {
            return Ok(String::new());
        }
        let thumb = self.possessions.check(caller, None)?;
        let other =
            matches!(key, Key::Named(key) if thumbprint(key) != thumb) || (wanted != [0; 32] && wanted != thumb);
        if other {
            return Err(Declined::new(Code::BadPossession, "The request is signed with another key."));
        }
        Ok(base64url(&thumb))
    }

    async fn is_counted(&self, id: &PaymentId) -> Result<bool, Declined> {
        let payments = self.store.payments_of(&id.txid).await.map_err(|error| broken(&error))?;
        Ok(payments.iter().any(|payment| payment.id == *id))
    }

    /// Answers from the store if the same key presented this payment before, since the watcher knows its state. Without
    /// a key, only the proof identifies the client, so it must be verified again.
    async fn again(&self, redemption: &mut Redemption) -> Result<Option<Redeemed>, Declined> {
        if redemption.jkt.is_empty() {
            return Ok(None);
        }
        redemption.height = self.chain.height();
        self.store.redeem_again(redemption).await.map_err(|error| broken(&error))
    }

    pub(super) fn outcome(&self, redemption: &Redemption, redeemed: Redeemed) -> Result<Outcome, Declined> {
        let outcome = match redeemed {
            Redeemed::Minted(token) => {
                let text = self.text(&token).ok_or_else(Declined::unavailable)?;
                let left = self.ledger.learn(token.clone(), redemption.now);
                super::admit::awake(&token)?;
                Ok(Outcome::Token { text, token: Box::new(token), left })
            }
            Redeemed::Pending { have, need } => {
                Ok(Outcome::Pending { have: have.unsigned_abs(), need: need.unsigned_abs() })
            }
            Redeemed::Underpaid { have, need } => Err(Declined::new(
                Code::Underpaid,
                "Less was paid than asked. Pay the rest to the same address, and show that payment with the same \
                 challenge.",
            )
            .amounts(have.unsigned_abs(), need.unsigned_abs())),
            Redeemed::Taken => Err(Declined::new(Code::AlreadyRedeemed, "This payment was already redeemed.")),
            Redeemed::Burnt => {
                Err(Declined::new(Code::AlreadyRedeemed, "An output of this payment was already counted."))
            }
            Redeemed::Late => Err(late(&redemption.challenge)),
        };
        let payment = self.secrets.log_name(&redemption.payment.txid);
        match &outcome {
            Ok(Outcome::Token { token, left, .. }) => {
                tracing::info!(payment, route = token.route, left, provisional = token.provisional, "redeemed");
            }
            Ok(Outcome::Pending { have, need }) => {
                tracing::info!(payment, route = redemption.route, have, need, "waiting for confirmations");
            }
            Err(declined) => {
                tracing::info!(payment, route = redemption.route, code = ?declined.code(), "declined");
            }
        }
        outcome
    }
}

pub(super) fn read(credential: &str) -> Result<credential::Payment, Declined> {
    match Credential::parse(credential) {
        Ok(Credential::Payment(payment)) => Ok(payment),
        _ => Err(malformed()),
    }
}

/// Creates a redemption that knows only the transaction.
pub(super) fn redemption(sale: &Sale, terms: &Terms, txid: String, jkt: String, caller: &Caller<'_>) -> Redemption {
    let sealed = &sale.challenge.terms;
    let Place { account, index: subaddress } = sale.place;
    let confirmations = terms.confirmations.iter().map(|step| (whole(step.from), step.need.into()));
    Redemption {
        payment: PaymentId { txid, account, subaddress },
        challenge: base64url(&sale.challenge.random),
        route: sale.route.name.clone(),
        jkt,
        piconero: 0,
        outputs: Vec::new(),
        block: None,
        height: 0,
        terms: Sold {
            price: whole(sealed.price),
            quota: whole(sealed.quota),
            ttl_ms: i64::from(sealed.ttl_s) * 1000,
            confirmations: confirmations.collect(),
            expires_at: whole(sealed.expires).saturating_add(1).saturating_mul(1000),
        },
        now: caller.now,
    }
}

/// Adds what a node reported.
fn note(redemption: &mut Redemption, sale: &Sale, seen: &Payment, counted: bool, caller: &Caller<'_>) {
    let keys = seen.received.outputs.iter().map(|output| base64url(&output.one_time_key));
    redemption.outputs = keys.collect();
    redemption.piconero = whole(seen.received.total);
    redemption.block = seen.block.map(whole);
    redemption.height = whole(seen.height);
    // Paid in time, but presented late. After a day more nobody is sure of the node's word any more.
    let expires = sale.challenge.terms.expires;
    let shown_in_time = counted || caller.seconds() <= expires.saturating_add(GRACE_S);
    if shown_in_time && seen.since.is_some_and(|since| since <= expires) {
        redemption.terms.expires_at = i64::MAX;
    }
}

/// Converts, saturating at the maximum. No possible amount of Monero exceeds it.
pub(super) fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn malformed() -> Declined {
    Declined::new(Code::Malformed, "Show a payment as TPAT, transaction id, colon and an OutProofV2.")
}

/// `name`: what it is listed under.
fn late(name: &str) -> Declined {
    let title = format!(
        "This payment was made after its offer had ended, so it bought nothing. It is listed here under the name {name}: \
         ask whoever runs this site."
    );
    Declined::new(Code::ExpiredChallenge, title).reference(name)
}

/// Whether a payment may have been made for another challenge.
fn is_of_another(code: Code) -> bool {
    matches!(code, Code::WrongMessage | Code::BadProof | Code::ExpiredChallenge | Code::Forged | Code::AlreadyRedeemed)
}

/// As a browser shows it.
fn show<'a>(credential: &'a str, challenge: &'a str) -> Show<'a> {
    Show { credential, challenge, key: Key::Browsers }
}

pub(super) fn broken(error: &store::Error) -> Declined {
    tracing::error!(cause = %error, "the store does not answer");
    Declined::unavailable()
}

/// Returns the expiry that a token's text contains.
pub(super) fn ends(token: &Token) -> u64 {
    seconds(token.expires_at)
}
