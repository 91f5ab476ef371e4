//! Recovery codes, each of which replaces a second factor once.

use crate::audit::AuditEntry;
use domain::UnixMs;
use domain::ids::UserId;

/// The use of a recovery code.
#[derive(Debug, Clone)]
pub struct UseRecoveryCode {
    pub user: UserId,
    pub code_hash: String,
    pub audit: AuditEntry,
    pub now: UnixMs,
}
