use super::backend::{Backend, Value};
use super::oauth_client_writes::{AddClient, ChangeClient, RemoveClient};
use super::oauth_logouts::{ClaimLogout, DUE, FinishLogout};
use super::oauth_writes::{DenyDevice, PollDevice, RevokeGrant, ShowGrant, WithdrawConsent};
use super::statement::sql;
use super::store::SqlStore;
use super::tx::Record;
use crate::Result;
use crate::audit::AuditEntry;
use crate::oauth::{
    BeginSession, CodeRow, ConsentRow, DueLogout, GrantRotation, GrantRow, LiveGrant, NewCode, OAuth, PendingDevice,
    PushedRequest, Redeem, SessionClient, StoredClient,
};
use async_trait::async_trait;
use domain::UnixMs;
use domain::account::Role;
use domain::ids::{SessionId, UserId};
use domain::token_hash::TokenHash;

sql! {
    CLIENTS = "SELECT id, registration, secrets, source, management_hash, expires_at, created_at, changed_at
        FROM oauth_clients ORDER BY id";
    CODE = "SELECT client_id, session_id, redirect_uri, code_challenge, jkt, details, expires_at, grant_id
        FROM oauth_codes WHERE code_hash = $1";
    GRANT = "SELECT g.id, g.client_id, g.user_id, g.session_id, g.details, g.jkt, g.generation, g.refresh_hash,
            g.previous_hash, g.used_generation, g.created_at, g.rotated_at, g.ends_at, g.revoked_at,
            s.revoked_at AS session_revoked_at, s.idle_at AS session_idle_at, s.ends_at AS session_ends_at,
            u.name, u.role, u.disabled_at
        FROM oauth_grants g JOIN sessions s ON s.id = g.session_id JOIN users u ON u.id = g.user_id
        WHERE g.id = $1";
    CONSENT = "SELECT scope FROM oauth_consents WHERE user_id = $1 AND client_id = $2";
    CONSENTS = "SELECT client_id, scope, given_at FROM oauth_consents WHERE user_id = $1 ORDER BY client_id";
    LIVE_GRANTS = "SELECT g.client_id, g.details, g.created_at FROM oauth_grants g JOIN sessions s ON s.id = g.session_id
        WHERE g.user_id = $1 AND g.revoked_at IS NULL AND g.ends_at > $2
            AND s.revoked_at IS NULL AND s.idle_at > $2 AND s.ends_at > $2
        ORDER BY g.client_id, g.created_at, g.id";
    // A used code is kept longer than a grant without a refresh token.
    CLIENTS_OF_SESSION = "SELECT client_id, MAX(notified) AS notified FROM
            (SELECT client_id, CAST(0 AS BIGINT) AS notified FROM oauth_grants WHERE session_id = $1
            UNION ALL SELECT client_id, CAST(0 AS BIGINT) FROM oauth_codes
                WHERE session_id = $1 AND grant_id IS NOT NULL
            UNION ALL SELECT client_id, CAST(1 AS BIGINT) FROM oauth_logouts WHERE session_id = $1) AS clients
        GROUP BY client_id ORDER BY client_id";
    DEVICE = "SELECT device_hash, user_code_hash, client_id, scope, resources, expires_at, poll_at, denied_at
        FROM oauth_devices WHERE device_hash = $1";
    DEVICE_OF_CODE = "SELECT device_hash, user_code_hash, client_id, scope, resources, expires_at, poll_at, denied_at
        FROM oauth_devices WHERE user_code_hash = $1";
    // Rows of earlier versions are kept no longer than they are valid.
    PUSHED = "SELECT id_hash, client_id, parameters, expires_at, COALESCE(kept_until, expires_at) AS kept_until
        FROM oauth_requests WHERE id_hash = $1 AND COALESCE(kept_until, expires_at) > $2";
}

#[async_trait]
impl<DB: Backend> OAuth for SqlStore<DB> {
    async fn clients(&self) -> Result<Vec<StoredClient>> {
        self.all(CLIENTS, &[]).await?.iter().map(client).collect()
    }

    async fn add_client(&self, client: &StoredClient, audit: &AuditEntry) -> Result<bool> {
        self.write(AddClient { client: client.clone(), audit: audit.clone() }).await
    }

    async fn change_client(
        &self,
        before: &StoredClient,
        client: &StoredClient,
        ask_again: bool,
        audit: &AuditEntry,
    ) -> Result<bool> {
        let (before, client, audit) = (before.clone(), client.clone(), audit.clone());
        self.write(ChangeClient { before, client, ask_again, audit }).await
    }

    async fn remove_client(&self, id: &str, audit: &AuditEntry, now: UnixMs) -> Result<bool> {
        self.write(RemoveClient { id: id.to_owned(), audit: audit.clone(), now }).await
    }

    async fn add_code(&self, code: &NewCode) -> Result<bool> {
        self.write(code.clone()).await
    }

    async fn code(&self, code_hash: &str) -> Result<Option<CodeRow>> {
        self.one(CODE, &[Value::Text(code_hash)]).await?.as_ref().map(code).transpose()
    }

    async fn redeem_code(&self, redeem: &Redeem) -> Result<bool> {
        self.write(redeem.clone()).await
    }

    async fn grant(&self, id: &str) -> Result<Option<GrantRow>> {
        self.one(GRANT, &[Value::Text(id)]).await?.as_ref().map(grant).transpose()
    }

    async fn rotate_grant(&self, rotation: &GrantRotation) -> Result<bool> {
        self.write(rotation.clone()).await
    }

    async fn show_grant(&self, id: &str, generation: u32) -> Result<()> {
        self.write(ShowGrant { id: id.to_owned(), generation }).await
    }

    async fn revoke_grant(&self, id: &str, audit: Option<&AuditEntry>, now: UnixMs) -> Result<bool> {
        self.write(RevokeGrant { id: id.to_owned(), audit: audit.cloned(), now }).await
    }

    async fn begin_session(&self, begin: &BeginSession) -> Result<bool> {
        self.write(begin.clone()).await
    }

    async fn consent(&self, user: &UserId, client: &str) -> Result<Option<String>> {
        let row = self.one(CONSENT, &[Value::Text(user.as_str()), Value::Text(client)]).await?;
        row.map(|row| row.text("scope")).transpose()
    }

    async fn consents(&self, user: &UserId) -> Result<Vec<ConsentRow>> {
        let rows = self.all(CONSENTS, &[Value::Text(user.as_str())]).await?;
        let read = |row: &Record<DB>| {
            Ok(ConsentRow {
                client: row.text("client_id")?,
                scope: row.text("scope")?,
                given_at: row.time("given_at")?,
            })
        };
        rows.iter().map(read).collect()
    }

    async fn live_grants(&self, user: &UserId, now: UnixMs) -> Result<Vec<LiveGrant>> {
        let rows = self.all(LIVE_GRANTS, &[Value::Text(user.as_str()), Value::Time(now)]).await?;
        let read = |row: &Record<DB>| {
            Ok(LiveGrant {
                client: row.text("client_id")?,
                details: row.text("details")?,
                created_at: row.time("created_at")?,
            })
        };
        rows.iter().map(read).collect()
    }

    async fn clients_of_session(&self, session: &SessionId) -> Result<Vec<SessionClient>> {
        let rows = self.all(CLIENTS_OF_SESSION, &[Value::Text(session.as_str())]).await?;
        let read =
            |row: &Record<DB>| Ok(SessionClient { client: row.text("client_id")?, notified: row.int("notified")? > 0 });
        rows.iter().map(read).collect()
    }

    async fn withdraw_consent(&self, user: &UserId, client: &str, audit: &AuditEntry, now: UnixMs) -> Result<bool> {
        let (user, client) = (user.to_owned(), client.to_owned());
        self.write(WithdrawConsent { user, client, audit: audit.clone(), now }).await
    }

    async fn push_request(&self, request: &PushedRequest) -> Result<()> {
        self.write(request.clone()).await
    }

    async fn pushed_request(&self, id_hash: &str, now: UnixMs) -> Result<Option<PushedRequest>> {
        let row = self.one(PUSHED, &[Value::Text(id_hash), Value::Time(now)]).await?;
        let read = |row: Record<DB>| {
            Ok(PushedRequest {
                id_hash: row.text("id_hash")?,
                client: row.text("client_id")?,
                parameters: row.text("parameters")?,
                expires_at: row.time("expires_at")?,
                kept_until: row.time("kept_until")?,
            })
        };
        row.map(read).transpose()
    }

    async fn add_device(&self, device: &PendingDevice) -> Result<()> {
        self.write(device.clone()).await
    }

    async fn device(&self, device_hash: &str) -> Result<Option<PendingDevice>> {
        self.one(DEVICE, &[Value::Text(device_hash)]).await?.as_ref().map(device).transpose()
    }

    async fn device_of_user_code(&self, user_code_hash: &str) -> Result<Option<PendingDevice>> {
        self.one(DEVICE_OF_CODE, &[Value::Text(user_code_hash)]).await?.as_ref().map(device).transpose()
    }

    async fn deny_device(&self, user_code_hash: &str, now: UnixMs) -> Result<bool> {
        self.write(DenyDevice { user_code_hash: user_code_hash.to_owned(), now }).await
    }

    async fn poll_device(&self, device_hash: &str, poll_at: UnixMs) -> Result<()> {
        self.write(PollDevice { device_hash: device_hash.to_owned(), poll_at }).await
    }

    async fn due_logouts(&self, now: UnixMs, limit: i64) -> Result<Vec<DueLogout>> {
        let rows = self.all(DUE, &[Value::Time(now), Value::Int(limit)]).await?;
        let read = |row: &Record<DB>| {
            Ok(DueLogout {
                session: row.text("session_id")?.into(),
                client: row.text("client_id")?,
                user: row.text("user_id")?.into(),
                tries: row.u32_column("oauth_logouts", "tries")?,
            })
        };
        rows.iter().map(read).collect()
    }

    async fn claim_logout(&self, due: &DueLogout, next_at: UnixMs) -> Result<bool> {
        self.write(ClaimLogout { due: due.clone(), next_at }).await
    }

    async fn finish_logout(&self, due: &DueLogout) -> Result<()> {
        self.write(FinishLogout(due.clone())).await
    }

    async fn sweep_oauth(&self, now: UnixMs) -> Result<u64> {
        self.sweep_oauth_before(now).await
    }
}

pub(super) fn client<DB: Backend>(row: &Record<DB>) -> Result<StoredClient> {
    Ok(StoredClient {
        id: row.text("id")?,
        registration: row.text("registration")?,
        secrets: row.text("secrets")?.split_whitespace().map(str::to_owned).collect(),
        source: row.text("source")?,
        management_hash: row.opt_text("management_hash")?,
        expires_at: row.opt_time("expires_at")?,
        created_at: row.time("created_at")?,
        changed_at: row.time("changed_at")?,
    })
}

fn code<DB: Backend>(row: &Record<DB>) -> Result<CodeRow> {
    Ok(CodeRow {
        client: row.text("client_id")?,
        session: row.text("session_id")?.into(),
        redirect_uri: row.text("redirect_uri")?,
        code_challenge: row.opt_text("code_challenge")?,
        jkt: row.opt_thumbprint("oauth_codes")?,
        details: row.text("details")?,
        expires_at: row.time("expires_at")?,
        grant: row.opt_text("grant_id")?,
    })
}

fn device<DB: Backend>(row: &Record<DB>) -> Result<PendingDevice> {
    Ok(PendingDevice {
        device_hash: row.text("device_hash")?,
        user_code_hash: row.text("user_code_hash")?,
        client: row.text("client_id")?,
        scope: row.text("scope")?,
        resources: row.text("resources")?,
        expires_at: row.time("expires_at")?,
        poll_at: row.time("poll_at")?,
        denied: row.opt_int("denied_at")?.is_some(),
    })
}

fn grant<DB: Backend>(row: &Record<DB>) -> Result<GrantRow> {
    let ended = [row.opt_int("revoked_at")?, row.opt_int("session_revoked_at")?, row.opt_int("disabled_at")?];
    Ok(GrantRow {
        id: row.text("id")?,
        client: row.text("client_id")?,
        user: row.text("user_id")?.into(),
        username: row.text("name")?,
        role: row.enum_column("users", "role", Role::parse)?,
        session: row.text("session_id")?.into(),
        details: row.text("details")?,
        jkt: row.opt_thumbprint("oauth_grants")?,
        generation: row.u32_column("oauth_grants", "generation")?,
        refresh_hash: row.opt_text("refresh_hash")?.map(TokenHash::stored),
        previous_hash: row.opt_text("previous_hash")?.map(TokenHash::stored),
        used: row.u32_column("oauth_grants", "used_generation")?,
        created_at: row.time("created_at")?,
        rotated_at: row.time("rotated_at")?,
        ends_at: row.time("ends_at")?,
        revoked: ended.iter().any(Option::is_some),
        session_idle_at: row.time("session_idle_at")?,
        session_ends_at: row.time("session_ends_at")?,
    })
}
