//! Exchanges a payment for a token in one transaction.

use super::backend::{Backend, Value};
use super::named_locks::lock_named;
use super::statement::sql;
use super::toll_tokens::{key_column, key_text, token, token_of};
use super::tx::{Record, Tx};
use super::write::Write;
use crate::Result;
use crate::toll::{PaymentId, Redemption, RedemptionOutcome, TollToken};

sql! {
    COUNT_PAYMENT = "INSERT INTO toll_payments
            (txid, account, subaddress, challenge, route, jkt, piconero, block, seen_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (txid, account, subaddress) DO NOTHING";
    WHOSE = "SELECT challenge, jkt, gone_at FROM toll_payments
        WHERE txid = $1 AND account = $2 AND subaddress = $3";
    NOW_IN = "UPDATE toll_payments SET block = $2, gone_at = NULL WHERE txid = $1";
    FORGET_PAYMENT = "DELETE FROM toll_payments WHERE txid = $1 AND account = $2 AND subaddress = $3";
    COUNT_OUTPUT = "INSERT INTO toll_outputs (output, txid, account, subaddress) VALUES ($1, $2, $3, $4)
        ON CONFLICT (output) DO NOTHING";
    FORGET_OUTPUTS = "DELETE FROM toll_outputs WHERE txid = $1 AND account = $2 AND subaddress = $3";
    LATE = "INSERT INTO toll_late
            (txid, account, subaddress, challenge, route, piconero, block, seen_at, ended_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (txid, account, subaddress) DO NOTHING";
    IN_TIME = "DELETE FROM toll_late WHERE txid = $1 AND account = $2 AND subaddress = $3";
    PAID = "SELECT CAST(COALESCE(SUM(piconero), 0) AS BIGINT) AS paid, COUNT(*) - COUNT(block) AS in_no_block,
            MAX(block) AS last FROM toll_payments WHERE challenge = $1 AND gone_at IS NULL";
    MINT = "INSERT INTO toll_tokens (id, route, jkt, quota, used, remainder, minted_at, expires_at, provisional)
        VALUES ($1, $2, $3, $4, 0, $5, $6, $7, $8)
        ON CONFLICT (id) DO UPDATE SET quota = excluded.quota, remainder = excluded.remainder,
            expires_at = excluded.expires_at
        WHERE excluded.quota > toll_tokens.quota";
    CONFIRM = "UPDATE toll_tokens SET provisional = 0 WHERE id = $1 AND provisional = 1";
}

impl Write for Redemption {
    type Output = RedemptionOutcome;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<RedemptionOutcome> {
        // Serialises payments for one offer, because they add up. Otherwise each of two could count as underpaid.
        lock_named(tx, &format!("toll {}", self.challenge), self.now).await?;
        if let Some(refused) = self.count(tx).await? {
            return Ok(refused);
        }
        tx.execute(NOW_IN, &[Value::Text(&self.payment.txid), Value::OptInt(self.block)]).await?;
        self.judge(tx).await
    }
}

/// A payment that was counted before.
pub(super) struct RedeemAgain(pub Redemption);

impl Write for RedeemAgain {
    type Output = Option<RedemptionOutcome>;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<Option<RedemptionOutcome>> {
        let Self(redemption) = self;
        lock_named(tx, &format!("toll {}", redemption.challenge), redemption.now).await?;
        let Some(row) = tx.one(WHOSE, &redemption.id()).await? else { return Ok(None) };
        if !redemption.is_of(&row)? {
            return Ok(Some(RedemptionOutcome::Taken));
        }
        if row.opt_int("gone_at")?.is_some() {
            return Ok(None);
        }
        redemption.judge(tx).await.map(Some)
    }
}

/// A payment to count without creating a token.
pub(super) struct CountPayment(pub Redemption);

impl Write for CountPayment {
    type Output = Option<RedemptionOutcome>;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<Option<RedemptionOutcome>> {
        let Self(redemption) = self;
        lock_named(tx, &format!("toll {}", redemption.challenge), redemption.now).await?;
        let refused = redemption.count(tx).await?;
        if refused.is_none() {
            tx.execute(NOW_IN, &[Value::Text(&redemption.payment.txid), Value::OptInt(redemption.block)]).await?;
        }
        Ok(refused)
    }
}

/// All counted payments of an offer.
pub(super) struct RedeemCounted(pub Redemption);

impl Write for RedeemCounted {
    type Output = RedemptionOutcome;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<RedemptionOutcome> {
        lock_named(tx, &format!("toll {}", self.0.challenge), self.0.now).await?;
        self.0.judge(tx).await
    }
}

impl Redemption {
    fn id(&self) -> [Value<'_>; 3] {
        let PaymentId { txid, account, subaddress } = &self.payment;
        [Value::Text(txid), Value::Int((*account).into()), Value::Int((*subaddress).into())]
    }

    /// Whether a payment was counted for this offer and client.
    fn is_of<DB: Backend>(&self, row: &Record<DB>) -> Result<bool> {
        Ok(row.text("challenge")? == self.challenge && key_column(row, "toll_payments")? == self.jkt)
    }

    /// Counts the payment and its outputs, unless they were counted before.
    async fn count<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<Option<RedemptionOutcome>> {
        let id = self.id();
        let [t, a, s] = id;
        let jkt = key_text(self.jkt);
        let (challenge, route, jkt) = (Value::Text(&self.challenge), Value::Text(&self.route), Value::Text(&jkt));
        let (paid, block, now) = (Value::Int(self.piconero), Value::OptInt(self.block), Value::Time(self.now));
        if tx.execute(COUNT_PAYMENT, &[t, a, s, challenge, route, jkt, paid, block, now]).await? == 0 {
            let Some(row) = tx.one(WHOSE, &id).await? else { return Ok(Some(RedemptionOutcome::Taken)) };
            return Ok((!self.is_of(&row)?).then_some(RedemptionOutcome::Taken));
        }
        let mut refused = (self.now >= self.terms.expires_at).then_some(RedemptionOutcome::Late);
        for output in &self.outputs {
            if refused.is_none() && tx.execute(COUNT_OUTPUT, &[Value::Text(output), t, a, s]).await? == 0 {
                refused = Some(RedemptionOutcome::Burnt);
            }
        }
        if refused.is_some() {
            tx.execute(FORGET_OUTPUTS, &id).await?;
            tx.execute(FORGET_PAYMENT, &id).await?;
        } else {
            tx.execute(IN_TIME, &id).await?;
        }
        if refused == Some(RedemptionOutcome::Late) {
            let ended = Value::Time(self.terms.expires_at);
            tx.execute(LATE, &[t, a, s, challenge, route, paid, block, now, ended]).await?;
        }
        Ok(refused)
    }

    /// Returns the result of the offer's payments so far.
    async fn judge<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<RedemptionOutcome> {
        let terms = &self.terms;
        let Some(row) = tx.one(PAID, &[Value::Text(&self.challenge)]).await? else {
            return Ok(RedemptionOutcome::Underpaid { have: 0, need: terms.price });
        };
        let (paid, price) = (row.int("paid")?, terms.price.max(1));
        if paid < price {
            return Ok(RedemptionOutcome::Underpaid { have: paid, need: price });
        }
        // The payment with the fewest confirmations decides.
        let have = match (row.int("in_no_block")?, row.opt_int("last")?) {
            (0, Some(last)) => (self.height - last).max(0),
            _ => 0,
        };
        let step = terms.confirmations.iter().rev().find(|(from, _)| *from <= paid);
        let need = step.map_or(0, |(_, need)| *need);
        if have >= need {
            return self.mint(tx, paid, have).await.map(RedemptionOutcome::Minted);
        }
        // An issued token stays valid, whatever the chain shows now; the watcher suspends it.
        let token = token_of(tx, &self.challenge).await?.as_ref().map(token).transpose()?;
        match token.filter(|token| token.quota >= self.quota(paid)) {
            Some(token) => Ok(RedemptionOutcome::Minted(token)),
            None => Ok(RedemptionOutcome::Pending { have, need }),
        }
    }

    fn quota(&self, paid: i64) -> i64 {
        self.terms.quota.saturating_mul(paid / self.terms.price.max(1))
    }

    async fn mint<DB: Backend>(&self, tx: &mut Tx<'_, DB>, paid: i64, have: i64) -> Result<TollToken> {
        let terms = &self.terms;
        let (price, quota, jkt) = (terms.price.max(1), self.quota(paid), key_text(self.jkt));
        let values = [
            Value::Text(&self.challenge),
            Value::Text(&self.route),
            Value::Text(&jkt),
            Value::Int(quota),
            Value::Int(paid % price),
            Value::Time(self.now),
            Value::Time(self.now + terms.ttl_ms),
            Value::Int((have == 0).into()),
        ];
        tx.execute(MINT, &values).await?;
        if have > 0 {
            tx.execute(CONFIRM, &[Value::Text(&self.challenge)]).await?;
        }
        let row = token_of(tx, &self.challenge).await?.ok_or(sqlx::Error::RowNotFound)?;
        token(&row)
    }
}
