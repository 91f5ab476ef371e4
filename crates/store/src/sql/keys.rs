use super::backend::{Backend, Value};
use super::catalogue::sql;
use super::store::SqlStore;
use super::turns::take_turn;
use super::tx::{Record, Tx};
use super::write::Write;
use crate::Result;
use crate::keys::{Keys, Kind, StoredKey};
use async_trait::async_trait;

sql! {
    ALL = "SELECT kid, kind, sealed, created_at, retired_at FROM keys ORDER BY created_at";
    ADD_IF_NONE = "INSERT INTO keys (kid, kind, sealed, created_at, retired_at)
        SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS BIGINT), CAST($5 AS BIGINT)
        WHERE NOT EXISTS (SELECT 1 FROM keys WHERE kind = $2 AND retired_at IS NULL)";
}

impl Write for StoredKey {
    type Output = bool;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        take_turn(tx, &format!("key {}", self.kind.as_str()), self.created_at).await?;
        let values = [
            Value::Text(&self.kid),
            Value::Text(self.kind.as_str()),
            Value::Text(&self.sealed),
            Value::Int(self.created_at),
            Value::OptInt(self.retired_at),
        ];
        Ok(tx.execute(ADD_IF_NONE, values).await? == 1)
    }
}

#[async_trait]
impl<DB: Backend> Keys for SqlStore<DB> {
    async fn keys(&self) -> Result<Vec<StoredKey>> {
        self.all(ALL, []).await?.iter().map(key).collect()
    }

    async fn add_key_if_none(&self, key: &StoredKey) -> Result<bool> {
        self.write(key.clone()).await
    }
}

fn key<DB: Backend>(row: &Record<DB>) -> Result<StoredKey> {
    Ok(StoredKey {
        kid: row.text("kid")?,
        kind: row.word("keys", "kind", Kind::parse)?,
        sealed: row.text("sealed")?,
        created_at: row.int("created_at")?,
        retired_at: row.opt_int("retired_at")?,
    })
}
