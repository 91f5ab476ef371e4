//! The server's keys: listed, rotated and revoked by operators, and rotated by a schedule.

use super::audit;
use super::operator::Operator;
use crate::config::Config;
use crate::key_encryption::KeyEncryptionKey;
use crate::keyring::{self, MAC_ALG, rules};
use crate::state::AppState;
use domain::UnixMs;
use domain::server_key::{Rules, State};
use store::Store;
use store::audit::Event;
use store::keys::{Kind, Revocation, Revoked, StoredKey, line};
use wire::server_keys::{self as seen, ServerKey};

/// The kinds of keys that are rotated.
const KINDS: [Kind; 3] = [Kind::Envelope, Kind::Signing, Kind::Mac];
/// Maximum number of attempts. Whenever one fails, a concurrent one has added a key.
const TRIES: u32 = 4;
/// How long an ended key's private half is kept, in case the clock is set back.
const KEEP_MS: i64 = 24 * 60 * 60_000;
const YEAR_MS: i64 = 366 * 24 * 60 * 60_000;

/// The reason why no key was made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("a key can be scheduled at most a year ahead")]
    Far,
    #[error(transparent)]
    Key(#[from] keyring::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// The result of a rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotated {
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
    operator: &Operator<'_>,
    key: &KeyEncryptionKey,
    kind: Kind,
    at: Option<UnixMs>,
) -> Result<Rotated, Error> {
    let (now, rules) = (operator.now, rules(operator.config, kind));
    if at.is_some_and(|at| at > now.saturating_add(YEAR_MS)) {
        return Err(Error::Far);
    }
    let mut made: Option<StoredKey> = None;
    for _ in 0..TRIES {
        let keys = operator.store.keys().await?;
        let line = line(kind, &keys);
        if let Some(next) = line.next(now) {
            return Ok(Rotated::Waits(find(&keys, kind, &next.kid, rules, now)?));
        }
        let used_from = line.used_from(rules, at.unwrap_or(now), now);
        let new = match made.take() {
            Some(made) => StoredKey { used_from, ..made },
            None => operator.vault(key).make(kind, used_from).await?,
        };
        let audit = operator.entry(Event::ServerKeyRotated, about(kind, &new.kid));
        let after = line.newest().map(|newest| newest.kid.as_str());
        if operator.store.add_key(&new, after, Some(&audit)).await? {
            let keys = operator.store.keys().await?;
            return Ok(Rotated::Made(find(&keys, kind, &new.kid, rules, now)?));
        }
        made = Some(new);
    }
    Err(keyring::Error::Make(kind.as_str()).into())
}

/// Revokes a key by its id. `None`: no active key has it.
///
/// # Errors
/// A successor cannot be made, or the store fails.
pub async fn revoke(
    operator: &Operator<'_>,
    key: &KeyEncryptionKey,
    kid: &str,
    kind: Option<Kind>,
) -> Result<Option<(ServerKey, Revoked)>, keyring::Error> {
    let keys = operator.store.keys().await?;
    let meant =
        |key: &&StoredKey| key.kid == kid && KINDS.contains(&key.kind) && kind.is_none_or(|kind| kind == key.kind);
    let Some(kind) = keys.iter().find(meant).filter(|key| key.revoked_at.is_none()).map(|key| key.kind) else {
        return Ok(None);
    };
    let revocation = Revocation {
        kind,
        kid: kid.to_owned(),
        successor: operator.vault(key).make(kind, operator.now).await?,
        audit: operator.entry(Event::ServerKeyRevoked, about(kind, kid)),
        now: operator.now,
    };
    let revoked = operator.store.revoke_key(&revocation).await?;
    if revoked == Revoked::Nothing {
        return Ok(None);
    }
    let keys = operator.store.keys().await?;
    let shown = find(&keys, kind, kid, rules(operator.config, kind), operator.now)?;
    Ok(Some((shown, revoked)))
}

/// Revokes all keys in use of these kinds, or of all kinds if `kinds` is empty. This is for use after a leak. New keys
/// are in use at once. If it was interrupted, running it again revokes the rest. Returns the revoked keys.
///
/// # Errors
/// As [`revoke`].
pub async fn revoke_all(
    operator: &Operator<'_>,
    key: &KeyEncryptionKey,
    kind: Option<Kind>,
) -> Result<Vec<ServerKey>, keyring::Error> {
    let keys = operator.store.keys().await?;
    let mut revoked = Vec::new();
    for kind in KINDS.into_iter().filter(|own| kind.is_none_or(|kind| kind == *own)) {
        let (line, rules) = (line(kind, &keys), rules(operator.config, kind));
        // The waiting key first, since it would replace the one in use.
        for serving in line.serving(rules, operator.now).rev() {
            revoked.extend(revoke(operator, key, &serving.kid, Some(kind)).await?.map(|(key, _)| key));
        }
    }
    Ok(revoked)
}

/// Creates the next signing key and the next MAC key when they are due, and erases expired keys.
///
/// # Errors
/// A key cannot be made, or the store does not answer.
pub async fn keep_up(state: &AppState) -> Result<(), keyring::Error> {
    let now = state.now();
    let keys = state.store.keys().await?;
    for kind in [Kind::Signing, Kind::Mac] {
        follow_schedule(state, kind, &keys, now).await?;
    }
    for kind in KINDS {
        let (line, rules) = (line(kind, &keys), rules(&state.config, kind));
        for key in keys.iter().filter(|key| key.kind == kind && !key.sealed.is_empty()) {
            let over = match line.state(&key.kid, rules, now) {
                Some(State::Ended) => line.ends_at(&key.kid, rules),
                // Values of a revoked MAC key are still recognised. Successors of refresh tokens need that, and forms
                // of honest people must not count as forgeries.
                Some(State::Revoked) if kind == Kind::Mac => key.revoked_at.map(|at| at + rules.overlap_ms),
                Some(State::Revoked) => key.revoked_at,
                _ => None,
            };
            if over.is_some_and(|over| now > over + KEEP_MS) {
                state.store.erase_key(&key.kid).await?;
            }
        }
    }
    Ok(())
}

async fn follow_schedule(state: &AppState, kind: Kind, keys: &[StoredKey], now: UnixMs) -> Result<(), keyring::Error> {
    let (line, rules, settings) = (line(kind, keys), rules(&state.config, kind), &state.config.settings.keys);
    let Some(newest) = line.newest() else { return Ok(()) };
    let algorithm = keys.iter().find(|key| key.kid == newest.kid).map(|key| key.alg.as_str());
    let other_algorithm =
        kind == Kind::Signing && algorithm != Some(settings.signing_algorithm.as_str()) && line.next(now).is_none();
    let every = if kind == Kind::Mac { settings.mac_rotation } else { settings.signing_rotation };
    let due = every.0.and_then(|every| line.due(rules, every.ms(), now));
    let wanted = if other_algorithm { Some(now) } else { due };
    let Some(wanted) = wanted else { return Ok(()) };
    let key = state.vault().make(kind, line.used_from(rules, wanted, now)).await?;
    let audit = audit::of_schedule(state, Event::ServerKeyRotated, about(kind, &key.kid));
    // If several nodes' schedules are due at the same time, one of them makes the key.
    if state.store.add_key(&key, Some(&newest.kid), Some(&audit)).await? {
        tracing::info!(kid = %key.kid, alg = %key.alg, kind = kind.as_str(), "new server key created");
    }
    state.keyring.hear(&state.vault()).await
}

fn about(kind: Kind, kid: &str) -> String {
    format!("{} {kid}", kind.as_str())
}

fn find(keys: &[StoredKey], kind: Kind, kid: &str, rules: Rules, now: UnixMs) -> Result<ServerKey, keyring::Error> {
    of_kind(keys, kind, rules, now).find(|key| key.kid == kid).ok_or(keyring::Error::None(kind.as_str()))
}

fn of_kind(keys: &[StoredKey], kind: Kind, rules: Rules, now: UnixMs) -> impl Iterator<Item = ServerKey> {
    let line = line(kind, keys);
    keys.iter().filter(move |key| key.kind == kind).filter_map(move |key| {
        Some(ServerKey {
            kid: key.kid.clone(),
            kind: shown_kind(kind)?,
            // The first MAC key is older than the column for the algorithm.
            alg: if kind == Kind::Mac { MAC_ALG.to_owned() } else { key.alg.clone() },
            state: shown(line.state(&key.kid, rules, now)?),
            created_at: key.created_at,
            used_from: key.used_from,
            ends_at: line.ends_at(&key.kid, rules).filter(|_| key.revoked_at.is_none()),
            revoked_at: key.revoked_at,
        })
    })
}

/// Returns the store's kind for a kind that operators see.
pub fn stored_kind(kind: seen::Kind) -> Kind {
    match kind {
        seen::Kind::Envelope => Kind::Envelope,
        seen::Kind::Signing => Kind::Signing,
        seen::Kind::Mac => Kind::Mac,
    }
}

/// Returns the kind for operators, or `None` for a kind that is hidden from them because it is never replaced.
fn shown_kind(kind: Kind) -> Option<seen::Kind> {
    match kind {
        Kind::Envelope => Some(seen::Kind::Envelope),
        Kind::Signing => Some(seen::Kind::Signing),
        Kind::Mac => Some(seen::Kind::Mac),
        Kind::Digest => None,
    }
}

fn shown(state: State) -> seen::State {
    match state {
        State::Next => seen::State::Next,
        State::Current => seen::State::Current,
        State::Overlap => seen::State::Overlap,
        State::Ended => seen::State::Ended,
        State::Revoked => seen::State::Revoked,
    }
}

impl Rotated {
    pub fn key(&self) -> &ServerKey {
        let (Self::Made(key) | Self::Waits(key)) = self;
        key
    }
}
