use super::backend::{Backend, Value};
use super::statement::sql;
use super::store::SqlStore;
use super::tx::{Record, Tx};
use super::write::Write;
use crate::Result;
use crate::gates::{Gate, Gates, LatePayment};
use crate::toll::PaymentId;
use async_trait::async_trait;
use domain::UnixMs;
use domain::allowance::{Allowance, Taken};

sql! {
    FREE_TAKEN = "SELECT ends_at, used FROM toll_free WHERE route = $1 AND client = $2";
    // Only if no other request took one since the row was read.
    TAKE_FREE = "INSERT INTO toll_free (route, client, ends_at, used) VALUES ($1, $2, $3, $4)
        ON CONFLICT (route, client) DO UPDATE SET ends_at = excluded.ends_at, used = excluded.used
        WHERE toll_free.ends_at = $5 AND toll_free.used = $6";
    ALL_AGAIN = "DELETE FROM toll_free WHERE ends_at <= $1
        AND (route, client) IN (SELECT route, client FROM toll_free WHERE ends_at <= $1 LIMIT $2)";
    SILENT = "DELETE FROM toll_gates WHERE heard_at < $1";
    LATE = "SELECT txid, account, subaddress, challenge, route, piconero, block, seen_at, ended_at
        FROM toll_late ORDER BY seen_at DESC, txid DESC LIMIT $1";
    LATE_FOR = "SELECT txid, account, subaddress, challenge, route, piconero, block, seen_at, ended_at
        FROM toll_late WHERE challenge = $1";
    ANNOUNCE = "INSERT INTO toll_gates (id, started_at, heard_at, routes, chain) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (id) DO UPDATE SET heard_at = excluded.heard_at, routes = excluded.routes, chain = excluded.chain";
    END_GATE = "DELETE FROM toll_gates WHERE id = $1";
    RUNNING = "SELECT id, started_at, heard_at, routes, chain FROM toll_gates WHERE heard_at >= $1
        ORDER BY heard_at DESC, id";
}

/// Number of rows in one transaction.
const CHUNK: i64 = 500;

struct TakeFree {
    route: String,
    client: String,
    allowance: Allowance,
    now: UnixMs,
}

impl Write for TakeFree {
    type Output = std::result::Result<(), i64>;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<Self::Output> {
        let (route, client) = (Value::Text(&self.route), Value::Text(&self.client));
        loop {
            let before = tx.one(FREE_TAKEN, &[route, client]).await?.as_ref().map(taken).transpose()?;
            let after = match self.allowance.take(before, self.now) {
                Ok(after) => after,
                Err(wait) => return Ok(Err(wait)),
            };
            // Stored rows have at least one use, so (0, 0) matches none, and a row that was inserted meanwhile is not
            // overwritten.
            let (ended_at, had) = before.map_or((UnixMs::EPOCH, 0), |before| (before.ends_at, before.used));
            let (ends_at, ended_at) = (Value::Time(after.ends_at), Value::Time(ended_at));
            let (used, had) = (Value::Int(after.used), Value::Int(had));
            if tx.execute(TAKE_FREE, &[route, client, ends_at, used, ended_at, had]).await? == 1 {
                return Ok(Ok(()));
            }
        }
    }
}

struct Forget {
    sql: &'static str,
    now: UnixMs,
}

impl Write for Forget {
    type Output = u64;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<u64> {
        if self.sql == SILENT {
            return tx.execute(SILENT, &[Value::Time(self.now)]).await;
        }
        tx.execute(self.sql, &[Value::Time(self.now), Value::Int(CHUNK)]).await
    }
}

struct Announce(Gate);

impl Write for Announce {
    type Output = ();

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<()> {
        let Gate { id, started_at, heard_at, routes, chain } = &self.0;
        let values = [
            Value::Text(id),
            Value::Time(*started_at),
            Value::Time(*heard_at),
            Value::Text(routes),
            Value::Text(chain),
        ];
        tx.execute(ANNOUNCE, &values).await.map(drop)
    }
}

struct End(String);

impl Write for End {
    type Output = ();

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<()> {
        tx.execute(END_GATE, &[Value::Text(&self.0)]).await.map(drop)
    }
}

#[async_trait]
impl<DB: Backend> Gates for SqlStore<DB> {
    async fn take_free(
        &self,
        route: &str,
        client: &str,
        allowance: Allowance,
        now: UnixMs,
    ) -> Result<std::result::Result<(), i64>> {
        self.write(TakeFree { route: route.to_owned(), client: client.to_owned(), allowance, now }).await
    }

    async fn sweep_gates(&self, now: UnixMs, silent_since: UnixMs) -> Result<u64> {
        let mut gone = self.write(Forget { sql: SILENT, now: silent_since }).await?;
        loop {
            let now_gone = self.write(Forget { sql: ALL_AGAIN, now }).await?;
            gone += now_gone;
            if now_gone < CHUNK.unsigned_abs() {
                return Ok(gone);
            }
        }
    }

    async fn late_payments(&self, limit: u32) -> Result<Vec<LatePayment>> {
        self.all(LATE, &[Value::Int(limit.into())]).await?.iter().map(late).collect()
    }

    async fn late_payments_for(&self, challenge: &str) -> Result<Vec<LatePayment>> {
        self.all(LATE_FOR, &[Value::Text(challenge)]).await?.iter().map(late).collect()
    }

    async fn announce_gate(&self, gate: &Gate) -> Result<()> {
        self.write(Announce(gate.clone())).await
    }

    async fn end_gate(&self, id: &str) -> Result<()> {
        self.write(End(id.to_owned())).await
    }

    async fn gates(&self, since: UnixMs) -> Result<Vec<Gate>> {
        self.all(RUNNING, &[Value::Time(since)]).await?.iter().map(gate).collect()
    }
}

fn taken<DB: Backend>(row: &Record<DB>) -> Result<Taken> {
    Ok(Taken { ends_at: row.time("ends_at")?, used: row.int("used")? })
}

fn late<DB: Backend>(row: &Record<DB>) -> Result<LatePayment> {
    let (account, subaddress) = (row.u32_column("toll_late", "account")?, row.u32_column("toll_late", "subaddress")?);
    Ok(LatePayment {
        id: PaymentId { txid: row.text("txid")?, account, subaddress },
        challenge: row.text("challenge")?,
        route: row.text("route")?,
        piconero: row.int("piconero")?,
        block: row.opt_int("block")?,
        seen_at: row.time("seen_at")?,
        ended_at: row.time("ended_at")?,
    })
}

fn gate<DB: Backend>(row: &Record<DB>) -> Result<Gate> {
    Ok(Gate {
        id: row.text("id")?,
        started_at: row.time("started_at")?,
        heard_at: row.time("heard_at")?,
        routes: row.text("routes")?,
        chain: row.text("chain")?,
    })
}
