//! Decides whether a request to an app may pass, and with which identity.

use super::app_tokens;
use crate::api_error::ApiError;
use crate::apps::IdentityHeaders;
use crate::client::Client;
use crate::config::App;
use crate::guards::copied::{self, TokenOwner};
use crate::guards::factor_policy::{self, MissingFactor};
use crate::guards::forwarded_request::ForwardedRequest;
use crate::guards::{app_cookie, proof, signed_in};
use crate::state::{CoreState, KeyState, SessionState};
use crate::tokens::PersonClaims;
use domain::UnixMs;
use domain::app::{Allow, Authorization};
use domain::encoding::from_base64url;
use domain::ids::SessionId;
use domain::second_factor::Requirement;
use http::{HeaderMap, HeaderValue, header};
use std::sync::Arc;
use verify::Scheme;
use wire::problem::Code;

/// The decision for the proxy.
#[derive(Debug)]
pub enum ForwardAuthVerdict {
    /// Passes; without `identity`, anonymously.
    Pass { identity: Option<Arc<IdentityHeaders>>, authorization: AppAuthorization },
    /// Requires sign-in.
    SignIn,
    /// Requires a second factor that the sign-in lacks.
    StepUp(MissingFactor),
    /// The person lacks the role.
    Denied,
}

impl ForwardAuthVerdict {
    /// Returns its name in metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Pass { identity: Some(_), .. } => "pass",
            Self::Pass { identity: None, .. } => "public",
            Self::SignIn => "sign_in",
            Self::StepUp(_) => "step_up",
            Self::Denied => "denied",
        }
    }
}

/// The `Authorization` header for the app.
#[derive(Debug)]
pub enum AppAuthorization {
    /// A token from Postern.
    Postern(HeaderValue),
    /// The client's own header, not verified.
    Client(HeaderValue),
    Nothing,
}

/// The owner of a request.
struct VerifiedBearer {
    session: SessionId,
    /// When the app's session was made; `None` for a program's token.
    issued_at: Option<UnixMs>,
}

/// Decides about a request. `navigation`: a person sees the answer and can be redirected through the portal.
///
/// # Errors
/// `use_dpop_nonce`, `bad_proof`; the store fails.
pub async fn judge(
    state: &SessionState,
    client: &Client,
    asked: &ForwardedRequest<'_>,
    headers: &HeaderMap,
    navigation: bool,
) -> Result<ForwardAuthVerdict, ApiError> {
    let ruling = asked.app.rules.judge(asked.method, &asked.target, asked.overridden);
    let bearer = match by_header(state, client, asked, headers).await? {
        Some(bearer) => Some(bearer),
        None => by_cookie(state, asked.app, headers),
    };
    // A program's token from Postern never counts as the client's own.
    let own =
        ruling.authorization == Authorization::App && bearer.as_ref().is_none_or(|bearer| bearer.issued_at.is_some());
    let identity = match &bearer {
        Some(bearer) => identity_headers(state, asked.app, &bearer.session).await?,
        None => None,
    };
    let pass = |identity: Option<Arc<IdentityHeaders>>| {
        let authorization = match &identity {
            Some(identity) if !own => AppAuthorization::Postern(identity.authorization.clone()),
            _ => client_s_own(state, headers).map_or(AppAuthorization::Nothing, AppAuthorization::Client),
        };
        ForwardAuthVerdict::Pass { identity, authorization }
    };
    let (identity, lacks) = match (identity, &bearer) {
        (Some(identity), Some(bearer)) => {
            let policy = state.config.factor_policy.of(identity.role, &identity.member_of);
            match reached(state, &bearer.session, policy.max(ruling.second_factor)).await? {
                Reached::Met => (Some(identity), None),
                Reached::Lacks(missing) => (Some(identity), Some(missing)),
                Reached::Over => (None, None),
            }
        }
        _ => (None, None),
    };
    Ok(match (ruling.allow, identity, lacks) {
        // Until the second factor is proven, the app sees no signed-in person.
        (Allow::Public, _, Some(_)) => pass(None),
        (Allow::Public, identity, None) => pass(identity),
        (_, None, _) => ForwardAuthVerdict::SignIn,
        (_, Some(_), _) if navigation && is_due(state, bearer.as_ref()) => ForwardAuthVerdict::SignIn,
        (_, Some(identity), lacks) if ruling.admits(identity.role, &identity.member_of) => match lacks {
            Some(missing) => ForwardAuthVerdict::StepUp(missing),
            None => pass(Some(identity)),
        },
        _ => ForwardAuthVerdict::Denied,
    })
}

/// The level of a session's sign-in, compared with a requirement.
#[derive(Debug)]
pub enum Reached {
    Met,
    Lacks(MissingFactor),
    /// The session is gone, and with it everything that it reached.
    Over,
}

/// Compares a session with the requirement of the account and of the app's rule.
///
/// # Errors
/// The store fails.
pub async fn reached(state: &SessionState, session: &SessionId, required: Requirement) -> Result<Reached, ApiError> {
    let methods = state.sessions.methods(&*state.store, session, state.now()).await?;
    let Some(methods) = methods else { return Ok(Reached::Over) };
    if required.is_met_by(methods) {
        return Ok(Reached::Met);
    }
    // Read again, because a proof at another node may not have arrived here. A person would be sent to and fro.
    let Some(row) = state.store.session(session).await? else { return Ok(Reached::Over) };
    let missing = factor_policy::lacks(state, &row, required).await?;
    Ok(missing.map_or(Reached::Met, Reached::Lacks))
}

/// Returns the client's `Authorization`, unless it is a token from Postern. A program's token that is sent to the wrong
/// app must not be passed on.
fn client_s_own(state: &CoreState, headers: &HeaderMap) -> Option<HeaderValue> {
    let value = net::single_value(headers, header::AUTHORIZATION).filter(|value| !value.is_empty())?;
    if is_issued_by(&state.config.origin, value.as_bytes()) {
        return None;
    }
    let mut value = value.clone();
    value.set_sensitive(true);
    Some(value)
}

/// Whether a JWT claims this issuer, without verifying it.
fn is_issued_by(issuer: &str, authorization: &[u8]) -> bool {
    let issued = || {
        let token = std::str::from_utf8(authorization).ok()?.split_ascii_whitespace().last()?;
        let claims = from_base64url(token.split('.').nth(1)?)?;
        let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
        Some(claims.get("iss")?.as_str()? == issuer)
    };
    issued().unwrap_or(false)
}

/// Whether a session is half-way to its idle end. A session that is used in apps only would end as unused. So a
/// navigation is then redirected through the portal, which renews it.
fn is_due(state: &CoreState, bearer: Option<&VerifiedBearer>) -> bool {
    let issued_at = bearer.and_then(|bearer| bearer.issued_at);
    issued_at.is_some_and(|issued_at| state.now() - issued_at > state.config.settings.session.idle.ms() / 2)
}

fn by_cookie(state: &KeyState, app: &App, headers: &HeaderMap) -> Option<VerifiedBearer> {
    let session = app_cookie::held(state, app, headers)?;
    Some(VerifiedBearer { session: session.session(), issued_at: Some(session.issued_at) })
}

/// Authenticates a program's token for this app, with the proof of its key if it is bound (RFC 9449, section 7).
/// Anything else in the header is ignored, because the app's own pages may use it.
async fn by_header(
    state: &KeyState,
    client: &Client,
    asked: &ForwardedRequest<'_>,
    headers: &HeaderMap,
) -> Result<Option<VerifiedBearer>, ApiError> {
    let Ok(Some((scheme, token))) = verify::presented(headers) else { return Ok(None) };
    let Some(claims) = signed_in::verify_for(state, &asked.app.origin, token).await? else { return Ok(None) };
    let owner = TokenOwner { app: &asked.app.name, ..TokenOwner::of(&claims) };
    match (scheme, &claims.cnf) {
        (Scheme::Bearer, None) => {}
        (Scheme::Dpop, Some(bound)) => {
            let path = asked.target.split('?').next().unwrap_or_default();
            let url = format!("{}{path}", asked.app.origin);
            let checked = proof::of_token(state, headers, asked.method, &url, token, bound.jkt).await;
            copied::check(state, Some(client), owner, checked).await?;
        }
        // A bound token without its proof is probably stolen.
        (Scheme::Bearer, Some(_)) => {
            copied::record(state, client, owner).await?;
            return Ok(None);
        }
        (Scheme::Dpop, None) => return Ok(None),
    }
    Ok(Some(VerifiedBearer { session: claims.sid.clone(), issued_at: None }))
}

/// Returns the identity headers of a session; `None`: it has ended.
async fn identity_headers(
    state: &SessionState,
    app: &App,
    session: &SessionId,
) -> Result<Option<Arc<IdentityHeaders>>, ApiError> {
    let now = state.now();
    if state.sync.is_stale(state.moment()) {
        return Err(ApiError::wait(Code::Unavailable, 1000));
    }
    if !state.sessions.is_live(&*state.store, session, now).await? {
        return Ok(None);
    }
    if let Some(identity) = state.identity_headers.get(session, &app.origin, now) {
        return Ok(Some(identity));
    }
    let before = state.identity_headers.before_reading();
    let row = state.store.session(session).await?;
    let Some(row) = row.filter(|row| !row.user_disabled && !row.life.is_over(now)) else { return Ok(None) };
    let Some(profile) = state.store.profile(&row.user).await? else { return Ok(None) };
    let person = PersonClaims::of(&row.username, &profile);
    let (token, expires_at) = app_tokens::sign(state, app, &row, &person, None)?;
    let text = |text: &str| HeaderValue::from_bytes(text.as_bytes()).map_err(ApiError::broken);
    let mut authorization = text(&format!("Bearer {token}"))?;
    authorization.set_sensitive(true);
    let identity = Arc::new(IdentityHeaders {
        role: row.role,
        authentication: row.authentication,
        profile_version: profile.version,
        user: text(&row.username)?,
        roles: text(row.role.as_str())?,
        groups: text(&person.groups.join(","))?,
        name: text(&person.name)?,
        email: text(person.email.as_deref().unwrap_or_default())?,
        member_of: profile.groups,
        session: text(row.id.as_str())?,
        authorization,
        // The app must not receive a token that expires on the way.
        until: expires_at - state.tokens.lifetime_ms() / 4,
    });
    state.identity_headers.keep(session, &app.origin, &identity, before);
    Ok(Some(identity))
}
