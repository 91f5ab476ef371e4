//! One-time codes that lead a signed-in person back to an app.

use crate::Result;
use crate::audit::AuditEntry;
use async_trait::async_trait;
use domain::UnixMs;
use domain::ids::SessionId;

/// Maximum number of codes of one session: enough for every tab of a browser that starts.
pub const MOST_OF_SESSION: i64 = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppCode {
    /// SHA-256 of the code, base64url.
    pub code_hash: String,
    /// The app's origin.
    pub app: String,
    /// SHA-256 of the state cookie of the browser that asked, base64url.
    pub state_hash: String,
    /// The parent of the app's session.
    pub session: SessionId,
    /// The page in the app to return to.
    pub place: String,
    pub expires_at: UnixMs,
}

/// A code that a browser presents.
#[derive(Debug, Clone)]
pub struct UseCode {
    pub code_hash: String,
    pub app: String,
    pub state_hash: String,
    /// Written if the code is valid, for the session and its owner.
    pub audit: AuditEntry,
    pub now: UnixMs,
}

#[async_trait]
pub trait AppCodes {
    /// Stores a code. Deletes the session's oldest codes beyond [`MOST_OF_SESSION`].
    async fn add_app_code(&self, code: &AppCode) -> Result<()>;
    /// Consumes a code. `None`: no code is valid for this app and browser and has a live session. Of several concurrent
    /// attempts on any nodes, one succeeds.
    async fn use_app_code(&self, code: &UseCode) -> Result<Option<AppCode>>;
    /// Deletes expired codes.
    async fn sweep_app_codes(&self, now: UnixMs) -> Result<u64>;
}
