//! A payment becomes a token: one transaction.

use super::backend::{Backend, Value};
use super::catalogue::sql;
use super::toll_tokens::{token, token_of};
use super::turns::take_turn;
use super::tx::Tx;
use super::write::Write;
use crate::Result;
use crate::toll::{PaymentId, Redeemed, Redemption, Token};

sql! {
    COUNT_PAYMENT = "INSERT INTO toll_payments
            (txid, account, subaddress, challenge, route, jkt, piconero, block, seen_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (txid, account, subaddress) DO NOTHING";
    WHOSE = "SELECT challenge, jkt, seen_at FROM toll_payments
        WHERE txid = $1 AND account = $2 AND subaddress = $3";
    NOW_IN = "UPDATE toll_payments SET block = $2, gone_at = NULL WHERE txid = $1";
    FORGET_PAYMENT = "DELETE FROM toll_payments WHERE txid = $1 AND account = $2 AND subaddress = $3";
    COUNT_OUTPUT = "INSERT INTO toll_outputs (output, txid, account, subaddress) VALUES ($1, $2, $3, $4)
        ON CONFLICT (output) DO NOTHING";
    FORGET_OUTPUTS = "DELETE FROM toll_outputs WHERE txid = $1 AND account = $2 AND subaddress = $3";
    // The least deep of them decides: a block of -1 is none.
    PAID = "SELECT CAST(COALESCE(SUM(piconero), 0) AS BIGINT) AS paid, MIN(COALESCE(block, -1)) AS first,
            MAX(COALESCE(block, -1)) AS last FROM toll_payments WHERE challenge = $1 AND gone_at IS NULL";
    MINT = "INSERT INTO toll_tokens (id, route, jkt, quota, used, remainder, minted_at, expires_at, provisional)
        VALUES ($1, $2, $3, $4, 0, $5, $6, $7, $8)
        ON CONFLICT (id) DO UPDATE SET quota = excluded.quota, remainder = excluded.remainder,
            expires_at = excluded.expires_at
        WHERE excluded.quota > toll_tokens.quota";
    CONFIRM = "UPDATE toll_tokens SET provisional = 0 WHERE id = $1 AND provisional = 1";
}

impl Write for Redemption {
    type Output = Redeemed;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<Redeemed> {
        // Payments for one offer add up: one after the other.
        take_turn(tx, &format!("toll {}", self.challenge), self.now).await?;
        if let Some(refused) = self.count(tx).await? {
            return Ok(refused);
        }
        tx.execute(NOW_IN, [Value::Text(&self.payment.txid), Value::OptInt(self.block)]).await?;
        self.judge(tx).await
    }
}

impl Redemption {
    /// Counts the payment and its outputs, if they were not counted before.
    async fn count<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<Option<Redeemed>> {
        let PaymentId { txid, account, subaddress } = &self.payment;
        let id = [Value::Text(txid), Value::Int((*account).into()), Value::Int((*subaddress).into())];
        let [t, a, s] = id;
        let (challenge, route, jkt) = (Value::Text(&self.challenge), Value::Text(&self.route), Value::Text(&self.jkt));
        let (paid, block, now) = (Value::Int(self.piconero), Value::OptInt(self.block), Value::Int(self.now));
        if tx.execute(COUNT_PAYMENT, [t, a, s, challenge, route, jkt, paid, block, now]).await? == 0 {
            let Some(row) = tx.one(WHOSE, id).await? else { return Ok(Some(Redeemed::Taken)) };
            let same = row.text("challenge")? == self.challenge && row.text("jkt")? == self.jkt;
            return Ok((!same).then_some(Redeemed::Taken));
        }
        let mut refused = (self.now >= self.terms.expires_at).then_some(Redeemed::Late);
        for output in &self.outputs {
            if refused.is_none() && tx.execute(COUNT_OUTPUT, [Value::Text(output), t, a, s]).await? == 0 {
                refused = Some(Redeemed::Burnt);
            }
        }
        if refused.is_some() {
            tx.execute(FORGET_OUTPUTS, id).await?;
            tx.execute(FORGET_PAYMENT, id).await?;
        }
        Ok(refused)
    }

    /// What all payments for the offer have bought.
    async fn judge<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<Redeemed> {
        let terms = &self.terms;
        let Some(row) = tx.one(PAID, [Value::Text(&self.challenge)]).await? else {
            return Ok(Redeemed::Underpaid { have: 0, need: terms.price });
        };
        let (paid, price) = (row.int("paid")?, terms.price.max(1));
        if paid < price {
            return Ok(Redeemed::Underpaid { have: paid, need: price });
        }
        let have = match (row.int("first")?, row.int("last")?) {
            (-1, _) => 0,
            (_, last) => (self.height - last).max(0),
        };
        let step = terms.confirmations.iter().rev().find(|(from, _)| *from <= paid);
        let need = step.map_or(0, |(_, need)| *need);
        if have < need {
            return Ok(Redeemed::Pending { have, need });
        }
        self.mint(tx, paid, have).await.map(Redeemed::Minted)
    }

    async fn mint<DB: Backend>(&self, tx: &mut Tx<'_, DB>, paid: i64, have: i64) -> Result<Token> {
        let terms = &self.terms;
        let price = terms.price.max(1);
        let quota = terms.quota.saturating_mul(paid / price);
        let values = [
            Value::Text(&self.challenge),
            Value::Text(&self.route),
            Value::Text(&self.jkt),
            Value::Int(quota),
            Value::Int(paid % price),
            Value::Int(self.now),
            Value::Int(self.now.saturating_add(terms.ttl_ms)),
            Value::Int((have == 0).into()),
        ];
        tx.execute(MINT, values).await?;
        if have > 0 {
            tx.execute(CONFIRM, [Value::Text(&self.challenge)]).await?;
        }
        let row = token_of(tx, &self.challenge).await?.ok_or(sqlx::Error::RowNotFound)?;
        token(&row)
    }
}
