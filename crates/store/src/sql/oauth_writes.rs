//! Writes of codes, grants, consents and requests of the OpenID provider.

use super::audit::append;
use super::backend::{Backend, Value};
use super::oauth_logouts::notify_client;
use super::session_writes::{lock_sessions, mark_sessions};
use super::statement::sql;
use super::tx::Tx;
use super::write::Write;
use crate::Result;
use crate::audit::AuditEntry;
use crate::oauth::{GrantRotation, MOST_CODES_OF_SESSION, NewCode, PendingDevice, PushedRequest, Redeem};
use domain::UnixMs;
use domain::ids::UserId;
use domain::token_hash::TokenHash;

sql! {
    // These lock the request, so that of concurrent answers one finds it, and it is used up after the write that may
    // still fail.
    LOCK_PUSHED = "UPDATE oauth_requests SET expires_at = expires_at
        WHERE id_hash = $1 AND client_id = $2 AND COALESCE(kept_until, expires_at) > $3";
    LOCK_DEVICE = "UPDATE oauth_devices SET poll_at = poll_at
        WHERE user_code_hash = $1 AND client_id = $2 AND denied_at IS NULL AND expires_at > $3";
    USE_PUSHED = "DELETE FROM oauth_requests WHERE id_hash = $1";
    USE_DEVICE = "DELETE FROM oauth_devices WHERE user_code_hash = $1";
    ADD_DEVICE = "INSERT INTO oauth_devices (device_hash, user_code_hash, client_id, scope, resources, expires_at, poll_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    DENY_DEVICE = "UPDATE oauth_devices SET denied_at = $2
        WHERE user_code_hash = $1 AND denied_at IS NULL AND expires_at > $2";
    POLL_DEVICE = "UPDATE oauth_devices SET poll_at = $2 WHERE device_hash = $1";
    ADD_CODE = "INSERT INTO oauth_codes
            (code_hash, client_id, session_id, redirect_uri, code_challenge, jkt, details, expires_at)
        SELECT $1, $2, s.id, $4, $5, $6, $7, $8 FROM sessions s JOIN users u ON u.id = s.user_id
        WHERE s.id = $3 AND s.revoked_at IS NULL AND s.idle_at > $9 AND s.ends_at > $9 AND u.disabled_at IS NULL";
    // Changes nothing, but waits for a concurrent withdrawal, and lets a later one wait.
    LOCK_CONSENT = "UPDATE oauth_consents SET scope = scope WHERE client_id = $1 AND scope = $2
        AND user_id = (SELECT user_id FROM sessions WHERE id = $3)";
    DROP_OLDEST = "DELETE FROM oauth_codes WHERE session_id = $1 AND used_at IS NULL AND code_hash NOT IN
        (SELECT code_hash FROM oauth_codes WHERE session_id = $1 AND used_at IS NULL
            ORDER BY expires_at DESC, code_hash LIMIT $2)";
    OWNER = "SELECT user_id FROM sessions WHERE id = $1";
    AGREE = "INSERT INTO oauth_consents (user_id, client_id, scope, given_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (user_id, client_id) DO UPDATE SET scope = excluded.scope, given_at = excluded.given_at";

    REDEEM = "UPDATE oauth_codes SET used_at = $2, grant_id = $3, expires_at = $4
        WHERE code_hash = $1 AND used_at IS NULL AND expires_at > $2 AND EXISTS
            (SELECT 1 FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = oauth_codes.session_id
                AND s.revoked_at IS NULL AND s.idle_at > $2 AND s.ends_at > $2 AND u.disabled_at IS NULL)";
    // Changes nothing, but waits for a concurrent end of the session, and lets a later one wait.
    LOCK_SESSION = "UPDATE sessions SET seq = seq WHERE id = (SELECT session_id FROM oauth_codes WHERE code_hash = $1)";
    ADD_GRANT = "INSERT INTO oauth_grants (id, client_id, user_id, session_id, details, jkt, generation, refresh_hash,
            used_generation, created_at, rotated_at, ends_at)
        SELECT $1, c.client_id, s.user_id, s.id, $3, $4, 0, $5, 0, $6, $6, $7
        FROM oauth_codes c JOIN sessions s ON s.id = c.session_id WHERE c.code_hash = $2";

    ROTATE = "UPDATE oauth_grants SET generation = generation + 1, previous_hash = refresh_hash, refresh_hash = $4,
            rotated_at = $5, jkt = $6
        WHERE id = $1 AND generation = $2 AND refresh_hash = $3 AND revoked_at IS NULL AND ends_at > $5 AND EXISTS
            (SELECT 1 FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = oauth_grants.session_id
                AND s.revoked_at IS NULL AND s.idle_at > $5 AND s.ends_at > $5 AND u.disabled_at IS NULL)";
    EXTEND = "UPDATE sessions SET idle_at = $2, used_at = $3, changed_at = $3
        WHERE id = (SELECT session_id FROM oauth_grants WHERE id = $1) AND idle_at < $2";
    SHOW = "UPDATE oauth_grants SET used_generation = $2 WHERE id = $1 AND generation >= $2 AND used_generation < $2";
    REVOKE = "UPDATE oauth_grants SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING user_id";

    WITHDRAW = "DELETE FROM oauth_consents WHERE user_id = $1 AND client_id = $2";
    // A used code stays, so that its second use is noticed.
    DROP_CODES = "DELETE FROM oauth_codes WHERE client_id = $2 AND used_at IS NULL
        AND session_id IN (SELECT id FROM sessions WHERE user_id = $1)";
    END_OF_PERSON = "UPDATE oauth_grants SET revoked_at = $3
        WHERE user_id = $1 AND client_id = $2 AND revoked_at IS NULL";
    PUSH = "INSERT INTO oauth_requests (id_hash, client_id, parameters, expires_at, kept_until)
        VALUES ($1, $2, $3, $4, $5)";
}

impl Write for NewCode {
    type Output = bool;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let (client, session) = (Value::Text(&self.client), Value::Text(self.session.as_str()));
        let jkt = self.jkt.map(|jkt| jkt.to_string());
        let values = [
            Value::Text(&self.code_hash),
            client,
            session,
            Value::Text(&self.redirect_uri),
            Value::OptText(self.code_challenge.as_deref()),
            Value::OptText(jkt.as_deref()),
            Value::Text(&self.details),
            Value::Time(self.expires_at),
            Value::Time(self.now),
        ];
        if let Some(consent) = &self.consent
            && tx.execute(LOCK_CONSENT, &[client, Value::Text(consent), session]).await? == 0
        {
            return Ok(false);
        }
        let now = Value::Time(self.now);
        if let Some(pushed) = &self.pushed
            && tx.execute(LOCK_PUSHED, &[Value::Text(pushed), client, now]).await? == 0
        {
            return Ok(false);
        }
        if let Some(device) = &self.device
            && tx.execute(LOCK_DEVICE, &[Value::Text(device), client, now]).await? == 0
        {
            return Ok(false);
        }
        // A session that has ended uses up no request: its person signs in again.
        if tx.execute(ADD_CODE, &values).await? == 0 {
            return Ok(false);
        }
        if let Some(pushed) = &self.pushed {
            tx.execute(USE_PUSHED, &[Value::Text(pushed)]).await?;
        }
        if let Some(device) = &self.device {
            tx.execute(USE_DEVICE, &[Value::Text(device)]).await?;
        }
        tx.execute(DROP_OLDEST, &[session, Value::Int(MOST_CODES_OF_SESSION)]).await?;
        let Some(owner) = tx.one(OWNER, &[session]).await? else { return Ok(false) };
        let owner = owner.text("user_id")?;
        if let Some(scope) = &self.agreed {
            tx.execute(AGREE, &[Value::Text(&owner), client, Value::Text(scope), Value::Time(self.now)]).await?;
        }
        let mut entry = self.audit.clone();
        entry.user = Some(owner.into());
        entry.session = Some(self.session.clone());
        append(tx, &entry).await?;
        Ok(true)
    }
}

impl Write for Redeem {
    type Output = bool;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let (code, grant) = (Value::Text(&self.code_hash), Value::Text(&self.grant));
        if self.notify {
            // The end of the session must find the row that waits for it.
            tx.execute(LOCK_SESSION, &[code]).await?;
        }
        let used = [code, Value::Time(self.now), grant, Value::Time(self.remember_until)];
        if tx.execute(REDEEM, &used).await? == 0 {
            return Ok(false);
        }
        let jkt = self.jkt.map(|jkt| jkt.to_string());
        let values = [
            grant,
            code,
            Value::Text(&self.details),
            Value::OptText(jkt.as_deref()),
            Value::OptText(self.refresh_hash.as_ref().map(TokenHash::as_str)),
            Value::Time(self.now),
            Value::Time(self.ends_at),
        ];
        if tx.execute(ADD_GRANT, &values).await? == 0 {
            return Ok(false);
        }
        if self.notify {
            notify_client(tx, &self.grant).await?;
        }
        Ok(true)
    }
}

impl Write for GrantRotation {
    type Output = bool;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let jkt = self.jkt.map(|jkt| jkt.to_string());
        let values = [
            Value::Text(&self.id),
            Value::Int(self.from_generation.into()),
            Value::Text(self.from_hash.as_str()),
            Value::Text(self.to_hash.as_str()),
            Value::Time(self.now),
            Value::OptText(jkt.as_deref()),
        ];
        if tx.execute(ROTATE, &values).await? == 0 {
            return Ok(false);
        }
        // Before one session is extended, because all are locked in one order here as elsewhere.
        if let Some(user) = &self.rebound {
            mark_sessions(tx, user, self.now).await?;
        }
        tx.execute(EXTEND, &[Value::Text(&self.id), Value::Time(self.idle_at), Value::Time(self.now)]).await?;
        Ok(true)
    }
}

pub(super) struct ShowGrant {
    pub id: String,
    pub generation: u32,
}

impl Write for ShowGrant {
    type Output = ();
    const ONE_STATEMENT: bool = true;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<()> {
        tx.execute(SHOW, &[Value::Text(&self.id), Value::Int(self.generation.into())]).await.map(drop)
    }
}

pub(super) struct RevokeGrant {
    pub id: String,
    pub audit: Option<AuditEntry>,
    pub now: UnixMs,
}

impl Write for RevokeGrant {
    type Output = bool;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let Some(grant) = tx.one(REVOKE, &[Value::Text(&self.id), Value::Time(self.now)]).await? else {
            return Ok(false);
        };
        // Every node forgets what it keeps of the person's tokens.
        mark_sessions(tx, &grant.text("user_id")?.into(), self.now).await?;
        if let Some(audit) = &self.audit {
            append(tx, audit).await?;
        }
        Ok(true)
    }
}

pub(super) struct WithdrawConsent {
    pub user: UserId,
    pub client: String,
    pub audit: AuditEntry,
    pub now: UnixMs,
}

impl Write for WithdrawConsent {
    type Output = bool;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let (user, client) = (Value::Text(self.user.as_str()), Value::Text(&self.client));
        let withdrawn = tx.execute(WITHDRAW, &[user, client]).await?;
        // Grants, then sessions, then codes: a refresh takes the first two in this order, and an exchange the last two.
        // Another order would deadlock.
        let mut ended = tx.execute(END_OF_PERSON, &[user, client, Value::Time(self.now)]).await?;
        lock_sessions(tx, &self.user).await?;
        // This waits for a concurrent exchange, whose grant the next statement then finds.
        let dropped = tx.execute(DROP_CODES, &[user, client]).await?;
        ended += tx.execute(END_OF_PERSON, &[user, client, Value::Time(self.now)]).await?;
        if withdrawn + dropped + ended == 0 {
            return Ok(false);
        }
        if ended > 0 {
            mark_sessions(tx, &self.user, self.now).await?;
        }
        append(tx, &self.audit).await?;
        Ok(true)
    }
}

impl Write for PendingDevice {
    type Output = ();
    const ONE_STATEMENT: bool = true;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<()> {
        let texts = [&self.device_hash, &self.user_code_hash, &self.client, &self.scope, &self.resources];
        let [device, user_code, client, scope, resources] = texts.map(|text| Value::Text(text));
        let (expires_at, poll_at) = (Value::Time(self.expires_at), Value::Time(self.poll_at));
        let values = [device, user_code, client, scope, resources, expires_at, poll_at];
        tx.execute(ADD_DEVICE, &values).await.map(drop)
    }
}

pub(super) struct DenyDevice {
    pub user_code_hash: String,
    pub now: UnixMs,
}

impl Write for DenyDevice {
    type Output = bool;
    const ONE_STATEMENT: bool = true;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        Ok(tx.execute(DENY_DEVICE, &[Value::Text(&self.user_code_hash), Value::Time(self.now)]).await? == 1)
    }
}

pub(super) struct PollDevice {
    pub device_hash: String,
    pub poll_at: UnixMs,
}

impl Write for PollDevice {
    type Output = ();
    const ONE_STATEMENT: bool = true;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<()> {
        tx.execute(POLL_DEVICE, &[Value::Text(&self.device_hash), Value::Time(self.poll_at)]).await.map(drop)
    }
}

impl Write for PushedRequest {
    type Output = ();
    const ONE_STATEMENT: bool = true;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<()> {
        let texts = [&self.id_hash, &self.client, &self.parameters].map(|text| Value::Text(text));
        let [id, client, parameters] = texts;
        let (expires_at, kept_until) = (Value::Time(self.expires_at), Value::Time(self.kept_until));
        tx.execute(PUSH, &[id, client, parameters, expires_at, kept_until]).await.map(drop)
    }
}
