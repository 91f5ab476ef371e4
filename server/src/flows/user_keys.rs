//! User keys: list, delivery, rotation, revocation.

use super::actor::Actor;
use crate::api_error::ApiError;
use crate::guards::recent_factor;
use crate::guards::signed_in::ProvenSession;
use crate::keyring::thumbprint;
use crate::state::{CoreState, KeyState};
use crate::user_keys;
use domain::UnixMs;
use domain::encoding::base64url;
use domain::ids::UserId;
use domain::user_key::{MOST_AN_HOUR, RetiredState, UserKeyState, UserKeyVersion, wait};
use store::audit::{AuditEntry, AuditEvent};
use store::sessions::SessionRow;
use store::user_keys::{NewUserKey, UserKey};
use wire::jwk::EcJwk;
use wire::problem::Code;
use wire::user_keys::{self as wired, SealedUserKey, UserKeyHeader, UserKeyJwk, UserKeyRequest, UserKeys};
use zeroize::Zeroizing;

/// Maximum number of versions in a list.
const SHOWN: u32 = 100;
/// Maximum number of attempts. Whenever one fails, a concurrent rotation has succeeded.
const TRIES: u32 = 8;

/// Returns all stored versions, newest first.
///
/// # Errors
/// The store fails.
pub async fn list(state: &KeyState, user: &UserId) -> Result<UserKeys, ApiError> {
    newest(state, user).await?;
    let (keys, now) = (state.store.user_keys(user, SHOWN).await?, state.now());
    let keys = keys.iter().map(|key| shown(&key.version, now)).collect();
    Ok(UserKeys { keys, overlap_ms: overlap_ms(state) })
}

/// Returns one version, encrypted to the receiving key of the requesting session.
///
/// # Errors
/// `session_unbound`, `key_ended`, `no_session`, `insufficient_user_authentication`
pub async fn issue_key(
    state: &KeyState,
    proven: &ProvenSession,
    request: &UserKeyRequest,
) -> Result<SealedUserKey, ApiError> {
    let session = session(state, proven).await?;
    recent_factor::check(state, &proven.session).await?;
    let unbound = || ApiError::new(Code::SessionUnbound);
    let recipient = session.receiving_key.as_deref().and_then(|jwk| serde_json::from_str::<EcJwk>(jwk).ok());
    let recipient = recipient.ok_or_else(unbound)?;
    let key = serving(state, &session.user, request.version).await?;
    let kid = format!("{}.{}", session.user, key.version.number);
    let content = UserKeyJwk { kty: "oct".to_owned(), kid, k: base64url(&key.secret) };
    let content = Zeroizing::new(serde_json::to_vec(&content).map_err(ApiError::broken)?);
    let header = |epk| UserKeyHeader {
        alg: jwe::ALG.to_owned(),
        enc: jwe::ENC.to_owned(),
        typ: wired::TYP.to_owned(),
        kid: thumbprint(&recipient).to_string(),
        epk,
        sub: session.user.to_string(),
        sid: session.id.to_string(),
    };
    // A receiving key that is not a point of its curve counts as none.
    let sealed = jwe::seal(&recipient, header, &content, &randoms(state)).map_err(|_| unbound())?;
    Ok(SealedUserKey { about: shown(&key.version, state.now()), key: sealed })
}

/// Puts a new version into use. The previous one remains valid for the overlap.
///
/// # Errors
/// `account_delayed`: too many within an hour.
pub async fn rotate(state: &KeyState, user: &UserId, audit: AuditEntry) -> Result<(), ApiError> {
    for _ in 0..TRIES {
        let current = newest(state, user).await?;
        let retired_state = RetiredState::Overlap { until: state.now() + overlap_ms(state) };
        if follow(state, &current, retired_state, &audit, current.version.number + 1).await? {
            return Ok(());
        }
    }
    Err(ApiError::wait(Code::Busy, 1000))
}

/// Makes a new version for another person.
///
/// # Errors
/// As [`rotate`].
pub async fn make(state: &KeyState, actor: &Actor<'_>, user: &UserId) -> Result<UserKeys, ApiError> {
    rotate(state, user, actor.entry_of(AuditEvent::UserKeyMade, user)).await?;
    list(state, user).await
}

/// Ends a version now. If it is in use, the next one replaces it in the same write.
///
/// # Errors
/// `not_found`, `key_ended`, and as [`rotate`].
pub async fn revoke(state: &KeyState, user: &UserId, number: u32, audit: AuditEntry) -> Result<(), ApiError> {
    for _ in 0..TRIES {
        let now = state.now();
        let key = state.store.user_key(user, number).await?.ok_or_else(|| ApiError::new(Code::NotFound))?;
        let done = match key.version.state(now) {
            UserKeyState::Current => follow(state, &key, RetiredState::Revoked, &audit, number).await?,
            UserKeyState::Overlap => state.store.revoke_user_key(user, number, &about(&audit, number), now).await?,
            UserKeyState::Ended | UserKeyState::Revoked => return Err(ApiError::new(Code::KeyEnded)),
        };
        if done {
            return Ok(());
        }
    }
    Err(ApiError::wait(Code::Busy, 1000))
}

/// A valid version with its key.
pub struct ServingKey {
    pub version: UserKeyVersion,
    /// The latest end of a connection that begins now.
    pub until: UnixMs,
    pub secret: Zeroizing<Vec<u8>>,
}

/// Returns the requested version, or else the one in use.
///
/// # Errors
/// `key_ended`
pub async fn serving(state: &KeyState, user: &UserId, number: Option<u32>) -> Result<ServingKey, ApiError> {
    let key = match number {
        Some(number) => state.store.user_key(user, number).await?,
        None => Some(newest(state, user).await?),
    };
    let key = key.ok_or_else(|| ApiError::new(Code::KeyEnded))?;
    let until = key.version.until(state.now(), overlap_ms(state)).ok_or_else(|| ApiError::new(Code::KeyEnded))?;
    let secret = user_keys::open(&state.key_encryption, &key)?;
    Ok(ServingKey { version: key.version, until, secret })
}

/// Returns the proven session as stored: roles and receiving key are the store's and not the token's.
///
/// # Errors
/// `no_session`: it ended meanwhile.
pub async fn session(state: &CoreState, proven: &ProvenSession) -> Result<SessionRow, ApiError> {
    let row = state.store.session(&proven.session.claims.sid).await?;
    let live = row.filter(|row| !row.user_disabled && !row.life.is_over(state.now()));
    live.ok_or_else(|| ApiError::new(Code::NoSession))
}

/// Returns the random values for encrypting one message.
pub fn randoms(state: &CoreState) -> jwe::Random {
    let (ephemeral, content_key, iv) = (state.entropy.bytes(), state.entropy.bytes(), state.entropy.bytes());
    jwe::Random { ephemeral, content_key, iv }
}

/// Returns the newest version, which is in use. Makes the first one for accounts from before user keys existed.
async fn newest(state: &KeyState, user: &UserId) -> Result<UserKey, ApiError> {
    for _ in 0..TRIES {
        if let Some(key) = state.store.user_keys(user, 1).await?.pop() {
            return Ok(key);
        }
        let first = NewUserKey {
            user: user.to_owned(),
            number: 1,
            key: user_keys::make(&state.key_encryption, &*state.entropy, user, 1)?,
            made_by: None,
            retired_state: RetiredState::Revoked,
            audit: None,
            now: state.now(),
        };
        state.store.add_user_key(&first).await?;
    }
    Err(ApiError::new(Code::NoSession))
}

/// Makes the version after `current`, if that is still the newest. `audited_version`: the version in the audit row.
async fn follow(
    state: &KeyState,
    current: &UserKey,
    retired_state: RetiredState,
    audit: &AuditEntry,
    audited_version: u32,
) -> Result<bool, ApiError> {
    let (now, user) = (state.now(), &current.user);
    let lately = state.store.user_keys(user, u32::try_from(MOST_AN_HOUR).unwrap_or(u32::MAX)).await?;
    let made_at: Vec<_> = lately.iter().map(|key| key.version.created_at).collect();
    match wait(&made_at, now) {
        0 => {}
        ms => return Err(ApiError::wait(Code::AccountDelayed, ms)),
    }
    let number = current.version.next(now).number;
    let new = NewUserKey {
        user: user.clone(),
        number,
        key: user_keys::make(&state.key_encryption, &*state.entropy, user, number)?,
        made_by: audit.actor.clone(),
        retired_state,
        audit: Some(about(audit, audited_version)),
        now,
    };
    Ok(state.store.add_user_key(&new).await?)
}

fn about(audit: &AuditEntry, number: u32) -> AuditEntry {
    AuditEntry { about: format!("version {number}"), ..audit.clone() }
}

fn overlap_ms(state: &CoreState) -> i64 {
    state.config.settings.keys.overlap.ms()
}

fn shown(version: &UserKeyVersion, now: UnixMs) -> wired::UserKey {
    wired::UserKey {
        version: version.number,
        state: match version.state(now) {
            UserKeyState::Current => wired::UserKeyState::Current,
            UserKeyState::Overlap => wired::UserKeyState::Overlap,
            UserKeyState::Ended => wired::UserKeyState::Ended,
            UserKeyState::Revoked => wired::UserKeyState::Revoked,
        },
        created_at: version.created_at.as_millis(),
        ends_at: version.ends_at.map(UnixMs::as_millis),
        revoked_at: version.revoked_at.map(UnixMs::as_millis),
    }
}

impl std::fmt::Debug for ServingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Serving(version {})", self.version.number)
    }
}
