//! The answer of the token endpoint: the tokens of a grant, or an error.

use super::oauth_people;
use crate::api_error::ApiError;
use crate::oauth::tokens::AccessSubject;
use crate::state::KeyState;
use domain::refresh_token::RefreshToken;
use oidc::error::{ErrorCode, OAuthError};
use oidc::exchange::GrantDetails;
use oidc::scope::OPENID;
use oidc::{Client, Scopes};
use store::oauth::GrantRow;

/// The successful token response (RFC 6749, section 5.1).
#[derive(Clone)]
pub struct TokenResponse {
    pub access_token: String,
    /// `Bearer` or `DPoP`.
    pub token_type: &'static str,
    /// Lifetime of the access token in seconds.
    pub expires_in: i64,
    pub refresh_token: Option<String>,
    pub id_token: Option<String>,
    pub scope: String,
}

/// An error for the client, or a failure of this server.
#[derive(Debug)]
pub enum TokenError {
    OAuth(OAuthError),
    Failed(ApiError),
}

impl From<OAuthError> for TokenError {
    fn from(error: OAuthError) -> Self {
        Self::OAuth(error)
    }
}

impl From<store::Error> for TokenError {
    fn from(error: store::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<ApiError> for TokenError {
    fn from(error: ApiError) -> Self {
        Self::Failed(error)
    }
}

pub(super) fn invalid_grant(text: &str) -> TokenError {
    OAuthError::new(ErrorCode::InvalidGrant, text).into()
}

/// Issues the tokens of a grant. `token`: its refresh token, if it has one.
///
/// # Errors
/// The account or a key is not available; the store fails.
pub(super) async fn issue(
    state: &KeyState,
    client: &Client,
    grant: &GrantRow,
    details: &GrantDetails,
    scopes: &Scopes,
    resources: &[String],
    token: Option<&RefreshToken>,
) -> Result<TokenResponse, TokenError> {
    let now = state.now();
    let id = domain::encoding::from_base64url(&grant.id).and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
    let id = id.ok_or_else(|| invalid_grant("the grant cannot be read"))?;
    let sub = oauth_people::subject(state, client, &grant.user).await?;
    let sid = client.session_id(grant.session.as_str(), &sub);
    let subject = AccessSubject {
        grant: &id,
        generation: grant.generation,
        user: &sub,
        session: &sid,
        scopes,
        resources,
        details,
        jkt: grant.jkt,
        jti: state.ulid(),
    };
    let (access_token, expires_in) = state.client_tokens.access(client, subject, now).map_err(ApiError::broken)?;
    let id_token = if scopes.contains(OPENID) {
        let person = oauth_people::person(state, client, grant).await?;
        let all = if client.settings.id_token_claims { scopes.clone() } else { Scopes::default() };
        let claims = person.claims(&all, &client.allowed_claims(&details.id_token));
        let signed = state.client_tokens.id_token(client, claims, &sid, details, &access_token, now);
        Some(signed.map_err(ApiError::broken)?)
    } else {
        None
    };
    let refresh_token = match token {
        Some(token) => Some(token.reveal(&state.keyring.macs(now).map_err(ApiError::from)?.oauth_refresh)),
        None => None,
    };
    let token_type = if grant.jkt.is_some() { "DPoP" } else { "Bearer" };
    Ok(TokenResponse { access_token, token_type, expires_in, refresh_token, id_token, scope: scopes.to_string() })
}

impl std::fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenResponse({})", self.scope)
    }
}
