//! The steps of a payment from the wallet's signature to the token, and what is stored at each.

use super::account::{GateAccount, OpenPayment, Secret};
use super::gate_client::GateClient;
use super::offer::Offer;
use super::payer::PreparedPayment;
use super::paying_client::PayingClient;
use super::prompt::PaymentEvent;
use crate::{Error, Result};

/// Seconds before the end of an offer in which nothing is sent for it.
const LATE: u64 = 60;

impl PayingClient<'_> {
    /// Pays a confirmed offer. Stores the payment, its proof and the signed transaction before sending. Serialised
    /// across all wallets, because two payments prepared at the same time could spend the same money.
    pub(super) async fn pay(&self, account: &mut GateAccount, offer: Offer, url: &str) -> Result<()> {
        let payer = self.payer.ok_or(Error::NoWallet(offer.piconero))?;
        let _one = self.storage.lock_named("wallet").await?;
        let PreparedPayment { txid, fee, proof, key, signed } = payer.prepare(&offer).await?;
        let (path, piconero, wallet) = (self.path(url), offer.piconero, payer.name().await?);
        self.storage.keep_transaction::<GateAccount>(self.server(), &txid, signed.expose())?;
        account.payments.push(OpenPayment {
            offer,
            path,
            txid: txid.clone(),
            wallet,
            proof: Some(proof),
            key: Some(key),
        });
        self.keep(account).await?;
        payer.send(&signed).await?;
        self.prompt.notify(&PaymentEvent::Paid { txid, piconero, fee });
        Ok(())
    }

    /// Redeems every payment and stores each step. `earlier`: an earlier run made them and may not have sent them.
    pub(super) async fn settle(&self, gate: &GateClient<'_>, account: &mut GateAccount, earlier: bool) -> Result<()> {
        let key = account.key()?;
        while let Some(payment) = account.payments.first().cloned() {
            let proof = match &payment.proof {
                Some(proof) => proof.clone(),
                None => self.prove_later(account, &payment).await?,
            };
            if earlier {
                self.prompt.notify(&PaymentEvent::Resumed { txid: payment.txid.clone() });
            }
            let stored = self.redeem(gate, &key, &payment, &proof, earlier).await?;
            account.payments.remove(0);
            account.tokens.retain(|stored| stored.left > 0);
            account.tokens.insert(0, stored);
            self.keep(account).await?;
            account.forget_transactions(self.storage, self.server())?;
        }
        Ok(())
    }

    /// Makes the proof of a payment that an earlier version stored without one.
    async fn prove_later(&self, account: &mut GateAccount, payment: &OpenPayment) -> Result<String> {
        let payer = self.payer.ok_or(Error::NoWallet(payment.offer.piconero))?;
        let (origin, txid) = (self.server().origin(), payment.txid.clone());
        if payer.name().await? != payment.wallet {
            return Err(Error::OtherWallet { txid });
        }
        let proof = payer.prove(payment).await?.ok_or(Error::PaymentUncertain { origin, txid })?;
        if let Some(kept) = account.payments.first_mut() {
            kept.proof = Some(proof.clone());
        }
        self.keep(account).await?;
        Ok(proof)
    }

    /// Ensures that the network has a payment of an earlier run that the gate does not know. If no node has it, the
    /// same transaction is sent again. `now`: unix seconds by the gate's clock.
    ///
    /// # Errors
    /// It cannot be sent, permanently or now. It stays stored.
    pub(super) async fn send_again(&self, payment: &OpenPayment, now: u64) -> Result<()> {
        let Some(payer) = self.payer else { return Ok(()) };
        if payer.is_known(payment).await? {
            return Ok(());
        }
        let (origin, txid) = (self.server().origin(), payment.txid.clone());
        let Some(signed) = self.storage.transaction::<GateAccount>(self.server(), &txid)? else {
            return Err(Error::PaymentUncertain { origin, txid });
        };
        if now.saturating_add(LATE) >= payment.offer.expires {
            return Err(Error::PaymentUncertain { origin, txid });
        }
        if payer.name().await? != payment.wallet {
            return Err(Error::OtherWallet { txid });
        }
        match payer.send(&Secret::from(signed.to_string())).await {
            Ok(()) => self.prompt.notify(&PaymentEvent::SentAgain { txid }),
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
