//! Access tokens for apps behind this site.

use crate::api_error::ApiError;
use crate::config::App;
use crate::guards::signed_in::SignedIn;
use crate::state::KeyState;
use crate::tokens::{PersonClaims, TokenSubject};
use domain::UnixMs;
use domain::thumbprint::Thumbprint;
use store::sessions::SessionRow;
use wire::apps::{AppToken, TokenType};
use wire::problem::Code;

/// Issues a token for an app to a program. The app's rules are checked when it is used.
///
/// # Errors
/// `no_app`, `no_session`
pub async fn issue(state: &KeyState, session: &SignedIn, audience: &str) -> Result<AppToken, ApiError> {
    let app = state.config.apps.of_origin(audience).ok_or_else(|| ApiError::new(Code::NoApp))?;
    let row = state.store.session(&session.claims.sid).await?;
    let row = row.filter(|row| !row.user_disabled && !row.life.is_over(state.now()));
    let row = row.ok_or_else(|| ApiError::new(Code::NoSession))?;
    let profile = state.store.profile(&row.user).await?.ok_or_else(|| ApiError::new(Code::NoSession))?;
    let person = PersonClaims::of(&row.username, &profile);
    let (access_token, expires_at) = sign(state, app, &row, &person, session.jkt())?;
    let token_type = if session.jkt().is_some() { TokenType::DPoP } else { TokenType::Bearer };
    Ok(AppToken { access_token, token_type, expires_at: expires_at.as_millis() })
}

/// Signs a token of this session for this app, bound to the key if there is one, and returns its expiry.
///
/// # Errors
/// It cannot be signed.
pub fn sign(
    state: &KeyState,
    app: &App,
    row: &SessionRow,
    person: &PersonClaims,
    jkt: Option<Thumbprint>,
) -> Result<(String, UnixMs), ApiError> {
    let subject = TokenSubject {
        user: &row.user,
        username: &row.username,
        role: row.role.as_str(),
        session: &row.id,
        generation: row.life.generation,
        jkt,
        authentication: row.authentication,
        person: Some(person),
        cookie: false,
        jti: state.ulid(),
    };
    state.tokens.sign_for(&app.origin, subject, state.now()).map_err(ApiError::broken)
}
