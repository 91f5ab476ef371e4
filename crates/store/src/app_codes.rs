//! One-time codes that lead a signed-in person back to an app.

use crate::Result;
use crate::audit::Entry;
use async_trait::async_trait;
use domain::UnixMs;

/// As many codes as a session has at once: enough for every tab of a browser that starts.
pub const MOST_OF_SESSION: i64 = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppCode {
    /// SHA-256 of the code, base64url.
    pub code_hash: String,
    /// The app's origin.
    pub app: String,
    /// SHA-256 of the state cookie of the browser that asked, base64url.
    pub state_hash: String,
    /// The session that the app's will belong to.
    pub session: String,
    /// Where to go on in the app.
    pub place: String,
    pub expires_at: UnixMs,
}

/// Who brings a code back.
#[derive(Debug, Clone)]
pub struct UseCode {
    pub code_hash: String,
    pub app: String,
    pub state_hash: String,
    /// Written if the code is good, as the session's and its owner's.
    pub audit: Entry,
    pub now: UnixMs,
}

#[async_trait]
pub trait AppCodes {
    /// Beyond [`MOST_OF_SESSION`] the session's oldest codes are deleted.
    async fn add_app_code(&self, code: &AppCode) -> Result<()>;
    /// Uses it up. `None`: there is none that is good for this app and this browser, and whose session is not
    /// over. Of any number of tries at once, on any number of nodes, one gets it.
    async fn use_app_code(&self, code: &UseCode) -> Result<Option<AppCode>>;
    /// Deletes those that ran out.
    async fn sweep_app_codes(&self, now: UnixMs) -> Result<u64>;
}
