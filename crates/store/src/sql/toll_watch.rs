//! Later observations of payments on the chain.

use super::backend::{Backend, Value};
use super::statement::sql;
use super::tx::Tx;
use super::write::Write;
use crate::Result;
use crate::toll::{ChainView, TransactionStatus};

sql! {
    UNSETTLED = "SELECT DISTINCT txid FROM toll_payments WHERE settled_at IS NULL";
    IN_NO_BLOCK = "SELECT txid, MAX(gone_at) AS gone_at FROM toll_payments
        WHERE settled_at IS NULL AND block IS NULL AND txid > $1 AND (gone_at IS NULL OR gone_at >= $3)
        GROUP BY txid ORDER BY txid LIMIT $2";
    LOST = "UPDATE toll_payments SET gone_at = $2, block = NULL WHERE txid = $1 AND gone_at IS NULL";
    FOUND = "UPDATE toll_payments SET block = $2, gone_at = NULL WHERE txid = $1 AND settled_at IS NULL";
    SETTLE = "UPDATE toll_payments SET settled_at = $2 WHERE txid = $1 AND settled_at IS NULL";
    // A token is suspended while any of its payments has disappeared from the chain.
    ASLEEP = "UPDATE toll_tokens SET asleep_at = $2 WHERE asleep_at IS NULL
        AND id IN (SELECT challenge FROM toll_payments WHERE txid = $1) RETURNING id";
    AWAKE = "UPDATE toll_tokens SET asleep_at = NULL WHERE asleep_at IS NOT NULL
        AND id IN (SELECT challenge FROM toll_payments WHERE txid = $1)
        AND NOT EXISTS (SELECT 1 FROM toll_payments p WHERE p.challenge = toll_tokens.id AND p.gone_at IS NOT NULL)
        RETURNING id";
    CONFIRMED = "UPDATE toll_tokens SET provisional = 0 WHERE provisional = 1
        AND id IN (SELECT challenge FROM toll_payments WHERE txid = $1)
        AND NOT EXISTS (SELECT 1 FROM toll_payments p WHERE p.challenge = toll_tokens.id AND p.block IS NULL)
        RETURNING id";
    UNCONFIRMED = "UPDATE toll_tokens SET provisional = 1 WHERE provisional = 0
        AND id IN (SELECT challenge FROM toll_payments WHERE txid = $1) RETURNING id";
}

pub(super) struct ObserveTransaction {
    pub txid: String,
    pub seen: TransactionStatus,
    pub chain: ChainView,
}

impl Write for ObserveTransaction {
    type Output = Vec<String>;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<Vec<String>> {
        let (id, now) = (Value::Text(&self.txid), Value::Time(self.chain.now));
        let rows = match self.seen {
            TransactionStatus::Gone => {
                tx.execute(LOST, &[id, now]).await?;
                tx.all(ASLEEP, &[id, now]).await?
            }
            TransactionStatus::Pool => {
                tx.execute(FOUND, &[id, Value::OptInt(None)]).await?;
                let mut rows = tx.all(AWAKE, &[id]).await?;
                rows.extend(tx.all(UNCONFIRMED, &[id]).await?);
                rows
            }
            TransactionStatus::Block(block) => {
                tx.execute(FOUND, &[id, Value::Int(block)]).await?;
                if self.chain.height - block >= self.chain.settled_after {
                    tx.execute(SETTLE, &[id, now]).await?;
                }
                let mut rows = tx.all(AWAKE, &[id]).await?;
                rows.extend(tx.all(CONFIRMED, &[id]).await?);
                rows
            }
        };
        let mut changed: Vec<String> = rows.iter().map(|row| row.text("id")).collect::<Result<_>>()?;
        changed.sort();
        changed.dedup();
        Ok(changed)
    }
}
