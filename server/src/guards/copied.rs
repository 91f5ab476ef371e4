//! Bound tokens that were used without their key, and are therefore probably copied.
//!
//! Every check of a bound token's key ends here if the key was not proven: the portal's own tokens in cookies and
//! headers, tokens for apps, tokens of clients, and refresh tokens.

use crate::api_error::ApiError;
use crate::audit;
use crate::client::Client;
use crate::state::CoreState;
use crate::tokens::AccessTokenClaims;
use domain::ids::{SessionId, UserId};
use store::audit::AuditEvent;
use store::oauth::GrantRow;
use wire::problem::Code;

/// Period in which equal attempts are one row.
const TOGETHER_MS: i64 = 60 * 60_000;

/// The owner of a bound token.
#[derive(Debug, Clone, Copy)]
pub struct TokenOwner<'a> {
    pub user: &'a UserId,
    pub session: &'a SessionId,
    /// The app or the client that the token is for; empty for the portal itself.
    pub app: &'a str,
}

impl<'a> TokenOwner<'a> {
    /// Returns the owner of a token for the portal.
    pub fn of(claims: &'a AccessTokenClaims) -> Self {
        Self { user: &claims.sub, session: &claims.sid, app: "" }
    }

    /// Returns the owner of the tokens of a grant.
    pub fn of_grant(grant: &'a GrantRow, app: &'a str) -> Self {
        Self { user: &grant.user, session: &grant.session, app }
    }
}

/// Passes on the result of a check of the token's key, and records an attempt whose key was not proven.
///
/// # Errors
/// Those of the check; the store fails.
pub async fn check<T>(
    state: &CoreState,
    client: Option<&Client>,
    owner: TokenOwner<'_>,
    checked: Result<T, ApiError>,
) -> Result<T, ApiError> {
    if checked.as_ref().is_err_and(|refused| refused.code() == Code::BadProof)
        && let Some(client) = client
    {
        record(state, client, owner).await?;
    }
    checked
}

/// Records the attempt for the owner of the token, once an hour for each address. A browser that has lost its key looks
/// the same, so it counts for no ban.
///
/// # Errors
/// The store fails.
pub async fn record(state: &CoreState, client: &Client, owner: TokenOwner<'_>) -> store::Result<()> {
    let mut entry = audit::entry(state, client, AuditEvent::WrongKey, "bad_proof");
    entry.user = Some(owner.user.to_owned());
    entry.session = Some(owner.session.to_owned());
    owner.app.clone_into(&mut entry.about);
    state.store.append_once(&entry, entry.at - TOGETHER_MS).await
}
