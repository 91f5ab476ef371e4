//! Sign-out requests of clients (OpenID Connect RP-Initiated Logout 1.0).

use crate::client::Client;
use crate::error::{ErrorCode, OAuthError};
use crate::params::{Params, with_query};

/// The content of a valid `id_token_hint`. It may have expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    pub client: String,
    pub sub: String,
    pub session: Option<String>,
}

/// A valid sign-out request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoutRequest {
    /// The page to open afterwards, if not the sign-in page.
    pub to: Option<String>,
    /// Whether the hint is of the session that would end, so that nobody needs to be asked.
    pub certain: bool,
}

/// Returns the id of the client that the request names.
///
/// # Errors
/// `client_id` and the hint name different clients, or a parameter occurs twice.
pub fn client_id<'a>(params: &'a Params, hint: Option<&'a Hint>) -> Result<Option<&'a str>, OAuthError> {
    let invalid = |text: &str| Err(OAuthError::new(ErrorCode::InvalidRequest, text));
    if params.repeated().is_some() {
        return invalid("a parameter occurs more than once");
    }
    match (params.get("client_id"), hint) {
        (Some(id), Some(hint)) if hint.client != id => invalid("client_id is not the client of id_token_hint"),
        (Some(id), _) => Ok(Some(id)),
        (None, Some(hint)) => Ok(Some(&hint.client)),
        (None, None) => Ok(None),
    }
}

/// Judges a request. `session`: id and `sub` of the browser's session, if it has one.
///
/// # Errors
/// The place to go afterwards is not registered.
pub fn judge(
    params: &Params,
    client: Option<&Client>,
    hint: Option<&Hint>,
    session: Option<(&str, &str)>,
) -> Result<LogoutRequest, OAuthError> {
    let invalid = |text: &str| OAuthError::new(ErrorCode::InvalidRequest, text);
    let to = match (params.get("post_logout_redirect_uri"), client) {
        (None, _) => None,
        (Some(_), None) => {
            return Err(invalid("post_logout_redirect_uri needs an id_token_hint or the client_id of a client"));
        }
        (Some(uri), Some(client)) if client.leaves_to(uri) => Some(match params.get("state") {
            Some(state) => with_query(uri, &[("state", state)]),
            None => uri.to_owned(),
        }),
        (Some(uri), Some(client)) => {
            let registered = client.settings.post_logout_redirect_uris.join(", ");
            let text = format!("post_logout_redirect_uri {uri} is not registered; registered: {registered}");
            return Err(invalid(&text));
        }
    };
    let certain = match (hint, session) {
        (Some(hint), Some((id, sub))) => hint.sub == sub && hint.session.as_deref().is_none_or(|own| own == id),
        // Nobody is signed in: nothing is lost.
        (_, None) => true,
        (None, Some(_)) => false,
    };
    Ok(LogoutRequest { to, certain })
}
