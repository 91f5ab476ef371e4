//! Devices without a browser of their own (RFC 8628).

use super::oauth_authorize;
use crate::api_error::ApiError;
use crate::audit;
use crate::client::Client as Caller;
use crate::guards::recent_factor;
use crate::guards::signed_in::SignedIn;
use crate::guards::{factor_policy, oauth_client};
use crate::oauth::clients::is_terminal;
use crate::state::{CoreState, DefenceState};
use domain::client_key::ClientKey;
use domain::encoding::{base64url, sha256};
use domain::known_device::session_bucket;
use oidc::device::{self, Poll};
use oidc::error::{ErrorCode, OAuthError};
use oidc::exchange::GrantDetails;
use oidc::{Client, Scopes};
use std::sync::Arc;
use store::audit::AuditEvent;
use store::oauth::{NewCode, PendingDevice};
use wire::problem::Code;

/// The codes of a device.
pub struct DeviceCodes {
    pub device_code: String,
    pub user_code: String,
}

/// A device that waits, with its client.
#[derive(Debug)]
pub struct WaitingDevice {
    pub client: Arc<Client>,
    pub scopes: Scopes,
    row: PendingDevice,
}

fn hash(text: &str) -> String {
    base64url(&sha256(text.as_bytes()))
}

/// Makes the codes for a device of this client.
///
/// # Errors
/// The store fails.
pub async fn begin(
    state: &CoreState,
    client: &Client,
    scopes: &Scopes,
    resources: &[String],
) -> Result<DeviceCodes, ApiError> {
    let device_code = state.entropy.secret();
    let user_code = device::user_code(state.entropy.bytes());
    let now = state.now();
    let row = PendingDevice {
        device_hash: hash(&device_code),
        user_code_hash: hash(&device::normalized(&user_code).unwrap_or_default()),
        client: client.id().to_owned(),
        scope: scopes.to_string(),
        // A resource has no space, because only registered ones are accepted.
        resources: resources.join(" "),
        expires_at: now + device::LIFE_MS,
        poll_at: now,
        denied: false,
    };
    state.store.add_device(&row).await?;
    Ok(DeviceCodes { device_code, user_code })
}

/// Finds the device whose code a person typed. `None`: none waits with this code, which counts as a guess.
///
/// # Errors
/// `account_delayed`: too many wrong codes of this account or address. The store fails.
pub async fn find(
    state: &DefenceState,
    caller: &Caller,
    session: &SignedIn,
    typed: &str,
) -> Result<Option<WaitingDevice>, ApiError> {
    let Some(code) = device::normalized(typed) else { return Ok(None) };
    // All sessions of an account count together, so that new ones give no further guesses.
    let account = ClientKey::Device(session_bucket(&format!("device codes of {}", session.claims.sub)));
    let (limiter, address) = (&state.rate_limiter, caller.client_key);
    limiter.enter_device_code(account, address, state.now()).map_err(|wait_ms| {
        let text = "There were too many wrong codes of devices, so this one was not checked. Wait, and let the device \
                    show a new one.";
        ApiError::wait(Code::AccountDelayed, wait_ms).with_detail(text.to_owned())
    })?;
    let found = waiting(state, &code).await?;
    if found.is_some() {
        limiter.forgive_device_code(account, address);
    }
    Ok(found)
}

async fn waiting(state: &CoreState, code: &str) -> Result<Option<WaitingDevice>, ApiError> {
    let row = state.store.device_of_user_code(&hash(code)).await?;
    let row = row.filter(|row| !row.denied && state.now() < row.expires_at);
    let Some(row) = row else { return Ok(None) };
    let client = oauth_client::find(state, &row.client).await?.filter(|client| client.settings.device);
    let Some(client) = client else { return Ok(None) };
    // An administrator may have taken scopes from the client since.
    let scopes = client.allowed(&Scopes::parse(&row.scope));
    Ok((!scopes.is_empty()).then_some(WaitingDevice { client, scopes, row }))
}

/// Records a person's answer.
///
/// # Errors
/// `not_found`: no device waits with this code. `account_delayed`: too many wrong codes. `role_missing`: the person may
/// not use the client. `insufficient_user_authentication` for the terminal program.
pub async fn answer(
    state: Arc<DefenceState>,
    caller: Caller,
    session: SignedIn,
    typed: String,
    agreed: bool,
) -> Result<(), ApiError> {
    let missing = || {
        let text = "No device waits with this code: it was answered already, or half an hour has passed. If your device \
                    still shows a code, let it show a new one.";
        ApiError::explained(Code::NotFound, text)
    };
    let WaitingDevice { client, scopes, row } = find(&state, &caller, &session, &typed).await?.ok_or_else(missing)?;
    let (claims, now) = (&session.claims, state.now());
    if !agreed {
        let denied = state.store.deny_device(&row.user_code_hash, now).await?;
        return if denied { Ok(()) } else { Err(missing()) };
    }
    if is_terminal(&client) {
        recent_factor::check(&state, &session).await?;
    }
    let groups = super::oauth_people::groups_and_roles(&state, &claims.sub, &claims.roles).await?;
    if !client.admits(groups.iter().map(String::as_str)) {
        let text = "This account may not use the app. Ask an administrator of this site, or sign in as somebody else.";
        return Err(ApiError::explained(Code::RoleMissing, text));
    }
    let required = client.settings.second_factor;
    if let Some(missing) = factor_policy::missing_for(&state, claims, required).await? {
        return Err(missing.refusal(&state));
    }
    let authentication = oauth_authorize::authentication(&state, &session).await?;
    let details = GrantDetails {
        scope: scopes.to_string(),
        nonce: None,
        auth_time: authentication.auth_time(),
        acr: Some(authentication.methods.acr().to_owned()),
        amr: authentication.methods.amr().into_iter().map(str::to_owned).collect(),
        resources: row.resources.split_whitespace().map(str::to_owned).collect(),
        id_token: Vec::new(),
        userinfo: Vec::new(),
    };
    let mut entry = audit::entry(&state, &caller, AuditEvent::AppOpened, audit::OK);
    entry.about = client.label();
    let code = NewCode {
        code_hash: row.device_hash.clone(),
        client: client.id().to_owned(),
        session: claims.sid.clone(),
        // The answer goes to the device that polls.
        redirect_uri: device::GRANT_TYPE.to_owned(),
        code_challenge: None,
        jkt: None,
        details: serde_json::to_string(&details).map_err(ApiError::broken)?,
        expires_at: row.expires_at,
        pushed: None,
        device: Some(row.user_code_hash),
        agreed: None,
        consent: None,
        audit: entry,
        now,
    };
    if state.store.add_code(&code).await? { Ok(()) } else { Err(missing()) }
}

/// Answers a poll of a device whose person has not agreed yet.
///
/// # Errors
/// The store fails.
pub async fn poll(state: &CoreState, client: &Client, device_code: &str) -> Result<OAuthError, ApiError> {
    let now = state.now();
    let row = state.store.device(&hash(device_code)).await?.filter(|row| row.client == client.id());
    let Some(row) = row else {
        return Ok(OAuthError::new(ErrorCode::ExpiredToken, "the device_code does not exist or has expired"));
    };
    let verdict = device::judge_poll(row.expires_at, row.poll_at, row.denied, now);
    state.store.poll_device(&row.device_hash, now + device::INTERVAL_MS).await?;
    Ok(match verdict {
        Poll::Pending => OAuthError::new(ErrorCode::AuthorizationPending, "the person has not answered yet"),
        Poll::SlowDown => OAuthError::new(ErrorCode::SlowDown, "poll every 5 seconds at most"),
        Poll::Denied => OAuthError::new(ErrorCode::AccessDenied, "the person declined"),
        Poll::Expired => OAuthError::new(ErrorCode::ExpiredToken, "the device_code has expired"),
    })
}

impl std::fmt::Debug for DeviceCodes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeviceCodes(..)")
    }
}
