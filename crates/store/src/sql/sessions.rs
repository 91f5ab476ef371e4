use super::backend::{Backend, Value};
use super::session_writes::{RevokeOtherSessions, RevokeSession, Show};
use super::statement::sql;
use super::store::SqlStore;
use super::tx::Record;
use crate::Result;
use crate::audit::AuditEntry;
use crate::sessions::{Rotation, SessionChange, SessionRow, Sessions};
use async_trait::async_trait;
use domain::UnixMs;
use domain::account::Role;
use domain::authentication::{Authentication, Methods};
use domain::ids::{SessionId, UserId};
use domain::session::Session;
use domain::token_hash::TokenHash;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT s.id, s.user_id, s.generation, s.refresh_hash, s.previous_hash, s.jkt, s.receiving_key, s.device,
                s.address, s.created_at, s.used_at, s.rotated_at, s.used_generation, s.idle_at, s.ends_at, s.revoked_at,
                s.auth_time, s.methods, u.name, u.role, u.disabled_at
            FROM sessions s JOIN users u ON u.id = s.user_id WHERE ",
            $rest
        )
    };
}

sql! {
    BY_ID = select!("s.id = $1");
    OF_USER = select!(
        "s.user_id = $1 AND s.revoked_at IS NULL AND s.idle_at > $2 AND s.ends_at > $2 ORDER BY s.used_at DESC"
    );
    CHANGED = "SELECT s.id, s.generation, s.rotated_at, s.idle_at, s.ends_at, s.revoked_at, s.auth_time,
            s.methods, u.name AS username, u.role, u.profile_version
        FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.changed_at >= $1";
    PUBLISHED = "SELECT s.id, s.generation, s.rotated_at, s.idle_at, s.ends_at, s.revoked_at, s.auth_time,
            s.methods, u.name AS username, u.role, u.profile_version
        FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.seq > 0 AND s.seq > $1";
    // A session does not change after its end, and that column has an index.
    ENDED = "SELECT id, revoked_at FROM sessions WHERE changed_at >= $1 AND revoked_at >= $1";
}

#[async_trait]
impl<DB: Backend> Sessions for SqlStore<DB> {
    async fn session(&self, id: &SessionId) -> Result<Option<SessionRow>> {
        self.one(BY_ID, &[Value::Text(id.as_str())]).await?.as_ref().map(session).transpose()
    }

    async fn rotate(&self, rotation: &Rotation) -> Result<bool> {
        self.write(rotation.clone()).await
    }

    async fn show_generation(&self, id: &SessionId, generation: u32) -> Result<()> {
        self.write(Show { id: id.to_owned(), generation }).await
    }

    async fn revoke(&self, user: &UserId, id: &SessionId, audit: &AuditEntry, now: UnixMs) -> Result<bool> {
        let (user, id) = (user.to_owned(), id.to_owned());
        self.write(RevokeSession { user, id, audit: audit.clone(), now }).await
    }

    async fn revoke_others(
        &self,
        user: &UserId,
        keep: Option<&SessionId>,
        audit: &AuditEntry,
        now: UnixMs,
    ) -> Result<Vec<SessionId>> {
        let (user, keep) = (user.to_owned(), keep.cloned());
        self.write(RevokeOtherSessions { user, keep, audit: audit.clone(), now }).await
    }

    async fn sessions_of(&self, user: &UserId, now: UnixMs) -> Result<Vec<SessionRow>> {
        self.all(OF_USER, &[Value::Text(user.as_str()), Value::Time(now)]).await?.iter().map(session).collect()
    }

    async fn sessions_changed(&self, since: UnixMs) -> Result<Vec<SessionChange>> {
        self.all(CHANGED, &[Value::Time(since)]).await?.iter().map(change).collect()
    }

    async fn sessions_published(&self, after: i64) -> Result<Vec<SessionChange>> {
        self.all(PUBLISHED, &[Value::Int(after)]).await?.iter().map(change).collect()
    }

    async fn sessions_ended(&self, since: UnixMs) -> Result<Vec<(SessionId, UnixMs)>> {
        let rows = self.all(ENDED, &[Value::Time(since)]).await?;
        rows.iter().map(|row| Ok((row.text("id")?.into(), row.time("revoked_at")?))).collect()
    }

    async fn sweep_sessions(&self, before: UnixMs) -> Result<u64> {
        self.sweep_over(before).await
    }
}

fn session<DB: Backend>(row: &Record<DB>) -> Result<SessionRow> {
    Ok(SessionRow {
        id: row.text("id")?.into(),
        user: row.text("user_id")?.into(),
        username: row.text("name")?,
        role: row.enum_column("users", "role", Role::parse)?,
        user_disabled: row.opt_int("disabled_at")?.is_some(),
        life: Session {
            generation: row.u32_column("sessions", "generation")?,
            current: TokenHash::stored(row.text("refresh_hash")?),
            previous: row.opt_text("previous_hash")?.map(TokenHash::stored),
            rotated_at: row.time("rotated_at")?,
            used: row.u32_column("sessions", "used_generation")?,
            jkt: row.opt_thumbprint("sessions")?,
            idle_at: row.time("idle_at")?,
            ends_at: row.time("ends_at")?,
            revoked: row.opt_int("revoked_at")?.is_some(),
        },
        authentication: authentication(row)?,
        device: row.text("device")?,
        address: row.text("address")?,
        receiving_key: row.opt_text("receiving_key")?,
        created_at: row.time("created_at")?,
        used_at: row.time("used_at")?,
    })
}

fn change<DB: Backend>(row: &Record<DB>) -> Result<SessionChange> {
    Ok(SessionChange {
        id: row.text("id")?.into(),
        generation: row.u32_column("sessions", "generation")?,
        rotated_at: row.time("rotated_at")?,
        idle_at: row.time("idle_at")?,
        ends_at: row.time("ends_at")?,
        revoked_at: row.opt_time("revoked_at")?,
        authentication: authentication(row)?,
        username: row.text("username")?,
        role: row.enum_column("users", "role", Role::parse)?,
        profile_version: row.int("profile_version")?,
    })
}

fn authentication<DB: Backend>(row: &Record<DB>) -> Result<Authentication> {
    Ok(Authentication { methods: row.enum_column("sessions", "methods", Methods::parse)?, at: row.time("auth_time")? })
}
