use super::audit::append;
use super::backend::{Backend, Value};
use super::oauth::client;
use super::oauth_client_writes::add_client;
use super::oauth_documents::{DisableDocument, ForbidDocument, RemoveDocument};
use super::sequences::{self, Sequence};
use super::statement::sql;
use super::store::SqlStore;
use super::tx::{Record, Tx};
use super::write::Write;
use crate::Result;
use crate::audit::AuditEntry;
use crate::oauth::StoredClient;
use crate::oauth_registrations::{InitialToken, OAuthRegistrations, PutDocument, RegisterClient, StoredDocument};
use async_trait::async_trait;
use domain::UnixMs;
use domain::ids::UserId;

sql! {
    ADD_TOKEN = "INSERT INTO oauth_initial_tokens (token_hash, note, uses_left, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5)";
    TOKENS = "SELECT token_hash, note, uses_left, created_at, expires_at FROM oauth_initial_tokens
        WHERE expires_at > $1 AND uses_left > 0 ORDER BY created_at DESC, token_hash";
    USE_TOKEN = "UPDATE oauth_initial_tokens SET uses_left = uses_left - 1
        WHERE token_hash = $1 AND uses_left > 0 AND expires_at > $2
            AND (SELECT COUNT(*) FROM oauth_clients WHERE source = 'registered') < $3";
    REMOVE_TOKEN = "DELETE FROM oauth_initial_tokens WHERE token_hash = $1";
    REGISTERED = "SELECT id, registration, secrets, source, management_hash, expires_at, created_at, changed_at
        FROM oauth_clients WHERE id = $1 AND management_hash = $2 AND expires_at > $3";
    // The first subject stays: it is the person's name at the apps of this sector.
    ADD_SUBJECT = "INSERT INTO oauth_subjects (sector, user_id, subject) VALUES ($1, $2, $3)
        ON CONFLICT (sector, user_id) DO NOTHING";
    SUBJECT = "SELECT subject FROM oauth_subjects WHERE sector = $1 AND user_id = $2";
}

#[async_trait]
impl<DB: Backend> OAuthRegistrations for SqlStore<DB> {
    async fn add_initial_token(&self, token: &InitialToken, audit: &AuditEntry) -> Result<()> {
        self.write(AddToken { token: token.clone(), audit: audit.clone() }).await
    }

    async fn initial_tokens(&self, now: UnixMs) -> Result<Vec<InitialToken>> {
        let rows = self.all(TOKENS, &[Value::Time(now)]).await?;
        let read = |row: &Record<DB>| {
            Ok(InitialToken {
                token_hash: row.text("token_hash")?,
                note: row.text("note")?,
                uses_left: row.u32_column("oauth_initial_tokens", "uses_left")?,
                created_at: row.time("created_at")?,
                expires_at: row.time("expires_at")?,
            })
        };
        rows.iter().map(read).collect()
    }

    async fn register_client(&self, registration: &RegisterClient) -> Result<bool> {
        self.write(registration.clone()).await
    }

    async fn remove_initial_token(&self, token_hash: &str, audit: &AuditEntry) -> Result<bool> {
        self.write(RemoveToken { token_hash: token_hash.to_owned(), audit: audit.clone() }).await
    }

    async fn registered_client(&self, id: &str, management_hash: &str, now: UnixMs) -> Result<Option<StoredClient>> {
        let values = [Value::Text(id), Value::Text(management_hash), Value::Time(now)];
        self.one(REGISTERED, &values).await?.as_ref().map(client).transpose()
    }

    async fn document(&self, id: &str, now: UnixMs) -> Result<Option<StoredDocument>> {
        self.stored_document(id, now).await
    }

    async fn documents(&self, now: UnixMs) -> Result<Vec<StoredDocument>> {
        self.stored_documents(now).await
    }

    async fn put_document(&self, put: &PutDocument) -> Result<Option<StoredDocument>> {
        self.write(put.clone()).await
    }

    async fn disable_document(&self, id: &str, disabled_at: Option<UnixMs>, audit: &AuditEntry) -> Result<bool> {
        self.write(DisableDocument { id: id.to_owned(), disabled_at, audit: audit.clone() }).await
    }

    async fn forbid_document(&self, document: &StoredDocument, audit: &AuditEntry) -> Result<()> {
        self.write(ForbidDocument { document: document.clone(), audit: audit.clone() }).await
    }

    async fn remove_document(&self, id: &str, audit: &AuditEntry, now: UnixMs) -> Result<bool> {
        self.write(RemoveDocument { id: id.to_owned(), audit: audit.clone(), now }).await
    }

    async fn known_subject(&self, sector: &str, user: &UserId) -> Result<Option<String>> {
        let row = self.one(SUBJECT, &[Value::Text(sector), Value::Text(user.as_str())]).await?;
        row.map(|row| row.text("subject")).transpose()
    }

    async fn pairwise_subject(&self, sector: &str, user: &UserId, fresh: &str) -> Result<String> {
        if let Some(known) = self.known_subject(sector, user).await? {
            return Ok(known);
        }
        let (sector, user, fresh) = (sector.to_owned(), user.to_owned(), fresh.to_owned());
        self.write(AddSubject { sector, user, fresh }).await
    }
}

struct AddToken {
    token: InitialToken,
    audit: AuditEntry,
}

impl Write for AddToken {
    type Output = ();

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<()> {
        let token = &self.token;
        let values = [
            Value::Text(&token.token_hash),
            Value::Text(&token.note),
            Value::Int(token.uses_left.into()),
            Value::Time(token.created_at),
            Value::Time(token.expires_at),
        ];
        tx.execute(ADD_TOKEN, &values).await?;
        append(tx, &self.audit).await
    }
}

impl Write for RegisterClient {
    type Output = bool;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let token = [Value::Text(&self.token_hash), Value::Time(self.now), Value::Int(self.most.into())];
        if tx.execute(USE_TOKEN, &token).await? == 0 || !add_client(tx, &self.client).await? {
            return Ok(false);
        }
        sequences::next(tx, Sequence::Clients).await?;
        append(tx, &self.audit).await?;
        Ok(true)
    }
}

struct RemoveToken {
    token_hash: String,
    audit: AuditEntry,
}

impl Write for RemoveToken {
    type Output = bool;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        if tx.execute(REMOVE_TOKEN, &[Value::Text(&self.token_hash)]).await? == 0 {
            return Ok(false);
        }
        append(tx, &self.audit).await?;
        Ok(true)
    }
}

struct AddSubject {
    sector: String,
    user: UserId,
    fresh: String,
}

impl Write for AddSubject {
    type Output = String;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<String> {
        let values = [Value::Text(&self.sector), Value::Text(self.user.as_str()), Value::Text(&self.fresh)];
        tx.execute(ADD_SUBJECT, &values).await?;
        // Another request may have been first.
        let row = tx.one(SUBJECT, &[Value::Text(&self.sector), Value::Text(self.user.as_str())]).await?;
        row.map_or_else(|| Ok(self.fresh.clone()), |row| row.text("subject"))
    }
}
