//! Sessions and their refresh tokens, of which only hashes are stored.

use crate::Result;
use crate::audit::AuditEntry;
use crate::user::PasswordHash;
use async_trait::async_trait;
use domain::UnixMs;
use domain::account::Role;
use domain::authentication::{Authentication, Methods};
use domain::ids::{SessionId, UserId};
use domain::session::Session;
use domain::thumbprint::Thumbprint;
use domain::token_hash::TokenHash;

/// A new session, at generation 0.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// 16 bytes, base64url.
    pub id: SessionId,
    pub user: UserId,
    /// The password hash that the sign-in was checked against. It must still be the user's when the session is written.
    /// `None`: the account is new, so no password was checked.
    pub judged_by: Option<PasswordHash>,
    /// Hash of the first refresh token.
    pub refresh_hash: TokenHash,
    pub jkt: Option<Thumbprint>,
    /// The client's receiving key as JWK text.
    pub receiving_key: Option<String>,
    /// The methods of the authentication. Its time is `now`.
    pub methods: Methods,
    pub device: String,
    pub address: String,
    pub now: UnixMs,
    pub idle_at: UnixMs,
    pub ends_at: UnixMs,
}

/// A session with its owner, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    pub id: SessionId,
    pub user: UserId,
    pub username: String,
    pub role: Role,
    pub user_disabled: bool,
    /// The part that the rules need.
    pub life: Session,
    pub authentication: Authentication,
    /// The device's name, such as "Firefox on Fedora".
    pub device: String,
    /// Address prefix of the last use.
    pub address: String,
    /// The client's receiving key as JWK text.
    pub receiving_key: Option<String>,
    pub created_at: UnixMs,
    pub used_at: UnixMs,
}

/// One rotation, written only if the session is unchanged since it was read.
#[derive(Debug, Clone)]
pub struct Rotation {
    pub id: SessionId,
    /// Generation and hash that must still be current.
    pub from_generation: u32,
    pub from_hash: TokenHash,
    pub to_hash: TokenHash,
    pub address: String,
    pub idle_at: UnixMs,
    pub now: UnixMs,
    /// `now` by the database's clock, by which other nodes query rotations.
    pub changed_at: UnixMs,
}

/// A change that the caches of nodes need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionChange {
    pub id: SessionId,
    pub generation: u32,
    pub rotated_at: UnixMs,
    pub idle_at: UnixMs,
    pub ends_at: UnixMs,
    pub revoked_at: Option<UnixMs>,
    pub authentication: Authentication,
    /// The current name and role of its user.
    pub username: String,
    pub role: Role,
    /// The version of its user's profile.
    pub profile_version: i64,
}

#[async_trait]
pub trait Sessions {
    async fn session(&self, id: &SessionId) -> Result<Option<SessionRow>>;
    /// Rotates a refresh token. `false`: the session has changed or ended; read again.
    async fn rotate(&self, rotation: &Rotation) -> Result<bool>;
    /// Records the first use of an access token of this generation.
    async fn show_generation(&self, id: &SessionId, generation: u32) -> Result<()>;
    /// Ends one session of `user`. `false`: no live one has this id.
    async fn revoke(&self, user: &UserId, id: &SessionId, audit: &AuditEntry, now: UnixMs) -> Result<bool>;
    /// Ends every session of the user except `keep` and returns their ids. Writes the audit row only if there were any.
    async fn revoke_others(
        &self,
        user: &UserId,
        keep: Option<&SessionId>,
        audit: &AuditEntry,
        now: UnixMs,
    ) -> Result<Vec<SessionId>>;
    /// Returns the live sessions of a user, last used first.
    async fn sessions_of(&self, user: &UserId, now: UnixMs) -> Result<Vec<SessionRow>>;
    /// Returns the sessions that were rotated or ended, or whose user's name, role or profile changed, at or after
    /// `since`. Callers should overlap the periods a little, as for bans.
    async fn sessions_changed(&self, since: UnixMs) -> Result<Vec<SessionChange>>;
    /// Returns the sessions whose end, or whose person's change, has a higher number than `after` in the order of
    /// commits. See [`crate::changes::LastChanges`].
    async fn sessions_published(&self, after: i64) -> Result<Vec<SessionChange>>;
    /// Returns the sessions that were ended at or after `since`, with the time.
    async fn sessions_ended(&self, since: UnixMs) -> Result<Vec<(SessionId, UnixMs)>>;
    /// Deletes sessions that ended before `before`, and returns their number.
    async fn sweep_sessions(&self, before: UnixMs) -> Result<u64>;
}
