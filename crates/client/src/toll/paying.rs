//! The steps of a payment from the wallet's signature to the token, and what is stored at each.

use super::asking::Gate;
use super::bill::Bill;
use super::counter::Counter;
use super::payer::Prepared;
use super::person::News;
use super::purse::{Payment, Purse, Secret};
use crate::{Error, Result};

/// Nothing is sent for an offer in its last seconds.
const LATE: u64 = 60;

impl Counter<'_> {
    /// Pays a confirmed offer. Stores the payment, its proof and the signed transaction before sending. Serialised
    /// across all wallets, because two payments prepared at the same time could spend the same money.
    pub(super) async fn pay(&self, purse: &mut Purse, bill: Bill, url: &str) -> Result<()> {
        let payer = self.payer.ok_or(Error::NoWallet(bill.piconero))?;
        let _one = self.storage.lock_named("wallet").await?;
        let Prepared { txid, fee, proof, key, signed } = payer.prepare(&bill).await?;
        let (path, piconero, wallet) = (self.path(url), bill.piconero, payer.name().await?);
        self.storage.keep_transaction::<Purse>(self.server(), &txid, signed.expose())?;
        purse.payments.push(Payment { bill, path, txid: txid.clone(), wallet, proof: Some(proof), key: Some(key) });
        self.keep(purse).await?;
        payer.send(&signed).await?;
        self.person.hears(&News::Paid { txid, piconero, fee });
        Ok(())
    }

    /// Redeems every payment and stores each step. `earlier`: an earlier run made them and may not have sent them.
    pub(super) async fn settle(&self, gate: &Gate<'_>, purse: &mut Purse, earlier: bool) -> Result<()> {
        let key = purse.key()?;
        while let Some(payment) = purse.payments.first().cloned() {
            let proof = match &payment.proof {
                Some(proof) => proof.clone(),
                None => self.prove_later(purse, &payment).await?,
            };
            if earlier {
                self.person.hears(&News::Resumed { txid: payment.txid.clone() });
            }
            let ticket = self.redeem(gate, &key, &payment, &proof, earlier).await?;
            purse.payments.remove(0);
            purse.tickets.retain(|ticket| ticket.left > 0);
            purse.tickets.insert(0, ticket);
            self.keep(purse).await?;
            purse.forget_transactions(self.storage, self.server())?;
        }
        Ok(())
    }

    /// Makes the proof of a payment that an earlier version stored without one.
    async fn prove_later(&self, purse: &mut Purse, payment: &Payment) -> Result<String> {
        let payer = self.payer.ok_or(Error::NoWallet(payment.bill.piconero))?;
        let (origin, txid) = (self.server().origin(), payment.txid.clone());
        if payer.name().await? != payment.wallet {
            return Err(Error::OtherWallet { txid });
        }
        let proof = payer.prove(payment).await?.ok_or(Error::PaymentUncertain { origin, txid })?;
        if let Some(kept) = purse.payments.first_mut() {
            kept.proof = Some(proof.clone());
        }
        self.keep(purse).await?;
        Ok(proof)
    }

    /// Ensures that the network has a payment of an earlier run that the gate does not know. If no node has it, the
    /// same transaction is sent again. `now`: unix seconds by the gate's clock.
    ///
    /// # Errors
    /// It cannot be sent, permanently or now. It stays stored.
    pub(super) async fn send_again(&self, payment: &Payment, now: u64) -> Result<()> {
        let Some(payer) = self.payer else { return Ok(()) };
        if payer.is_known(payment).await? {
            return Ok(());
        }
        let (origin, txid) = (self.server().origin(), payment.txid.clone());
        let Some(signed) = self.storage.transaction::<Purse>(self.server(), &txid)? else {
            return Err(Error::PaymentUncertain { origin, txid });
        };
        if now.saturating_add(LATE) >= payment.bill.expires {
            return Err(Error::PaymentUncertain { origin, txid });
        }
        if payer.name().await? != payment.wallet {
            return Err(Error::OtherWallet { txid });
        }
        match payer.send(&Secret::from(signed.to_string())).await {
            Ok(()) => self.person.hears(&News::SentAgain { txid }),
            // A wallet also refuses a transaction that was mined in between.
            Err(Error::Wallet(cause @ monero::Error::Refused { .. })) => {
                if !payer.is_known(payment).await? {
                    return Err(Error::PaymentStuck { origin, txid, cause });
                }
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
