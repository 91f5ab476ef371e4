//! The server's keys: listed, rotated and revoked by operators, and rotated by a schedule.

use super::actor::Actor;
use crate::audit;
use crate::config::Config;
use crate::key_encryption::KeyEncryptionKey;
use crate::keyring::{self, MAC_ALG, rules};
use crate::state::KeyState;
use domain::UnixMs;
use domain::server_key::{RotationRules, ServerKeyState};
use store::Store;
use store::audit::AuditEvent;
use store::keys::{KeyKind, KeyRevocation, RevokeKeyOutcome, StoredKey, line};
use wire::server_keys::{self as seen, ServerKey};

/// The kinds of keys that are rotated.
const KINDS: [KeyKind; 4] = [KeyKind::Envelope, KeyKind::Signing, KeyKind::IdToken, KeyKind::Mac];
/// Maximum number of attempts. Whenever one fails, a concurrent one has added a key.
const TRIES: u32 = 4;
/// Period that an ended key's private half is kept, in case the clock is set back.
const KEEP_MS: i64 = 24 * 60 * 60_000;
const YEAR_MS: i64 = 366 * 24 * 60 * 60_000;

/// The reason why no key was made.
#[derive(Debug, thiserror::Error)]
pub enum ServerKeyError {
    #[error("a key can be scheduled at most a year ahead")]
    Far,
    #[error(transparent)]
    Key(#[from] keyring::KeyringError),
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// The result of a rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RotationOutcome {
    Made(ServerKey),
    /// A key is already waiting.
    Waits(ServerKey),
}

/// Returns all keys, newest first.
///
/// # Errors
/// The store fails.
pub async fn list(store: &dyn Store, config: &Config, now: UnixMs) -> store::Result<Vec<ServerKey>> {
    let keys = store.keys().await?;
    let mut all: Vec<_> = KINDS.iter().flat_map(|kind| of_kind(&keys, *kind, rules(config, *kind), now)).collect();
    all.sort_by(|a, b| (b.used_from, &b.kid).cmp(&(a.used_from, &a.kid)));
    Ok(all)
}

/// Makes the next key of a kind, for use from `at`, or as soon as caches allow.
///
/// # Errors
/// The key cannot be made, or the store fails.
pub async fn rotate(
    actor: &Actor<'_>,
    key: &KeyEncryptionKey,
    kind: KeyKind,
    at: Option<UnixMs>,
) -> Result<RotationOutcome, ServerKeyError> {
    let (now, rules) = (actor.now, rules(actor.config, kind));
    if at.is_some_and(|at| at > now + YEAR_MS) {
        return Err(ServerKeyError::Far);
    }
    let mut made: Option<StoredKey> = None;
    for _ in 0..TRIES {
        let keys = actor.store.keys().await?;
        let line = line(kind, &keys);
        if let Some(next) = line.next(now) {
            return Ok(RotationOutcome::Waits(find(&keys, kind, &next.kid, rules, now)?));
        }
        let used_from = line.used_from(rules, at.unwrap_or(now), now);
        let new = match made.take() {
            Some(made) => StoredKey { used_from, ..made },
            None => actor.vault(key).make(kind, used_from).await?,
        };
        let audit = actor.entry(AuditEvent::ServerKeyRotated, about(kind, &new.kid));
        let after = line.newest().map(|newest| newest.kid.as_str());
        if actor.store.add_key(&new, after, Some(&audit)).await? {
            let keys = actor.store.keys().await?;
            return Ok(RotationOutcome::Made(find(&keys, kind, &new.kid, rules, now)?));
        }
        made = Some(new);
    }
    Err(keyring::KeyringError::Make(kind.as_str()).into())
}

/// Revokes a key by its id. `None`: no active key has it.
///
/// # Errors
/// A successor cannot be made, or the store fails.
pub async fn revoke(
    actor: &Actor<'_>,
    key: &KeyEncryptionKey,
    kid: &str,
    kind: Option<KeyKind>,
) -> Result<Option<(ServerKey, RevokeKeyOutcome)>, keyring::KeyringError> {
    let keys = actor.store.keys().await?;
    let meant =
        |key: &&StoredKey| key.kid == kid && KINDS.contains(&key.kind) && kind.is_none_or(|kind| kind == key.kind);
    let Some(kind) = keys.iter().find(meant).filter(|key| key.revoked_at.is_none()).map(|key| key.kind) else {
        return Ok(None);
    };
    let revocation = KeyRevocation {
        kind,
        kid: kid.to_owned(),
        successor: actor.vault(key).make(kind, actor.now).await?,
        audit: actor.entry(AuditEvent::ServerKeyRevoked, format!("{}{}", about(kind, kid), ended_with(kind))),
        now: actor.now,
    };
    let revoked = actor.store.revoke_key(&revocation).await?;
    if revoked == RevokeKeyOutcome::Nothing {
        return Ok(None);
    }
    let keys = actor.store.keys().await?;
    let shown = find(&keys, kind, kid, rules(actor.config, kind), actor.now)?;
    Ok(Some((shown, revoked)))
}

/// Revokes all keys in use of one kind, or of all kinds if `kind` is `None`. This is for use after a leak. New keys are
/// in use at once. If it was interrupted, running it again revokes the rest. Returns the revoked keys.
///
/// # Errors
/// As [`revoke`].
pub async fn revoke_all(
    actor: &Actor<'_>,
    key: &KeyEncryptionKey,
    kind: Option<KeyKind>,
) -> Result<Vec<ServerKey>, keyring::KeyringError> {
    let keys = actor.store.keys().await?;
    let mut revoked = Vec::new();
    for kind in KINDS.into_iter().filter(|own| kind.is_none_or(|kind| kind == *own)) {
        let (line, rules) = (line(kind, &keys), rules(actor.config, kind));
        // The waiting key first, since it would replace the one in use.
        for serving in line.serving(rules, actor.now).rev() {
            revoked.extend(revoke(actor, key, &serving.kid, Some(kind)).await?.map(|(key, _)| key));
        }
    }
    Ok(revoked)
}

/// Creates the next signing key and the next MAC key when they are due, and erases expired keys.
///
/// # Errors
/// A key cannot be made, or the store does not answer.
pub async fn rotate_due(state: &KeyState) -> Result<(), keyring::KeyringError> {
    let now = state.now();
    let keys = state.store.keys().await?;
    for kind in [KeyKind::Signing, KeyKind::IdToken, KeyKind::Mac] {
        apply_schedule(state, kind, &keys, now).await?;
    }
    for kind in KINDS {
        let (line, rules) = (line(kind, &keys), rules(&state.config, kind));
        for key in keys.iter().filter(|key| key.kind == kind && !key.sealed.is_empty()) {
            let over = match line.state(&key.kid, rules, now) {
                Some(ServerKeyState::Ended) => line.ends_at(&key.kid, rules),
                // Values of a revoked MAC key are still recognised. Successors of refresh tokens need that, and forms
                // of honest people must not count as forgeries.
                Some(ServerKeyState::Revoked) if kind == KeyKind::Mac => key.revoked_at.map(|at| at + rules.overlap_ms),
                Some(ServerKeyState::Revoked) => key.revoked_at,
                _ => None,
            };
            if over.is_some_and(|over| now > over + KEEP_MS) {
                let is_revoked = key.revoked_at.is_some();
                let public_half = if is_revoked { String::new() } else { state.vault().public_half(key) };
                state.store.erase_key(&key.kid, &public_half).await?;
            }
        }
    }
    Ok(())
}

async fn apply_schedule(
    state: &KeyState,
    kind: KeyKind,
    keys: &[StoredKey],
    now: UnixMs,
) -> Result<(), keyring::KeyringError> {
    let (line, rules, settings) = (line(kind, keys), rules(&state.config, kind), &state.config.settings.keys);
    let Some(newest) = line.newest() else { return Ok(()) };
    let algorithm = keys.iter().find(|key| key.kid == newest.kid).map(|key| key.alg.as_str());
    let other_algorithm =
        kind == KeyKind::Signing && algorithm != Some(settings.signing_algorithm.as_str()) && line.next(now).is_none();
    let every = if kind == KeyKind::Mac { settings.mac_rotation } else { settings.signing_rotation };
    let due = every.0.and_then(|every| line.due(rules, every.ms(), now));
    let wanted = if other_algorithm { Some(now) } else { due };
    let Some(wanted) = wanted else { return Ok(()) };
    let key = state.vault().make(kind, line.used_from(rules, wanted, now)).await?;
    let audit = audit::of_schedule(state, AuditEvent::ServerKeyRotated, about(kind, &key.kid));
    // If several nodes' schedules are due at the same time, one of them makes the key.
    if state.store.add_key(&key, Some(&newest.kid), Some(&audit)).await? {
        tracing::info!(kid = %key.kid, alg = %key.alg, kind = kind.as_str(), "new server key created");
    }
    state.keyring.reload(&state.vault()).await
}

/// Returns what ends with a revoked key beyond what its kind says, for its row in the audit log.
fn ended_with(kind: KeyKind) -> &'static str {
    if kind == KeyKind::Mac { ", refresh tokens of OpenID Connect apps" } else { "" }
}

fn about(kind: KeyKind, kid: &str) -> String {
    format!("{} {kid}", kind.as_str())
}

fn find(
    keys: &[StoredKey],
    kind: KeyKind,
    kid: &str,
    rules: RotationRules,
    now: UnixMs,
) -> Result<ServerKey, keyring::KeyringError> {
    of_kind(keys, kind, rules, now).find(|key| key.kid == kid).ok_or(keyring::KeyringError::None(kind.as_str()))
}

fn of_kind(keys: &[StoredKey], kind: KeyKind, rules: RotationRules, now: UnixMs) -> impl Iterator<Item = ServerKey> {
    let line = line(kind, keys);
    keys.iter().filter(move |key| key.kind == kind).filter_map(move |key| {
        Some(ServerKey {
            kid: key.kid.clone(),
            kind: shown_kind(kind)?,
            // The first MAC key is older than the column for the algorithm.
            alg: if kind == KeyKind::Mac { MAC_ALG.to_owned() } else { key.alg.clone() },
            state: shown(line.state(&key.kid, rules, now)?),
            created_at: key.created_at.as_millis(),
            used_from: key.used_from.as_millis(),
            ends_at: line.ends_at(&key.kid, rules).filter(|_| key.revoked_at.is_none()).map(UnixMs::as_millis),
            revoked_at: key.revoked_at.map(UnixMs::as_millis),
        })
    })
}

/// Returns the store's kind for a kind that operators see.
pub fn stored_kind(kind: seen::ServerKeyKind) -> KeyKind {
    match kind {
        seen::ServerKeyKind::Envelope => KeyKind::Envelope,
        seen::ServerKeyKind::Signing => KeyKind::Signing,
        seen::ServerKeyKind::IdToken => KeyKind::IdToken,
        seen::ServerKeyKind::Mac => KeyKind::Mac,
    }
}

/// Returns the kind for operators, or `None` for a kind that is hidden from them because it is never replaced.
fn shown_kind(kind: KeyKind) -> Option<seen::ServerKeyKind> {
    match kind {
        KeyKind::Envelope => Some(seen::ServerKeyKind::Envelope),
        KeyKind::Signing => Some(seen::ServerKeyKind::Signing),
        KeyKind::IdToken => Some(seen::ServerKeyKind::IdToken),
        KeyKind::Mac => Some(seen::ServerKeyKind::Mac),
        KeyKind::Digest => None,
    }
}

fn shown(state: ServerKeyState) -> seen::ServerKeyState {
    match state {
        ServerKeyState::Next => seen::ServerKeyState::Next,
        ServerKeyState::Current => seen::ServerKeyState::Current,
        ServerKeyState::Overlap => seen::ServerKeyState::Overlap,
        ServerKeyState::Ended => seen::ServerKeyState::Ended,
        ServerKeyState::Revoked => seen::ServerKeyState::Revoked,
    }
}

impl RotationOutcome {
    pub fn key(&self) -> &ServerKey {
        let (Self::Made(key) | Self::Waits(key)) = self;
        key
    }
}
