//! Values that the operator typed, which are wrong. clap finds most of them; these are found by the rules.

use super::Failure;
use crate::flows::allowlist::AllowlistError;
use crate::flows::audit_log::AuditQueryError;
use crate::flows::bans::BanError;
use crate::flows::invitations::InvitationError;
use crate::flows::oauth_clients::ClientError;
use crate::flows::profiles::ProfileError;
use crate::flows::server_keys::ServerKeyError;
use crate::flows::services::ServiceError;
use domain::account::InvalidAccountName;
use domain::client_key::InvalidClientKey;
use domain::profile::InvalidEmailAddress;
use std::error::Error;

/// A wrong value without an error type of its own.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct WrongValue(String);

pub(super) fn wrong_value(problem: impl Into<String>) -> Failure {
    WrongValue(problem.into()).into()
}

/// Whether a command failed because of a value on the command line: it is wrong on every machine, whatever the database
/// contains. Values in files and on standard input do not count.
pub(super) fn is_wrong_value(error: &(dyn Error + Send + Sync + 'static)) -> bool {
    error.is::<WrongValue>()
        || error.is::<InvalidAccountName>()
        || error.is::<InvalidClientKey>()
        || error.is::<InvalidEmailAddress>()
        || matches!(error.downcast_ref(), Some(AllowlistError::Unfit(_)))
        || matches!(
            error.downcast_ref(),
            Some(AuditQueryError::Event(_) | AuditQueryError::Time(_) | AuditQueryError::Before(_))
        )
        || matches!(error.downcast_ref(), Some(BanError::Unfit(_) | BanError::Scope))
        || matches!(error.downcast_ref(), Some(ClientError::Invalid(_) | ClientError::Unusable(..)))
        || matches!(
            error.downcast_ref(),
            Some(InvitationError::Hours | InvitationError::Note | InvitationError::Address(_))
        )
        || matches!(
            error.downcast_ref(),
            Some(
                ProfileError::DisplayName(_)
                    | ProfileError::Email(_)
                    | ProfileError::GroupName(_)
                    | ProfileError::TooManyGroups
            )
        )
        || matches!(error.downcast_ref(), Some(ServerKeyError::Far))
        || matches!(error.downcast_ref(), Some(ServiceError::Name(_) | ServiceError::Role))
}
