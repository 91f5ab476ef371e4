//! Clients that are documents.

use super::audit::append;
use super::backend::{Backend, Value};
use super::oauth_client_writes::end_client;
use super::sequences::{self, Sequence};
use super::statement::sql;
use super::store::SqlStore;
use super::tx::{Record, Tx};
use super::write::Write;
use crate::Result;
use crate::audit::AuditEntry;
use crate::oauth_registrations::{PutDocument, StoredDocument};
use domain::UnixMs;

sql! {
    DOCUMENT = "SELECT id, registration, fetched_at, expires_at, disabled_at FROM oauth_documents
        WHERE id = $1 AND (expires_at > $2 OR disabled_at IS NOT NULL)";
    DOCUMENTS = "SELECT id, registration, fetched_at, expires_at, disabled_at FROM oauth_documents
        WHERE expires_at > $1 OR disabled_at IS NOT NULL ORDER BY id";
    STORED = "SELECT registration, disabled_at FROM oauth_documents WHERE id = $1";
    COUNT = "SELECT COUNT(*) AS n FROM oauth_documents";
    // A document that somebody uses stays, or one person could shut out the clients of all others.
    DROP_OLDEST = "DELETE FROM oauth_documents WHERE id IN
        (SELECT d.id FROM oauth_documents d WHERE d.disabled_at IS NULL AND NOT EXISTS
            (SELECT 1 FROM oauth_grants g WHERE g.client_id = d.id AND g.ends_at > $1 AND g.revoked_at IS NULL)
        ORDER BY d.fetched_at, d.id LIMIT $2)";
    PUT_DOCUMENT = "INSERT INTO oauth_documents (id, registration, fetched_at, expires_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (id) DO UPDATE SET registration = excluded.registration, fetched_at = excluded.fetched_at,
            expires_at = excluded.expires_at";
    WITHDRAW_ALL = "DELETE FROM oauth_consents WHERE client_id = $1";
    FORBID = "INSERT INTO oauth_documents (id, registration, fetched_at, expires_at, disabled_at)
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO UPDATE SET disabled_at = excluded.disabled_at";
    DISABLE = "UPDATE oauth_documents SET disabled_at = $2 WHERE id = $1";
    REMOVE = "DELETE FROM oauth_documents WHERE id = $1";
}

impl<DB: Backend> SqlStore<DB> {
    pub(super) async fn stored_document(&self, id: &str, now: UnixMs) -> Result<Option<StoredDocument>> {
        self.one(DOCUMENT, &[Value::Text(id), Value::Time(now)]).await?.as_ref().map(document).transpose()
    }

    pub(super) async fn stored_documents(&self, now: UnixMs) -> Result<Vec<StoredDocument>> {
        self.all(DOCUMENTS, &[Value::Time(now)]).await?.iter().map(document).collect()
    }
}

fn document<DB: Backend>(row: &Record<DB>) -> Result<StoredDocument> {
    Ok(StoredDocument {
        id: row.text("id")?,
        registration: row.text("registration")?,
        fetched_at: row.time("fetched_at")?,
        expires_at: row.time("expires_at")?,
        disabled_at: row.opt_time("disabled_at")?,
    })
}

impl Write for PutDocument {
    type Output = Option<StoredDocument>;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<Option<StoredDocument>> {
        let (document, id) = (&self.document, Value::Text(&self.document.id));
        let (before, disabled_at) = match tx.one(STORED, &[id]).await? {
            Some(row) => (Some(row.text("registration")?), row.opt_time("disabled_at")?),
            None => (None, None),
        };
        let (count, most) = (tx.count(COUNT, &[]).await?, u64::from(self.most));
        if before.is_none() && count >= most {
            let room = i64::try_from(count - most + 1).unwrap_or(i64::MAX);
            if tx.execute(DROP_OLDEST, &[Value::Time(document.fetched_at), Value::Int(room)]).await? == 0 {
                return Ok(None);
            }
        }
        let values = [
            id,
            Value::Text(&document.registration),
            Value::Time(document.fetched_at),
            Value::Time(document.expires_at),
        ];
        tx.execute(PUT_DOCUMENT, &values).await?;
        let is_same = before.is_some() && (before == self.same_app || before.as_ref() == Some(&document.registration));
        if !is_same {
            tx.execute(WITHDRAW_ALL, &[id]).await?;
        }
        Ok(Some(StoredDocument { disabled_at, ..document.clone() }))
    }
}

pub(super) struct DisableDocument {
    pub id: String,
    pub disabled_at: Option<UnixMs>,
    pub audit: AuditEntry,
}

impl Write for DisableDocument {
    type Output = bool;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        if tx.execute(DISABLE, &[Value::Text(&self.id), Value::OptTime(self.disabled_at)]).await? == 0 {
            return Ok(false);
        }
        sequences::next(tx, Sequence::Clients).await?;
        append(tx, &self.audit).await?;
        Ok(true)
    }
}

pub(super) struct ForbidDocument {
    pub document: StoredDocument,
    pub audit: AuditEntry,
}

impl Write for ForbidDocument {
    type Output = ();

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<()> {
        let document = &self.document;
        let values = [
            Value::Text(&document.id),
            Value::Text(&document.registration),
            Value::Time(document.fetched_at),
            Value::Time(document.expires_at),
            Value::OptTime(document.disabled_at),
        ];
        tx.execute(FORBID, &values).await?;
        sequences::next(tx, Sequence::Clients).await?;
        append(tx, &self.audit).await
    }
}

pub(super) struct RemoveDocument {
    pub id: String,
    pub audit: AuditEntry,
    pub now: UnixMs,
}

impl Write for RemoveDocument {
    type Output = bool;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        if tx.execute(REMOVE, &[Value::Text(&self.id)]).await? == 0 {
            return Ok(false);
        }
        end_client(tx, &self.id, self.now).await?;
        sequences::next(tx, Sequence::Clients).await?;
        append(tx, &self.audit).await?;
        Ok(true)
    }
}
