//! The token endpoint: a code or a refresh token becomes tokens.

use super::oauth_issue::{invalid_grant, issue};
use super::oauth_people::read_details;
use super::{oauth_device, oauth_people};
use crate::api_error::ApiError;
use crate::audit;
use crate::client::Client as Caller;
use crate::guards::copied::{self, TokenOwner};
use crate::state::{CoreState, KeyState, SessionState};
use domain::UnixMs;
use domain::encoding::{base64url, sha256};
use domain::refresh_token::RefreshToken;
use domain::session::{Refresh, Session};
use domain::thumbprint::Thumbprint;
use oidc::error::{ErrorCode, OAuthError};
use oidc::exchange::{self, CodeFacts, CodeVerdict, GrantDetails, TokenRequest, USED_CODE_MS};
use oidc::{Client, Scopes};
use std::sync::Arc;
use store::audit::AuditEvent;
use store::oauth::{CodeRow, GrantRotation, GrantRow, Redeem};

pub use super::oauth_issue::{TokenError, TokenResponse};

/// Maximum number of attempts. Whenever a write fails, a concurrent one has succeeded.
const TRIES: u32 = 4;
/// Period that a grant without a refresh token is kept after its last access token has expired.
const KEEP_MS: i64 = 60_000;

/// Answers a token request of an authenticated client. `jkt`: the thumbprint of the proven key, if any.
///
/// # Errors
/// The client's error, or the store fails.
pub async fn exchange(
    state: Arc<SessionState>,
    caller: Caller,
    client: Arc<Client>,
    request: TokenRequest,
    jkt: Option<Thumbprint>,
) -> Result<TokenResponse, TokenError> {
    if client.settings.dpop && jkt.is_none() {
        return Err(OAuthError::new(ErrorCode::InvalidDpopProof, "this client must prove a key (RFC 9449)").into());
    }
    match request {
        // The code of a device is for its own grant type, which the client may have lost meanwhile.
        TokenRequest::Code { redirect_uri: Some(uri), .. } if uri == oidc::device::GRANT_TYPE => {
            Err(invalid_grant("redirect_uri differs from the one in the authorization request"))
        }
        TokenRequest::Code { code, redirect_uri, verifier, resources } => {
            let presented = PresentedCode { hash: base64url(&sha256(code.as_bytes())), redirect_uri, verifier };
            redeem(&state, &caller, &client, &presented, &resources, jkt).await
        }
        TokenRequest::Device { .. } if !client.settings.device => {
            let text = "the device_code is of no device of this client, which may not use the device flow";
            Err(OAuthError::new(ErrorCode::ExpiredToken, text).into())
        }
        TokenRequest::Device { code, resources } => {
            let hash = base64url(&sha256(code.as_bytes()));
            if state.store.code(&hash).await?.is_none() {
                return Err(oauth_device::poll(&state, &client, &code).await?.into());
            }
            let redirect_uri = Some(oidc::device::GRANT_TYPE.to_owned());
            let presented = PresentedCode { hash, redirect_uri, verifier: None };
            redeem(&state, &caller, &client, &presented, &resources, jkt).await
        }
        TokenRequest::Refresh { token, scope, resources } => {
            refresh(&state, &caller, &client, &token, scope.as_ref(), &resources, jkt).await
        }
    }
}

struct PresentedCode {
    hash: String,
    redirect_uri: Option<String>,
    verifier: Option<String>,
}

async fn redeem(
    state: &SessionState,
    caller: &Caller,
    client: &Client,
    presented: &PresentedCode,
    resources: &[String],
    jkt: Option<Thumbprint>,
) -> Result<TokenResponse, TokenError> {
    let now = state.now();
    for _ in 0..TRIES {
        let Some(code) = state.store.code(&presented.hash).await? else {
            return Err(invalid_grant("the code does not exist or has expired"));
        };
        check_code(state, caller, client, presented, &code, jkt, now).await?;
        let details: GrantDetails = read_details(&code.details)?;
        let targets = allowed_targets(state, client, &details, resources)?;
        let scopes = exchange::still_allowed(client, &Scopes::parse(&details.scope))?;
        state.client_tokens.check(client, &scopes, now).map_err(ApiError::broken)??;
        let id: [u8; 16] = state.entropy.bytes();
        let lasts = exchange::gets_refresh_token(&scopes);
        let token = lasts.then(|| RefreshToken::first(id, state.entropy.bytes()));
        let lifetime = if lasts {
            client.refresh_ms(state.config.settings.session.absolute.ms())
        } else {
            state.client_tokens.lifetime(client) * 1000 + KEEP_MS
        };
        let redeem = Redeem {
            code_hash: presented.hash.clone(),
            grant: base64url(&id),
            details: code.details.clone(),
            jkt,
            refresh_hash: token.as_ref().map(RefreshToken::hash),
            ends_at: now + lifetime,
            notify: client.settings.backchannel_logout_uri.is_some(),
            remember_until: now + USED_CODE_MS.max(lifetime),
            now,
        };
        if state.store.redeem_code(&redeem).await? {
            let grant =
                state.store.grant(&redeem.grant).await?.ok_or_else(|| invalid_grant("the session has ended"))?;
            // A device may ask minutes after its person has agreed.
            if !oauth_people::may_still_use(state, client, &grant).await? {
                state.store.revoke_grant(&grant.id, None, now).await?;
                return Err(invalid_grant("this account may no longer use the app"));
            }
            return issue(state, client, &grant, &details, &scopes, &targets, token.as_ref()).await;
        }
        // Another request used it meanwhile, or its session has ended.
        let again = state.store.code(&presented.hash).await?;
        if again.is_none_or(|code| code.grant.is_none()) {
            return Err(invalid_grant("the session of the code has ended"));
        }
    }
    Err(ApiError::wait(wire::problem::Code::Busy, 1000).into())
}

/// Judges a code. Its owner sees a wrong key, and a second use revokes the grant of the first.
async fn check_code(
    state: &SessionState,
    caller: &Caller,
    client: &Client,
    presented: &PresentedCode,
    code: &CodeRow,
    jkt: Option<Thumbprint>,
    now: UnixMs,
) -> Result<(), TokenError> {
    let (uri, verifier) = (presented.redirect_uri.as_deref(), presented.verifier.as_deref());
    match exchange::judge_code(&facts(code), client, uri, verifier, jkt, now) {
        CodeVerdict::Good => Ok(()),
        CodeVerdict::Refused(error) => {
            let wrong_key = code.client == client.id() && code.jkt.is_some() && code.jkt != jkt;
            if wrong_key && let Some(session) = state.store.session(&code.session).await? {
                let owner = TokenOwner { user: &session.user, session: &session.id, app: &client.label() };
                copied::record(state, caller, owner).await?;
            }
            Err(error.into())
        }
        CodeVerdict::Reused => {
            revoke_reused(state, caller, code.grant.as_deref()).await?;
            Err(invalid_grant("the code was used before; what it gave is revoked"))
        }
    }
}

fn facts(code: &CodeRow) -> CodeFacts<'_> {
    CodeFacts {
        client: &code.client,
        redirect_uri: &code.redirect_uri,
        code_challenge: code.code_challenge.as_deref(),
        dpop_jkt: code.jkt,
        expires_at: code.expires_at,
        used: code.grant.is_some(),
    }
}

/// Revokes the grant of a code or a refresh token that was reused, because somebody has a copy of it.
async fn revoke_reused(state: &SessionState, caller: &Caller, grant: Option<&str>) -> Result<(), ApiError> {
    let Some(grant) = grant else { return Ok(()) };
    let Some(row) = state.store.grant(grant).await? else { return Ok(()) };
    let mut entry = audit::entry(state, caller, AuditEvent::TokenReused, "revoked");
    entry.user = Some(row.user.clone());
    entry.session = Some(row.session.clone());
    entry.about = row.client.clone();
    if state.store.revoke_grant(grant, Some(&entry), state.now()).await? {
        state.sessions.outdate([&row.session]);
        tracing::warn!(
            name: net::KEPT,
            grant, client = %row.client,
            "a used code or refresh token was used again: what it gave is revoked"
        );
    }
    Ok(())
}

async fn refresh(
    state: &SessionState,
    caller: &Caller,
    client: &Client,
    text: &str,
    scope: Option<&Scopes>,
    resources: &[String],
    jkt: Option<Thumbprint>,
) -> Result<TokenResponse, TokenError> {
    let unknown = || invalid_grant("the refresh token is not valid");
    let read = |macs: &crate::keyring::MacKeys| RefreshToken::authenticate(&macs.oauth_refresh, text);
    let token = state.keyring.authentic(state.now(), read).ok_or_else(unknown)?;
    let id = base64url(&token.session());
    for _ in 0..TRIES {
        let now = state.now();
        let Some(grant) = state.store.grant(&id).await? else { return Err(unknown()) };
        if grant.client != client.id() {
            return Err(invalid_grant("the refresh token was issued to another client"));
        }
        let Some(life) = life(&grant) else { return Err(unknown()) };
        // Checked before the rotation, so that a refused request uses up no token.
        let RefreshTerms { details, scopes, targets } =
            refresh_terms(state, client, &grant, scope, resources, now).await?;
        // The refresh token of a confidential client is bound to its secret and not to a key, because each of its processes
        // may create its own key (RFC 9449, section 5). The access token gets the key that is proven now.
        let rebound = jkt.filter(|_| !client.is_public() && grant.jkt.is_some());
        let proven = if rebound.is_some() { grant.jkt } else { jkt };
        let bound_to = rebound.or(grant.jkt);
        let successor = match life.refresh(token.generation(), &token.hash(), proven, now) {
            _ if !grant.is_live(now) => return Err(invalid_grant("the session or the access has ended")),
            Refresh::Ended => return Err(invalid_grant("the session or the access has ended")),
            Refresh::WrongKey => {
                copied::record(state, caller, TokenOwner::of_grant(&grant, &client.label())).await?;
                return Err(invalid_grant("the refresh token is bound to another key than the one of the DPoP proof"));
            }
            Refresh::Reuse => {
                revoke_reused(state, caller, Some(&id)).await?;
                return Err(invalid_grant("the refresh token was used before; the access is revoked"));
            }
            Refresh::Again => again(state, &grant, &token)?,
            Refresh::Rotate => match rotate(state, &grant, &token, bound_to, now).await? {
                Some(successor) => successor,
                None => continue,
            },
        };
        let grant = GrantRow { generation: successor.generation(), jkt: bound_to, ..grant };
        return issue(state, client, &grant, &details, &scopes, &targets, Some(&successor)).await;
    }
    Err(ApiError::wait(wire::problem::Code::Busy, 1000).into())
}

/// What a refresh gives.
struct RefreshTerms {
    details: GrantDetails,
    scopes: Scopes,
    targets: Vec<String>,
}

/// Returns what a refresh gives, if account and client may still have it.
async fn refresh_terms(
    state: &SessionState,
    client: &Client,
    grant: &GrantRow,
    scope: Option<&Scopes>,
    resources: &[String],
    now: UnixMs,
) -> Result<RefreshTerms, TokenError> {
    if !oauth_people::may_still_use(state, client, grant).await? {
        return Err(invalid_grant("this account may no longer use the app"));
    }
    let details: GrantDetails = read_details(&grant.details)?;
    let granted = Scopes::parse(&details.scope);
    let scopes = exchange::still_allowed(client, &exchange::narrowed(&granted, scope)?)?;
    if !exchange::gets_refresh_token(&client.allowed(&granted)) {
        return Err(invalid_grant("this client may no longer refresh: it has lost the scope offline_access"));
    }
    let targets = allowed_targets(state, client, &details, resources)?;
    state.client_tokens.check(client, &scopes, now).map_err(ApiError::broken)??;
    Ok(RefreshTerms { details, scopes, targets })
}

/// Returns the resources of a token request that the client may still name.
fn allowed_targets(
    state: &CoreState,
    client: &Client,
    details: &GrantDetails,
    requested: &[String],
) -> Result<Vec<String>, OAuthError> {
    let targets = exchange::targets(&details.resources, requested)?;
    exchange::still_named(client, targets, &state.config.settings.oauth.resources)
}

/// Returns the grant in the form of a session, whose rules its refresh tokens follow. `None`: it has none.
fn life(grant: &GrantRow) -> Option<Session> {
    Some(Session {
        generation: grant.generation,
        current: grant.refresh_hash.clone()?,
        previous: grant.previous_hash.clone(),
        rotated_at: grant.rotated_at,
        used: grant.used,
        jkt: grant.jkt,
        idle_at: grant.session_idle_at,
        ends_at: grant.ends_at.min(grant.session_ends_at),
        revoked: grant.revoked,
    })
}

/// Rotates the refresh token of a grant, whose access tokens are bound to `jkt` from now on. `None`: the grant has changed
/// meanwhile.
async fn rotate(
    state: &SessionState,
    grant: &GrantRow,
    token: &RefreshToken,
    jkt: Option<Thumbprint>,
    now: UnixMs,
) -> Result<Option<RefreshToken>, TokenError> {
    let successor = token.successor(&state.keyring.macs(now).map_err(ApiError::from)?.oauth_refresh);
    let rotation = GrantRotation {
        id: grant.id.clone(),
        from_generation: token.generation(),
        from_hash: token.hash(),
        to_hash: successor.hash(),
        jkt,
        rebound: (jkt != grant.jkt).then(|| grant.user.clone()),
        idle_at: now + state.config.settings.session.idle.ms(),
        now,
    };
    if !state.store.rotate_grant(&rotation).await? {
        return Ok(None);
    }
    if rotation.rebound.is_some() {
        state.sessions.outdate([&grant.session]);
    }
    Ok(Some(successor))
}

/// Returns the same successor again, because the answer of the rotation may have been lost.
fn again(state: &KeyState, grant: &GrantRow, token: &RefreshToken) -> Result<RefreshToken, TokenError> {
    let of =
        |key: &[u8; 32]| Some(token.successor(key)).filter(|successor| Some(successor.hash()) == grant.refresh_hash);
    let found = state.keyring.made_here(|macs| of(&macs.oauth_refresh));
    found.ok_or_else(|| invalid_grant("the refresh token is not valid"))
}
