//! Writes of clients of the OpenID provider.

use super::audit::append;
use super::backend::{Backend, Value};
use super::sequences::{self, Sequence};
use super::statement::sql;
use super::tx::Tx;
use super::write::Write;
use crate::Result;
use crate::audit::AuditEntry;
use crate::oauth::StoredClient;
use domain::UnixMs;

sql! {
    ADD_CLIENT = "INSERT INTO oauth_clients
            (id, registration, secrets, source, management_hash, expires_at, created_at, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT (id) DO NOTHING";
    CHANGE_CLIENT = "UPDATE oauth_clients SET registration = $4, secrets = $5, changed_at = $6
        WHERE id = $1 AND registration = $2 AND secrets = $3";
    REMOVE_CLIENT = "DELETE FROM oauth_clients WHERE id = $1";
    REMOVE_CODES = "DELETE FROM oauth_codes WHERE client_id = $1";
    REMOVE_CONSENTS = "DELETE FROM oauth_consents WHERE client_id = $1";
    END_OF_CLIENT = "UPDATE oauth_grants SET revoked_at = $2 WHERE client_id = $1 AND revoked_at IS NULL";
}

/// Adds a client. `false`: the id is taken.
pub(super) async fn add_client<DB: Backend>(tx: &mut Tx<'_, DB>, client: &StoredClient) -> Result<bool> {
    let secrets = client.secrets.join(" ");
    let values = [
        Value::Text(&client.id),
        Value::Text(&client.registration),
        Value::Text(&secrets),
        Value::Text(&client.source),
        Value::OptText(client.management_hash.as_deref()),
        Value::OptTime(client.expires_at),
        Value::Time(client.created_at),
    ];
    Ok(tx.execute(ADD_CLIENT, &values).await? == 1)
}

pub(super) struct AddClient {
    pub client: StoredClient,
    pub audit: AuditEntry,
}

impl Write for AddClient {
    type Output = bool;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let added = add_client(tx, &self.client).await?;
        if added {
            sequences::next(tx, Sequence::Clients).await?;
            append(tx, &self.audit).await?;
        }
        Ok(added)
    }
}

pub(super) struct ChangeClient {
    pub before: StoredClient,
    pub client: StoredClient,
    pub ask_again: bool,
    pub audit: AuditEntry,
}

impl Write for ChangeClient {
    type Output = bool;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let (before, after) = (self.before.secrets.join(" "), self.client.secrets.join(" "));
        let values = [
            Value::Text(&self.before.id),
            Value::Text(&self.before.registration),
            Value::Text(&before),
            Value::Text(&self.client.registration),
            Value::Text(&after),
            Value::Time(self.client.changed_at),
        ];
        let changed = tx.execute(CHANGE_CLIENT, &values).await? == 1;
        if changed {
            if self.ask_again {
                tx.execute(REMOVE_CONSENTS, &[Value::Text(&self.before.id)]).await?;
            }
            sequences::next(tx, Sequence::Clients).await?;
            append(tx, &self.audit).await?;
        }
        Ok(changed)
    }
}

pub(super) struct RemoveClient {
    pub id: String,
    pub audit: AuditEntry,
    pub now: UnixMs,
}

impl Write for RemoveClient {
    type Output = bool;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        if tx.execute(REMOVE_CLIENT, &[Value::Text(&self.id)]).await? == 0 {
            return Ok(false);
        }
        end_client(tx, &self.id, self.now).await?;
        sequences::next(tx, Sequence::Clients).await?;
        append(tx, &self.audit).await?;
        Ok(true)
    }
}

/// Removes the codes and consents of a client, and revokes its grants.
pub(super) async fn end_client<DB: Backend>(tx: &mut Tx<'_, DB>, id: &str, now: UnixMs) -> Result<()> {
    let id = Value::Text(id);
    tx.execute(REMOVE_CODES, &[id]).await?;
    tx.execute(REMOVE_CONSENTS, &[id]).await?;
    tx.execute(END_OF_CLIENT, &[id, Value::Time(now)]).await.map(drop)
}
