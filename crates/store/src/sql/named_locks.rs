//! Named locks for checks on rows that do not exist yet, which cannot be locked themselves.

use super::backend::{Backend, Value};
use super::statement::sql;
use super::tx::Tx;
use crate::Result;
use domain::UnixMs;

sql! {
    TAKE = "INSERT INTO turns (name, taken_at) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET taken_at = excluded.taken_at";
}

/// Waits for the lock of this name and holds it until the transaction ends.
pub(super) async fn lock_named<DB: Backend>(tx: &mut Tx<'_, DB>, name: &str, now: UnixMs) -> Result<()> {
    tx.execute(TAKE, &[Value::Text(name), Value::Time(now)]).await.map(drop)
}
