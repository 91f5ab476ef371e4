//! Administrators.

use super::recent_factor;
use super::signed_in::SignedIn;
use crate::api_error::ApiError;
use crate::state::{AppState, CoreState};
use axum::extract::FromRequestParts;
use domain::account::Role;
use http::request::Parts;
use store::users::User;
use wire::problem::Code;

/// An extractor for live sessions of administrators. A handler that changes something runs only after a fresh proof of
/// the person.
#[derive(Debug, Clone)]
pub struct Administrator {
    pub session: SignedIn,
    pub user: User,
}

impl Administrator {
    /// Finds the administrator of a session. The role is the store's and not the token's, so that losing it takes
    /// effect at once.
    ///
    /// # Errors
    /// The store fails.
    pub async fn find(state: &CoreState, session: SignedIn) -> Result<Option<Self>, ApiError> {
        let user = state.store.user_by_id(&session.claims.sub).await?;
        let user = user.filter(|user| user.role == Role::Administrator && user.disabled_at.is_none());
        Ok(user.map(|user| Self { session, user }))
    }
}

impl FromRequestParts<AppState> for Administrator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let session = SignedIn::from_request_parts(parts, state).await?;
        let found = Self::find(state, session).await?.ok_or_else(|| ApiError::new(Code::Forbidden))?;
        if !parts.method.is_safe() {
            recent_factor::check(state, &found.session).await?;
        }
        Ok(found)
    }
}
