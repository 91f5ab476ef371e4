//! Sessions and their refresh tokens, of which only hashes are stored.

use crate::Result;
use crate::audit::Entry;
use crate::user::PasswordHash;
use async_trait::async_trait;
use domain::UnixMs;
use domain::account::Role;
use domain::session::Session;

/// A session to be written: everything else about it starts at generation 0.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// 16 bytes, base64url.
    pub id: String,
    pub user: String,
    /// The password hash that the sign-in was judged by: it must still be the user's when the session
    /// is written. `None`: no password was judged, the account is new.
    pub judged_by: Option<PasswordHash>,
    /// Hash of the first refresh token.
    pub refresh_hash: String,
    pub jkt: Option<String>,
    /// The client's receiving key as JWK text.
    pub receiving_key: Option<String>,
    pub device: String,
    pub address: String,
    pub now: UnixMs,
    pub idle_at: UnixMs,
    pub ends_at: UnixMs,
}

/// A session with its owner, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub id: String,
    pub user: String,
    pub username: String,
    pub role: Role,
    pub user_disabled: bool,
    /// What the rules judge by.
    pub life: Session,
    /// "Firefox on Fedora".
    pub device: String,
    /// Address prefix of the last use.
    pub address: String,
    /// The client's receiving key as JWK text.
    pub receiving_key: Option<String>,
    pub created_at: UnixMs,
    pub used_at: UnixMs,
}

/// One rotation, to be written only if the session is still where it was read.
#[derive(Debug, Clone)]
pub struct Rotation {
    pub id: String,
    /// Generation and hash that must still be current.
    pub from_generation: u32,
    pub from_hash: String,
    pub to_hash: String,
    pub address: String,
    pub idle_at: UnixMs,
    pub now: UnixMs,
}

/// What a node's cache needs to hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub id: String,
    pub generation: u32,
    pub rotated_at: UnixMs,
    pub idle_at: UnixMs,
    pub ends_at: UnixMs,
    pub revoked_at: Option<UnixMs>,
    /// The name and the role that its user has now.
    pub username: String,
    pub role: Role,
}

#[async_trait]
pub trait Sessions {
    async fn session(&self, id: &str) -> Result<Option<Row>>;
    /// `true`: this rotation was written. `false`: the session has moved on or is over; read again.
    async fn rotate(&self, rotation: &Rotation) -> Result<bool>;
    /// Writes down that an access token of this generation was shown, unless it was before.
    async fn show_generation(&self, id: &str, generation: u32) -> Result<()>;
    /// Ends one session of `user`. `false`: there is none that is not over.
    async fn revoke(&self, user: &str, id: &str, audit: &Entry, now: UnixMs) -> Result<bool>;
    /// Ends every session of the user but `keep`; returns their ids. Writes the audit row only if
    /// there were any.
    async fn revoke_others(&self, user: &str, keep: Option<&str>, audit: &Entry, now: UnixMs) -> Result<Vec<String>>;
    /// Sessions of a user that are not over, last used first.
    async fn sessions_of(&self, user: &str, now: UnixMs) -> Result<Vec<Row>>;
    /// Sessions that were rotated or ended, or whose user got another name or role, at or after `since`; ask for a little more, as for bans.
    async fn sessions_changed(&self, since: UnixMs) -> Result<Vec<Change>>;
    /// Which sessions were ended at or after `since`, and when.
    async fn sessions_ended(&self, since: UnixMs) -> Result<Vec<(String, UnixMs)>>;
    /// Deletes sessions that were over before `before`. Returns how many.
    async fn sweep_sessions(&self, before: UnixMs) -> Result<u64>;
}
