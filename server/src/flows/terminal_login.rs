//! A session for the terminal program, from an authorization that a person gave in a browser.

use super::issue::{self, IssuedTokens, SessionOwner};
use super::oauth_access;
use crate::api_error::ApiError;
use crate::audit;
use crate::client::Client;
use crate::guards::copied::{self, TokenOwner};
use crate::guards::proof;
use crate::sessions::LiveSession;
use crate::state::SessionState;
use domain::authentication::Authentication;
use http::HeaderMap;
use std::sync::Arc;
use store::audit::AuditEvent;
use store::oauth::BeginSession;
use verify::Scheme;
use wire::login::{Delivery, TerminalSignIn};
use wire::oauth::TERMINAL_CLIENT;
use wire::paths;
use wire::problem::Code;

/// The detail of the audit row.
const THROUGH_BROWSER: &str = "through a browser";

/// Begins the one session that an access token of the terminal program permits. It is bound to the token's key, and as
/// fresh as the session that agreed.
///
/// # Errors
/// `no_session`: the token is not valid, of another client, or was used; `bad_proof`, `use_dpop_nonce`; `bad_request`:
/// the receiving key is no point of its curve; the store fails.
pub(crate) async fn begin(
    state: Arc<SessionState>,
    client: Client,
    headers: HeaderMap,
    request: TerminalSignIn,
) -> Result<IssuedTokens, ApiError> {
    let refused = || proof::refuse(&state, Code::NoSession).about_token(Some(Scheme::Dpop));
    let Ok(Some((scheme, token))) = verify::presented(&headers) else { return Err(refused()) };
    let live = oauth_access::live(&state, token).await?.filter(|live| live.grant.client == TERMINAL_CLIENT);
    let live = live.ok_or_else(refused)?;
    let (grant, app) = (live.grant, live.client.label());
    let jkt = grant.jkt.ok_or_else(refused)?;
    let owner = TokenOwner::of_grant(&grant, &app);
    if scheme != Scheme::Dpop {
        copied::record(&state, &client, owner).await?;
        return Err(refused());
    }
    let url = format!("{}{}", state.config.origin, paths::TERMINAL_LOGIN);
    let checked = proof::of_token(&state, &headers, "POST", &url, token, jkt).await;
    copied::check(&state, Some(&client), owner, checked).await?;
    jwe::check_public(&request.receiving_key).map_err(|_| ApiError::new(Code::BadRequest))?;
    let agreed = state.store.session(&grant.session).await?.ok_or_else(refused)?.authentication;

    let mut opening = issue::open(&state, &client, &grant.user, None, agreed.methods, None);
    opening.row.jkt = Some(jkt);
    opening.row.receiving_key = Some(request.receiving_key.thumbprint_input());
    let row = &opening.row;
    let mut entry = audit::entry(&state, &client, AuditEvent::Login, audit::NEW_DEVICE);
    entry.user = Some(grant.user.clone());
    entry.session = Some(row.id.clone());
    THROUGH_BROWSER.clone_into(&mut entry.about);
    let authentication = Authentication { methods: agreed.methods, at: agreed.at.min(row.now) };
    let begin = BeginSession {
        grant: grant.id.clone(),
        session: row.clone(),
        authenticated_at: authentication.at,
        audit: entry,
    };
    if !state.store.begin_session(&begin).await? {
        return Err(refused());
    }
    state.sessions.outdate([&grant.session]);
    let live = LiveSession {
        generation: 0,
        used: 0,
        bound: true,
        rotated_at: row.now,
        idle_at: row.idle_at,
        ends_at: row.ends_at,
        revoked: false,
        authentication,
        version: state.sessions.next_version(),
    };
    let owner = SessionOwner { user: &grant.user, username: &grant.username, role: grant.role };
    issue::tokens(&state, &owner, &row.id, Some(jkt), live, &opening.token, Delivery::Body)
}
