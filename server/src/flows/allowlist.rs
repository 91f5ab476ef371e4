//! Administration of the allowlist.

use super::actor::{Actor, ActorNames};
use crate::network;
use crate::span::span_ms;
use domain::UnixMs;
use domain::operator::{self, InvalidInput};
use ipnet::IpNet;
use store::Store;
use store::allowlist::{AllowOutcome, AllowedNetwork};
use store::audit::AuditEvent;
use wire::allowlist as seen;

/// The reason why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum AllowlistError {
    #[error(transparent)]
    Unfit(#[from] InvalidInput),
    #[error("the list is full: remove an entry first")]
    Full,
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Returns the allowlist for operators.
///
/// # Errors
/// The store fails.
pub async fn list(store: &dyn Store, now: UnixMs) -> store::Result<seen::Allowlist> {
    Ok(seen::Allowlist { allowed: shown_all(store, store.allowlist().await?, now).await? })
}

/// Adds a network. The in-memory list follows when it reads the store.
///
/// # Errors
/// Names the invalid input.
pub async fn add(actor: &Actor<'_>, wanted: &seen::NewAllowed) -> Result<AllowedNetwork, AllowlistError> {
    let network = read(&wanted.network)?;
    let length = wanted.length.as_deref().map(str::trim).filter(|length| !length.is_empty());
    let allowed = AllowedNetwork {
        id: actor.entropy.ulid(actor.now),
        network,
        comment: operator::words(&wanted.comment)?,
        expires_at: length.map(span_ms).transpose()?.map(|ms| actor.now + ms),
        made_by: actor.by(),
        created_at: actor.now,
    };
    match actor.store.allow(&allowed, &actor.entry(AuditEvent::AllowAdded, network)).await? {
        AllowOutcome::Added => Ok(allowed),
        AllowOutcome::Full => Err(AllowlistError::Full),
    }
}

/// Removes a network by its id or its text and returns the removed entry.
///
/// # Errors
/// The store fails.
pub async fn remove(actor: &Actor<'_>, which: &str) -> store::Result<Option<AllowedNetwork>> {
    let network = read(which).ok();
    let list = actor.store.allowlist().await?;
    let meant = |allowed: &AllowedNetwork| {
        // An entry of an earlier version may be in another form.
        allowed.id == which || Some(allowed.network) == network || allowed.network.to_string() == which.trim()
    };
    let Some(allowed) = list.into_iter().find(meant) else { return Ok(None) };
    let audit = actor.entry(AuditEvent::AllowRemoved, allowed.network);
    Ok(actor.store.disallow(&allowed.id, &audit).await?.then_some(allowed))
}

pub async fn shown_all(store: &dyn Store, list: Vec<AllowedNetwork>, now: UnixMs) -> store::Result<Vec<seen::Allowed>> {
    let mut names = ActorNames::default();
    let mut all = Vec::with_capacity(list.len());
    for allowed in list {
        all.push(seen::Allowed {
            in_force: allowed.in_force(now),
            made_by: names.of(store, &allowed.made_by).await?,
            network: allowed.network.to_string(),
            id: allowed.id,
            comment: allowed.comment,
            expires_at: allowed.expires_at.map(UnixMs::as_millis),
            created_at: allowed.created_at.as_millis(),
        });
    }
    Ok(all)
}

/// Parses an address or network into its canonical form.
fn read(text: &str) -> Result<IpNet, InvalidInput> {
    match network::parse(text) {
        Some(network) if network.prefix_len() == 0 => Err(InvalidInput::Everybody),
        Some(network) => Ok(network),
        None => Err(InvalidInput::Network(text.trim().chars().take(64).collect())),
    }
}
