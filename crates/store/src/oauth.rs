//! The OpenID provider: clients, codes, grants, consents and pushed requests.

use crate::Result;
use crate::audit::AuditEntry;
use crate::sessions::NewSession;
use async_trait::async_trait;
use domain::UnixMs;
use domain::account::Role;
use domain::ids::{SessionId, UserId};
use domain::thumbprint::Thumbprint;
use domain::token_hash::TokenHash;

/// Maximum number of unused codes of one session.
pub const MOST_CODES_OF_SESSION: i64 = 64;

/// A client that was added by command or page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredClient {
    pub id: String,
    /// JSON without secrets.
    pub registration: String,
    /// SHA-256 of each valid secret, base64url.
    pub secrets: Vec<String>,
    /// The author of the registration: `administrator` or `registered`.
    pub source: String,
    /// SHA-256 of the token with which a registered client changes itself, base64url.
    pub management_hash: Option<String>,
    /// End of a registration that the client made itself.
    pub expires_at: Option<UnixMs>,
    pub created_at: UnixMs,
    pub changed_at: UnixMs,
}

/// A new authorization code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCode {
    /// SHA-256 of the code, base64url.
    pub code_hash: String,
    pub client: String,
    pub session: SessionId,
    pub redirect_uri: String,
    pub code_challenge: Option<String>,
    /// Thumbprint of the key that the code is bound to.
    pub jkt: Option<Thumbprint>,
    /// The rest of the request, as JSON.
    pub details: String,
    pub expires_at: UnixMs,
    /// Hash of the pushed request that this code answers. It gives one code.
    pub pushed: Option<String>,
    /// Hash of the user code of the device that this code answers.
    pub device: Option<String>,
    /// The scopes that the person has just agreed to.
    pub agreed: Option<String>,
    /// The stored consent that the code relies on, if it needs one. It must still be the same.
    pub consent: Option<String>,
    /// Written for the session and its owner.
    pub audit: AuditEntry,
    pub now: UnixMs,
}

/// A code with its session's owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeRow {
    pub client: String,
    pub session: SessionId,
    pub redirect_uri: String,
    pub code_challenge: Option<String>,
    pub jkt: Option<Thumbprint>,
    pub details: String,
    pub expires_at: UnixMs,
    /// The grant that it gave, if it was used.
    pub grant: Option<String>,
}

/// The exchange of a code, written only if the code is unused and its session live.
#[derive(Debug, Clone)]
pub struct Redeem {
    pub code_hash: String,
    /// 16 bytes, base64url.
    pub grant: String,
    pub details: String,
    pub jkt: Option<Thumbprint>,
    /// Hash of the first refresh token, if one is issued.
    pub refresh_hash: Option<TokenHash>,
    /// End of the grant in any case; it never outlives its session.
    pub ends_at: UnixMs,
    /// Whether the client wants to know when the session ends.
    pub notify: bool,
    /// End of the time that the used code is remembered.
    pub remember_until: UnixMs,
    pub now: UnixMs,
}

/// A grant with its session and its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantRow {
    pub id: String,
    pub client: String,
    pub user: UserId,
    pub username: String,
    pub role: Role,
    pub session: SessionId,
    pub details: String,
    pub jkt: Option<Thumbprint>,
    pub generation: u32,
    pub refresh_hash: Option<TokenHash>,
    pub previous_hash: Option<TokenHash>,
    pub used: u32,
    pub created_at: UnixMs,
    pub rotated_at: UnixMs,
    pub ends_at: UnixMs,
    /// The grant was revoked, its session has been ended, or its owner is disabled.
    pub revoked: bool,
    /// End of the session if it is not used, and in any case.
    pub session_idle_at: UnixMs,
    pub session_ends_at: UnixMs,
}

impl GrantRow {
    /// Whether its tokens are valid, apart from their own expiry.
    pub fn is_live(&self, now: UnixMs) -> bool {
        !self.revoked && now < self.ends_at && now < self.session_idle_at && now < self.session_ends_at
    }
}

/// A rotation of a grant's refresh token, written only if the grant is unchanged and live. Use of a grant is use of its
/// session, whose idle time it extends.
#[derive(Debug, Clone)]
pub struct GrantRotation {
    pub id: String,
    pub from_generation: u32,
    pub from_hash: TokenHash,
    pub to_hash: TokenHash,
    /// Thumbprint of the key that access tokens are bound to from now on.
    pub jkt: Option<Thumbprint>,
    /// The owner of the grant, if that key is another one than before. Then every node reads the grant again.
    pub rebound: Option<UserId>,
    /// New end of the session if it is not used again.
    pub idle_at: UnixMs,
    pub now: UnixMs,
}

/// The one session that a grant of the terminal program gives. The grant ends with it.
#[derive(Debug, Clone)]
pub struct BeginSession {
    pub grant: String,
    pub session: NewSession,
    /// When the person was authenticated, in the session that agreed.
    pub authenticated_at: UnixMs,
    pub audit: AuditEntry,
}

/// A client with the scopes that a person granted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentRow {
    pub client: String,
    pub scope: String,
    pub given_at: UnixMs,
}

/// A grant whose tokens are valid, for the person's list of apps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveGrant {
    pub client: String,
    pub details: String,
    pub created_at: UnixMs,
}

/// A client that got access through a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionClient {
    pub client: String,
    /// Whether it is notified when the session ends.
    pub notified: bool,
}

/// A device that waits for a person (RFC 8628).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingDevice {
    pub device_hash: String,
    pub user_code_hash: String,
    pub client: String,
    pub scope: String,
    /// The resources that it asks for, separated by spaces.
    pub resources: String,
    pub expires_at: UnixMs,
    /// The device must not poll before.
    pub poll_at: UnixMs,
    pub denied: bool,
}

/// A client to be notified that a session has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueLogout {
    pub session: SessionId,
    pub client: String,
    pub user: UserId,
    /// Number of attempts before.
    pub tries: u32,
}

/// A pushed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedRequest {
    pub id_hash: String,
    pub client: String,
    /// Form data.
    pub parameters: String,
    /// Until when a person may begin to answer it.
    pub expires_at: UnixMs,
    /// Until when a person who began in time may answer it.
    pub kept_until: UnixMs,
}

#[async_trait]
pub trait OAuth {
    /// Returns all clients, by id.
    async fn clients(&self) -> Result<Vec<StoredClient>>;
    /// Adds a client. `false`: the id is taken.
    async fn add_client(&self, client: &StoredClient, audit: &AuditEntry) -> Result<bool>;
    /// Replaces registration and secrets, if they are still `before`'s. `ask_again`: withdraws all consents. `false`: the
    /// client has changed or is gone.
    async fn change_client(
        &self,
        before: &StoredClient,
        client: &StoredClient,
        ask_again: bool,
        audit: &AuditEntry,
    ) -> Result<bool>;
    /// Removes a client with its codes, grants and consents. `false`: no such client exists.
    async fn remove_client(&self, id: &str, audit: &AuditEntry, now: UnixMs) -> Result<bool>;
    /// Stores a code for a live session. `false`: the session has ended, the pushed request was answered before, or the
    /// consent that it relies on was withdrawn.
    async fn add_code(&self, code: &NewCode) -> Result<bool>;
    async fn code(&self, code_hash: &str) -> Result<Option<CodeRow>>;
    /// Exchanges a code for a grant. `false`: it was used or has expired, or its session has ended; read again.
    async fn redeem_code(&self, redeem: &Redeem) -> Result<bool>;
    async fn grant(&self, id: &str) -> Result<Option<GrantRow>>;
    /// Rotates a refresh token. `false`: the grant has changed or ended; read again.
    async fn rotate_grant(&self, rotation: &GrantRotation) -> Result<bool>;
    /// Records that an access token of this generation was used.
    async fn show_grant(&self, id: &str, generation: u32) -> Result<()>;
    /// Revokes a grant. `audit`: written if it was not revoked before. `false`: it was.
    async fn revoke_grant(&self, id: &str, audit: Option<&AuditEntry>, now: UnixMs) -> Result<bool>;
    /// Ends a grant and begins a session, both or neither. `false`: the grant was ended before, or its owner is
    /// disabled.
    async fn begin_session(&self, begin: &BeginSession) -> Result<bool>;
    /// Returns the scopes that a person agreed to for a client.
    async fn consent(&self, user: &UserId, client: &str) -> Result<Option<String>>;
    async fn consents(&self, user: &UserId) -> Result<Vec<ConsentRow>>;
    /// Returns the live grants of a person, the oldest of each client first.
    async fn live_grants(&self, user: &UserId, now: UnixMs) -> Result<Vec<LiveGrant>>;
    /// Returns the clients that got access through a session, by id. The access may have ended.
    async fn clients_of_session(&self, session: &SessionId) -> Result<Vec<SessionClient>>;
    /// Withdraws a consent, and revokes what the client got from this person and could get by an unused code. `false`: there
    /// was none of these.
    async fn withdraw_consent(&self, user: &UserId, client: &str, audit: &AuditEntry, now: UnixMs) -> Result<bool>;
    async fn push_request(&self, request: &PushedRequest) -> Result<()>;
    /// Returns a request that is kept, even if it has expired.
    async fn pushed_request(&self, id_hash: &str, now: UnixMs) -> Result<Option<PushedRequest>>;
    async fn add_device(&self, device: &PendingDevice) -> Result<()>;
    /// Returns a device that waits. An approved one no longer waits: its code is a [`CodeRow`].
    async fn device(&self, device_hash: &str) -> Result<Option<PendingDevice>>;
    async fn device_of_user_code(&self, user_code_hash: &str) -> Result<Option<PendingDevice>>;
    /// Records that a person declined. `false`: no device waits.
    async fn deny_device(&self, user_code_hash: &str, now: UnixMs) -> Result<bool>;
    /// Records a poll; the next one is allowed at `poll_at`.
    async fn poll_device(&self, device_hash: &str, poll_at: UnixMs) -> Result<()>;
    /// Returns the clients to be notified that a session has ended.
    async fn due_logouts(&self, now: UnixMs, limit: i64) -> Result<Vec<DueLogout>>;
    /// Claims a notice for one attempt; the next one is at `next_at`. `false`: another node was faster.
    async fn claim_logout(&self, due: &DueLogout, next_at: UnixMs) -> Result<bool>;
    /// Deletes a notice that needs no further attempt.
    async fn finish_logout(&self, due: &DueLogout) -> Result<()>;
    /// Deletes expired codes and pushed requests, and ended grants.
    async fn sweep_oauth(&self, now: UnixMs) -> Result<u64>;
}
