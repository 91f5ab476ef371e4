use super::backend::{Backend, Value};
use super::statement::sql;
use super::store::SqlStore;
use super::toll_redeem::{CountPayment, RedeemAgain, RedeemCounted};
use super::toll_tokens::{LATEST_TOKENS, ONE_TOKEN, TokenWrite, UseToken, token};
use super::toll_watch::{IN_NO_BLOCK, ObserveTransaction, UNSETTLED};
use super::tx::{Record, Tx};
use super::write::Write;
use crate::Result;
use crate::audit::AuditEntry;
use crate::toll::{
    ChainView, PaymentId, Redemption, RedemptionOutcome, TokenChange, Toll, TollDay, TollPayment, TollToken,
    TransactionStatus, Waiting,
};
use async_trait::async_trait;
use domain::UnixMs;
use std::collections::BTreeMap;

macro_rules! payments {
    ($rest:literal) => {
        concat!(
            "SELECT txid, account, subaddress, challenge, route, piconero, block, seen_at, gone_at, settled_at
                FROM toll_payments ",
            $rest
        )
    };
}

sql! {
    OF_TRANSACTION = payments!("WHERE txid = $1");
    FOR_OFFER = payments!("WHERE challenge = $1");
    LATEST_PAYMENTS = payments!("ORDER BY seen_at DESC, txid DESC LIMIT $1");
    COUNT_CHALLENGES = "INSERT INTO toll_days (day, route, challenges) VALUES ($1, $2, $3)
        ON CONFLICT (day, route) DO UPDATE SET challenges = toll_days.challenges + excluded.challenges";
    CHALLENGES = "SELECT day, route, challenges FROM toll_days WHERE day >= $1";
    REVENUE = "SELECT seen_at / 86400000 AS day, route, COUNT(*) AS payments,
            CAST(SUM(piconero) AS BIGINT) AS piconero
        FROM toll_payments WHERE seen_at >= $1 AND gone_at IS NULL GROUP BY seen_at / 86400000, route";
}

const DAY_MS: i64 = 86_400_000;

struct Challenges {
    day: i64,
    route: String,
    count: i64,
}

impl Write for Challenges {
    type Output = ();

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<()> {
        let values = [Value::Int(self.day), Value::Text(&self.route), Value::Int(self.count)];
        tx.execute(COUNT_CHALLENGES, &values).await.map(drop)
    }
}

#[async_trait]
impl<DB: Backend> Toll for SqlStore<DB> {
    async fn redeem(&self, redemption: &Redemption) -> Result<RedemptionOutcome> {
        self.write(redemption.clone()).await
    }

    async fn redeem_again(&self, redemption: &Redemption) -> Result<Option<RedemptionOutcome>> {
        self.write(RedeemAgain(redemption.clone())).await
    }

    async fn count_payment(&self, redemption: &Redemption) -> Result<Option<RedemptionOutcome>> {
        self.write(CountPayment(redemption.clone())).await
    }

    async fn redeem_counted(&self, redemption: &Redemption) -> Result<RedemptionOutcome> {
        self.write(RedeemCounted(redemption.clone())).await
    }

    async fn payments_for(&self, challenge: &str) -> Result<Vec<TollPayment>> {
        self.all(FOR_OFFER, &[Value::Text(challenge)]).await?.iter().map(payment).collect()
    }

    async fn payments_of(&self, txid: &str) -> Result<Vec<TollPayment>> {
        self.all(OF_TRANSACTION, &[Value::Text(txid)]).await?.iter().map(payment).collect()
    }

    async fn toll_token(&self, id: &str) -> Result<Option<TollToken>> {
        self.one(ONE_TOKEN, &[Value::Text(id)]).await?.as_ref().map(token).transpose()
    }

    async fn use_token(&self, id: &str, requests: i64) -> Result<Option<TollToken>> {
        self.write(UseToken { id: id.to_owned(), requests }).await
    }

    async fn unsettled(&self) -> Result<Vec<String>> {
        self.all(UNSETTLED, &[]).await?.iter().map(|row| row.text("txid")).collect()
    }

    async fn in_no_block(&self, after: &str, lost_since: UnixMs, limit: u32) -> Result<Vec<Waiting>> {
        let values = [Value::Text(after), Value::Int(limit.into()), Value::Time(lost_since)];
        let waiting =
            |row: &Record<DB>| Ok(Waiting { txid: row.text("txid")?, gone: row.opt_int("gone_at")?.is_some() });
        self.all(IN_NO_BLOCK, &values).await?.iter().map(waiting).collect()
    }

    async fn observe(&self, txid: &str, seen: TransactionStatus, chain: ChainView) -> Result<Vec<String>> {
        self.write(ObserveTransaction { txid: txid.to_owned(), seen, chain }).await
    }

    async fn change_toll_token(&self, id: &str, change: TokenChange, audit: &AuditEntry) -> Result<bool> {
        self.write(TokenWrite { id: id.to_owned(), change, audit: audit.clone() }).await
    }

    async fn toll_tokens(&self, limit: u32) -> Result<Vec<TollToken>> {
        self.all(LATEST_TOKENS, &[Value::Int(limit.into())]).await?.iter().map(token).collect()
    }

    async fn toll_payments(&self, limit: u32) -> Result<Vec<TollPayment>> {
        self.all(LATEST_PAYMENTS, &[Value::Int(limit.into())]).await?.iter().map(payment).collect()
    }

    async fn count_challenges(&self, day: i64, route: &str, count: i64) -> Result<()> {
        self.write(Challenges { day, route: route.to_owned(), count }).await
    }

    async fn toll_days(&self, since: i64) -> Result<Vec<TollDay>> {
        let mut days: BTreeMap<(i64, String), TollDay> = BTreeMap::new();
        let empty = |day, route| TollDay { day, route, challenges: 0, payments: 0, piconero: 0 };
        for row in self.all(CHALLENGES, &[Value::Int(since)]).await? {
            let (day, route) = (row.int("day")?, row.text("route")?);
            days.entry((day, route.clone())).or_insert_with(|| empty(day, route)).challenges = row.int("challenges")?;
        }
        for row in self.all(REVENUE, &[Value::Int(since.saturating_mul(DAY_MS))]).await? {
            let (day, route) = (row.int("day")?, row.text("route")?);
            let entry = days.entry((day, route.clone())).or_insert_with(|| empty(day, route));
            (entry.payments, entry.piconero) = (row.int("payments")?, row.int("piconero")?);
        }
        Ok(days.into_values().collect())
    }
}

fn payment<DB: Backend>(row: &Record<DB>) -> Result<TollPayment> {
    let (account, subaddress) =
        (row.u32_column("toll_payments", "account")?, row.u32_column("toll_payments", "subaddress")?);
    Ok(TollPayment {
        id: PaymentId { txid: row.text("txid")?, account, subaddress },
        challenge: row.text("challenge")?,
        route: row.text("route")?,
        piconero: row.int("piconero")?,
        block: row.opt_int("block")?,
        seen_at: row.time("seen_at")?,
        gone_at: row.opt_time("gone_at")?,
        settled_at: row.opt_time("settled_at")?,
    })
}
