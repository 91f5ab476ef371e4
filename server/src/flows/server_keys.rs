//! The server's own keys: listed, replaced and revoked by operators, and by a schedule.

use super::audit;
use super::operator::Operator;
use crate::config::Config;
use crate::key_encryption::KeyEncryptionKey;
use crate::keyring::{self, rules};
use crate::state::AppState;
use domain::UnixMs;
use domain::server_key::{Rules, State};
use store::Store;
use store::audit::Event;
use store::keys::{Kind, Revocation, Revoked, StoredKey, line};
use wire::server_keys::{self as seen, ServerKey};

const KINDS: [Kind; 2] = [Kind::Envelope, Kind::Signing];
/// Others may add a key at the same time; each time they do, there is one.
const TRIES: u32 = 4;
/// The private half of a key that is over is kept for a clock that goes back, and then erased.
const KEEP_MS: i64 = 24 * 60 * 60_000;
const YEAR_MS: i64 = 366 * 24 * 60 * 60_000;

/// Why there is no new key.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("a key waits a year at most for its time")]
    Far,
    #[error(transparent)]
    Key(#[from] keyring::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// What became of the wish for a new key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotated {
    Made(ServerKey),
    /// One waits for its time already.
    Waits(ServerKey),
}

/// All keys, newest first.
///
/// # Errors
/// The store does not answer.
pub async fn list(store: &dyn Store, config: &Config, now: UnixMs) -> store::Result<Vec<ServerKey>> {
    let keys = store.keys().await?;
    let mut all: Vec<_> = KINDS.iter().flat_map(|kind| of_kind(&keys, *kind, rules(config, *kind), now)).collect();
    all.sort_by(|a, b| (b.used_from, &b.kid).cmp(&(a.used_from, &a.kid)));
    Ok(all)
}

/// Makes the next key of a kind, to be used from `at`, or as soon as everybody can know it.
///
/// # Errors
/// The key cannot be made, or the store does not answer.
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

/// Revokes a key, by its name. `None`: there is none of this name that could be.
///
/// # Errors
/// A successor cannot be made, or the store does not answer.
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

/// Makes the next signing key when its time comes, and erases what is over.
///
/// # Errors
/// A key cannot be made, or the store does not answer.
pub async fn keep_up(state: &AppState) -> Result<(), keyring::Error> {
    let now = state.now();
    let keys = state.store.keys().await?;
    follow_schedule(state, &keys, now).await?;
    for kind in KINDS {
        let (line, rules) = (line(kind, &keys), rules(&state.config, kind));
        for key in keys.iter().filter(|key| key.kind == kind && !key.sealed.is_empty()) {
            let over = match line.state(&key.kid, rules, now) {
                Some(State::Ended) => line.ends_at(&key.kid, rules),
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

async fn follow_schedule(state: &AppState, keys: &[StoredKey], now: UnixMs) -> Result<(), keyring::Error> {
    let (line, rules, settings) = (line(Kind::Signing, keys), Rules::SIGNING, &state.config.settings.keys);
    let Some(newest) = line.newest() else { return Ok(()) };
    let algorithm = keys.iter().find(|key| key.kid == newest.kid).map(|key| key.alg.as_str());
    let other_algorithm = algorithm != Some(settings.signing_algorithm.as_str()) && line.next(now).is_none();
    let due = settings.signing_rotation.0.and_then(|every| line.due(rules, every.ms(), now));
    let wanted = if other_algorithm { Some(now) } else { due };
    let Some(wanted) = wanted else { return Ok(()) };
    let key = state.vault().make(Kind::Signing, line.used_from(rules, wanted, now)).await?;
    let audit = audit::of_schedule(state, Event::ServerKeyRotated, about(Kind::Signing, &key.kid));
    // Of nodes whose schedule is due at the same moment one makes a key.
    if state.store.add_key(&key, Some(&newest.kid), Some(&audit)).await? {
        tracing::info!(kid = %key.kid, alg = %key.alg, "a new signing key waits for its time");
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
            kind: if kind == Kind::Envelope { seen::Kind::Envelope } else { seen::Kind::Signing },
            alg: key.alg.clone(),
            state: shown(line.state(&key.kid, rules, now)?),
            created_at: key.created_at,
            used_from: key.used_from,
            ends_at: line.ends_at(&key.kid, rules).filter(|_| key.revoked_at.is_none()),
            revoked_at: key.revoked_at,
        })
    })
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
