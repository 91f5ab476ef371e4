use super::audit::append;
use super::backend::{Backend, Value};
use super::oauth_writes::add_client;
use super::sequences::{self, Sequence};
use super::statement::sql;
use super::store::SqlStore;
use super::tx::{Record, Tx};
use super::write::Write;
use crate::Result;
use crate::audit::AuditEntry;
use crate::oauth_registrations::{InitialToken, OAuthRegistrations, RegisterClient, StoredDocument};
use async_trait::async_trait;
use domain::UnixMs;

sql! {
    ADD_TOKEN = "INSERT INTO oauth_initial_tokens (token_hash, note, uses_left, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5)";
    TOKENS = "SELECT token_hash, note, uses_left, created_at, expires_at FROM oauth_initial_tokens
        WHERE expires_at > $1 AND uses_left > 0 ORDER BY created_at DESC, token_hash";
    USE_TOKEN = "UPDATE oauth_initial_tokens SET uses_left = uses_left - 1
        WHERE token_hash = $1 AND uses_left > 0 AND expires_at > $2
            AND (SELECT COUNT(*) FROM oauth_clients WHERE source = 'registered') < $3";
    DOCUMENT = "SELECT id, registration, fetched_at, expires_at FROM oauth_documents WHERE id = $1 AND expires_at > $2";
    PUT_DOCUMENT = "INSERT INTO oauth_documents (id, registration, fetched_at, expires_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (id) DO UPDATE SET registration = excluded.registration, fetched_at = excluded.fetched_at,
            expires_at = excluded.expires_at";
    DROP_OLDEST = "DELETE FROM oauth_documents WHERE id <> $1 AND id NOT IN
        (SELECT id FROM oauth_documents ORDER BY fetched_at DESC, id LIMIT $2)";
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
        let rows = self.all(TOKENS, [Value::Int(now)]).await?;
        let read = |row: &Record<DB>| {
            Ok(InitialToken {
                token_hash: row.text("token_hash")?,
                note: row.text("note")?,
                uses_left: row.u32_column("oauth_initial_tokens", "uses_left")?,
                created_at: row.int("created_at")?,
                expires_at: row.int("expires_at")?,
            })
        };
        rows.iter().map(read).collect()
    }

    async fn register_client(&self, registration: &RegisterClient) -> Result<bool> {
        self.write(registration.clone()).await
    }

    async fn document(&self, id: &str, now: UnixMs) -> Result<Option<StoredDocument>> {
        let row = self.one(DOCUMENT, [Value::Text(id), Value::Int(now)]).await?;
        let read = |row: Record<DB>| {
            Ok(StoredDocument {
                id: row.text("id")?,
                registration: row.text("registration")?,
                fetched_at: row.int("fetched_at")?,
                expires_at: row.int("expires_at")?,
            })
        };
        row.map(read).transpose()
    }

    async fn put_document(&self, document: &StoredDocument, most: u32) -> Result<()> {
        self.write(PutDocument { document: document.clone(), most }).await
    }

    async fn pairwise_subject(&self, sector: &str, user: &str, fresh: &str) -> Result<String> {
        let values = [Value::Text(sector), Value::Text(user)];
        if let Some(row) = self.one(SUBJECT, values).await? {
            return row.text("subject");
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
            Value::Int(token.created_at),
            Value::Int(token.expires_at),
        ];
        tx.execute(ADD_TOKEN, values).await?;
        append(tx, &self.audit).await
    }
}

impl Write for RegisterClient {
    type Output = bool;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let token = [Value::Text(&self.token_hash), Value::Int(self.now), Value::Int(self.most.into())];
        if tx.execute(USE_TOKEN, token).await? == 0 || !add_client(tx, &self.client).await? {
            return Ok(false);
        }
        sequences::next(tx, Sequence::Clients).await?;
        append(tx, &self.audit).await?;
        Ok(true)
    }
}

struct PutDocument {
    document: StoredDocument,
    most: u32,
}

impl Write for PutDocument {
    type Output = ();

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<()> {
        let document = &self.document;
        let values = [
            Value::Text(&document.id),
            Value::Text(&document.registration),
            Value::Int(document.fetched_at),
            Value::Int(document.expires_at),
        ];
        tx.execute(PUT_DOCUMENT, values).await?;
        tx.execute(DROP_OLDEST, [Value::Text(&document.id), Value::Int(self.most.into())]).await.map(drop)
    }
}

struct AddSubject {
    sector: String,
    user: String,
    fresh: String,
}

impl Write for AddSubject {
    type Output = String;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<String> {
        let values = [Value::Text(&self.sector), Value::Text(&self.user), Value::Text(&self.fresh)];
        tx.execute(ADD_SUBJECT, values).await?;
        // Another request may have been first.
        let row = tx.one(SUBJECT, [Value::Text(&self.sector), Value::Text(&self.user)]).await?;
        row.map_or_else(|| Ok(self.fresh.clone()), |row| row.text("subject"))
    }
}
