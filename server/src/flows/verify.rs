//! Decides whether a request to an app may pass, and with which identity.

use super::{app_entry, app_tokens};
use crate::apps::Told;
use crate::config::App;
use crate::guards::app::Asked;
use crate::guards::{proof, signed_in};
use crate::http::ApiError;
use crate::state::AppState;
use domain::UnixMs;
use domain::app::{Allow, Authorization};
use domain::encoding::from_base64url;
use http::{HeaderMap, HeaderValue, header};
use std::sync::Arc;
use verify::Scheme;
use wire::problem::Code;

/// The decision for the proxy.
#[derive(Debug)]
pub enum Verdict {
    /// Passes; without `told`, anonymously.
    Pass { told: Option<Arc<Told>>, authorization: ForApp },
    /// Requires sign-in.
    SignIn,
    /// The person lacks the role.
    Denied,
}

/// The `Authorization` header for the app.
#[derive(Debug)]
pub enum ForApp {
    /// A token from Postern.
    Postern(HeaderValue),
    /// The client's own header, not verified.
    Client(HeaderValue),
    Nothing,
}

/// The owner of a request.
struct Bearer {
    session: String,
    /// When the app's session was made; `None` for a program's token.
    issued_at: Option<UnixMs>,
}

/// Judges a request. `navigation`: a person sees the answer and can be redirected through the portal.
///
/// # Errors
/// `use_dpop_nonce`, `bad_proof`; the store fails.
pub async fn judge(
    state: &AppState,
    asked: &Asked<'_>,
    headers: &HeaderMap,
    navigation: bool,
) -> Result<Verdict, ApiError> {
    let ruling = asked.app.rules.judge(asked.method, &asked.target, asked.overridden);
    let bearer = match by_header(state, asked, headers).await? {
        Some(bearer) => Some(bearer),
        None => by_cookie(state, asked.app, headers),
    };
    // A program's token from Postern never counts as the client's own.
    let own =
        ruling.authorization == Authorization::App && bearer.as_ref().is_none_or(|bearer| bearer.issued_at.is_some());
    let told = match &bearer {
        Some(bearer) => told(state, asked.app, &bearer.session).await?,
        None => None,
    };
    let pass = |told: Option<Arc<Told>>| {
        let authorization = match &told {
            Some(told) if !own => ForApp::Postern(told.authorization.clone()),
            _ => client_s_own(state, headers).map_or(ForApp::Nothing, ForApp::Client),
        };
        Verdict::Pass { told, authorization }
    };
    Ok(match (ruling.allow, told) {
        (Allow::Public, told) => pass(told),
        (_, None) => Verdict::SignIn,
        (_, Some(_)) if navigation && is_due(state, bearer.as_ref()) => Verdict::SignIn,
        (allow, Some(told)) if allow.admits(told.role) => pass(Some(told)),
        _ => Verdict::Denied,
    })
}

/// Returns the client's `Authorization`, unless it is a token from Postern. A program's token that is sent to the wrong
/// app must not be passed on.
fn client_s_own(state: &AppState, headers: &HeaderMap) -> Option<HeaderValue> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let value = all.next().filter(|value| !value.is_empty())?;
    if all.next().is_some() || is_issued_by(&state.config.origin, value.as_bytes()) {
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
fn is_due(state: &AppState, bearer: Option<&Bearer>) -> bool {
    let issued_at = bearer.and_then(|bearer| bearer.issued_at);
    issued_at.is_some_and(|issued_at| state.now() - issued_at > state.config.settings.session.idle.ms() / 2)
}

fn by_cookie(state: &AppState, app: &App, headers: &HeaderMap) -> Option<Bearer> {
    let session = app_entry::held(state, app, headers)?;
    Some(Bearer { session: session.session(), issued_at: Some(session.issued_at) })
}

/// Authenticates a program's token for this app, with the proof of its key if it is bound (RFC 9449, section 7).
/// Anything else in the header is ignored, because the app's own pages may use it.
async fn by_header(state: &AppState, asked: &Asked<'_>, headers: &HeaderMap) -> Result<Option<Bearer>, ApiError> {
    let Ok(Some((scheme, token))) = verify::presented(headers) else { return Ok(None) };
    let Some(claims) = signed_in::verify_for(state, &asked.app.origin, token).await? else { return Ok(None) };
    match (scheme, &claims.cnf) {
        (Scheme::Bearer, None) => {}
        (Scheme::Dpop, Some(bound)) => {
            let path = asked.target.split('?').next().unwrap_or_default();
            let url = format!("{}{path}", asked.app.origin);
            proof::of_token(state, headers, asked.method, &url, token, &bound.jkt).await?;
        }
        // A bound token without its proof is probably stolen.
        (Scheme::Bearer, Some(_)) | (Scheme::Dpop, None) => return Ok(None),
    }
    Ok(Some(Bearer { session: claims.sid.clone(), issued_at: None }))
}

/// Returns the identity headers of a session; `None`: it is over.
async fn told(state: &AppState, app: &App, session: &str) -> Result<Option<Arc<Told>>, ApiError> {
    let now = state.now();
    if state.sync.is_stale(now) {
        return Err(ApiError::wait(Code::Unavailable, 1000));
    }
    if !state.sessions.is_live(&*state.store, session, now).await? {
        return Ok(None);
    }
    if let Some(told) = state.told.get(session, &app.origin, now) {
        return Ok(Some(told));
    }
    let before = state.told.before_reading();
    let row = state.store.session(session).await?;
    let Some(row) = row.filter(|row| !row.user_disabled && !row.life.is_over(now)) else { return Ok(None) };
    let (token, expires_at) = app_tokens::sign(state, app, &row, None)?;
    let text = |text: &str| HeaderValue::from_bytes(text.as_bytes()).map_err(ApiError::broken);
    let mut authorization = text(&format!("Bearer {token}"))?;
    authorization.set_sensitive(true);
    let told = Arc::new(Told {
        role: row.role,
        user: text(&row.username)?,
        roles: text(row.role.as_str())?,
        session: text(&row.id)?,
        authorization,
        // The app must not receive a token that expires on the way.
        until: expires_at - state.tokens.lifetime_ms() / 4,
    });
    state.told.keep(session, &app.origin, &told, before);
    Ok(Some(told))
}
