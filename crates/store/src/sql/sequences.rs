//! Numbers in the order of commits.
//!
//! The row of a sequence stays locked until its transaction ends. So a higher number is committed later, and a reader
//! that has seen one has seen every lower one: no clock and no overlap. Take it after the rows that the transaction
//! locks by key (reservations, ladders), and before those that every refusal shares (`refusals`, the audit log).

use super::backend::{Backend, Value};
use super::statement::sql;
use super::tx::Tx;
use crate::Result;

sql! {
    NEXT = "INSERT INTO sequences (name, value) VALUES ($1, 1)
        ON CONFLICT (name) DO UPDATE SET value = sequences.value + 1 RETURNING value";
}

/// Takes the next number of a sequence.
pub async fn next<DB: Backend>(tx: &mut Tx<'_, DB>, name: &str) -> Result<i64> {
    let row = tx.one(NEXT, [Value::Text(name)]).await?;
    row.map_or(Ok(0), |row| row.int("value"))
}
