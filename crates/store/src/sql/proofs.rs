use super::backend::{Backend, Value};
use super::statement::sql;
use super::store::SqlStore;
use super::tx::Tx;
use super::write::Write;
use crate::Result;
use crate::proofs::{Proofs, UsedProof};
use async_trait::async_trait;
use domain::UnixMs;

sql! {
    USE = "INSERT INTO used_proofs (id, expires_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING";
}

impl Write for UsedProof {
    type Output = bool;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let added = tx.execute(USE, &[Value::Text(&self.id), Value::Time(self.expires_at)]).await?;
        Ok(added == 1)
    }
}

#[async_trait]
impl<DB: Backend> Proofs for SqlStore<DB> {
    async fn use_proof(&self, proof: &UsedProof) -> Result<bool> {
        self.write(proof.clone()).await
    }

    async fn sweep_proofs(&self, now: UnixMs) -> Result<u64> {
        self.sweep_proofs_before(now).await
    }
}
