//! Reservations of client keys, one attempt at a time.

use super::backend::{Backend, Value};
use super::statement::sql;
use super::tx::Tx;
use super::write::Write;
use crate::Result;
use crate::attempts::Attempt;

sql! {
    RELEASE = "DELETE FROM reservations WHERE identity = $1 AND attempt = $2";
}

/// Ends the attempt's reservation, if it still exists.
pub(super) async fn release<DB: Backend>(tx: &mut Tx<'_, DB>, attempt: &Attempt) -> Result<()> {
    let client_key = attempt.client_key.to_string();
    tx.execute(RELEASE, &[Value::Text(&client_key), Value::Text(&attempt.id)]).await.map(drop)
}

impl Write for Attempt {
    type Output = ();

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<()> {
        release(tx, self).await
    }
}
