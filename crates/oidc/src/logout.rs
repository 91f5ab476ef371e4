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

/// The browser's session, by the names that the client knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownSession<'a> {
    pub sid: &'a str,
    pub sub: &'a str,
}

/// Judges a request. `known`: the browser's session, if it has one that the client can know.
///
/// # Errors
/// The place to go afterwards is not registered.
pub fn judge(
    params: &Params,
    client: Option<&Client>,
    hint: Option<&Hint>,
    is_signed_in: bool,
    known: Option<KnownSession<'_>>,
) -> Result<LogoutRequest, OAuthError> {
    let invalid = |text: &str| OAuthError::new(ErrorCode::InvalidRequest, text);
    let to = match (params.get("post_logout_redirect_uri"), client) {
        (None, _) => None,
        (Some(_), None) => {
            let text = if params.get("id_token_hint").is_some() {
                "id_token_hint is not a valid ID token of this server, so post_logout_redirect_uri needs a client_id"
            } else {
                "post_logout_redirect_uri needs an id_token_hint or the client_id of a client"
            };
            return Err(invalid(text));
        }
        (Some(uri), Some(client)) if client.leaves_to(uri) => Some(match params.get("state") {
            Some(state) => with_query(uri, &[("state", state)]),
            None => uri.to_owned(),
        }),
        (Some(uri), Some(client)) => {
            let text = match &client.settings.post_logout_redirect_uris[..] {
                [] => format!("post_logout_redirect_uri {uri} is not registered: the client has none, so register it"),
                some => {
                    let registered = some.join(", ");
                    format!("post_logout_redirect_uri {uri} is not registered; registered: {registered}")
                }
            };
            return Err(invalid(&text));
        }
    };
    let is_of = |hint: &Hint, known: KnownSession<'_>| {
        hint.sub == known.sub && hint.session.as_deref().is_none_or(|own| own == known.sid)
    };
    // If nobody is signed in, nothing is lost.
    let certain = !is_signed_in || hint.zip(known).is_some_and(|(hint, known)| is_of(hint, known));
    Ok(LogoutRequest { to, certain })
}
