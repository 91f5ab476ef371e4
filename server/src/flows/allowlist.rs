//! Administration of the allowlist.

use super::bans::span_ms;
use super::operator::{Names, Operator};
use domain::UnixMs;
use domain::operator::{self, Unfit};
use ipnet::IpNet;
use std::net::IpAddr;
use store::Store;
use store::allowlist::{Added, Allowed};
use store::audit::Event;
use wire::allowlist as seen;

/// The reason why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Unfit(#[from] Unfit),
    #[error("the list is full: remove an entry first")]
    Full,
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// # Errors
/// The store fails.
pub async fn list(store: &dyn Store, now: UnixMs) -> store::Result<seen::Allowlist> {
    Ok(seen::Allowlist { allowed: shown_all(store, store.allowlist().await?, now).await? })
}

/// Adds a network. The in-memory list follows when it reads the store.
///
/// # Errors
/// Names the invalid input.
pub async fn add(operator: &Operator<'_>, wanted: &seen::NewAllowed) -> Result<Allowed, Error> {
    let network = network(&wanted.network)?;
    let length = wanted.length.as_deref().map(str::trim).filter(|length| !length.is_empty());
    let allowed = Allowed {
        id: operator.entropy.ulid(operator.now),
        network,
        comment: operator::words(&wanted.comment)?,
        expires_at: length.map(span_ms).transpose()?.map(|ms| operator.now.saturating_add(ms)),
        made_by: operator.by(),
        created_at: operator.now,
    };
    match operator.store.allow(&allowed, &operator.entry(Event::AllowAdded, network)).await? {
        Added::Added => Ok(allowed),
        Added::Full => Err(Error::Full),
    }
}

/// Removes a network by its id or its text and returns the removed entry.
///
/// # Errors
/// The store fails.
pub async fn remove(operator: &Operator<'_>, which: &str) -> store::Result<Option<Allowed>> {
    let network = network(which).ok();
    let list = operator.store.allowlist().await?;
    let meant = |allowed: &Allowed| allowed.id == which || Some(allowed.network) == network;
    let Some(allowed) = list.into_iter().find(meant) else { return Ok(None) };
    let audit = operator.entry(Event::AllowRemoved, allowed.network);
    Ok(operator.store.disallow(&allowed.id, &audit).await?.then_some(allowed))
}

pub async fn shown_all(store: &dyn Store, list: Vec<Allowed>, now: UnixMs) -> store::Result<Vec<seen::Allowed>> {
    let mut names = Names::default();
    let mut all = Vec::with_capacity(list.len());
    for allowed in list {
        all.push(seen::Allowed {
            in_force: allowed.in_force(now),
            made_by: names.of(store, &allowed.made_by).await?,
            network: allowed.network.to_string(),
            id: allowed.id,
            comment: allowed.comment,
            expires_at: allowed.expires_at,
            created_at: allowed.created_at,
        });
    }
    Ok(all)
}

/// Parses an address or network into its canonical form.
fn network(text: &str) -> Result<IpNet, Unfit> {
    let text = text.trim();
    let one = || text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
    let network = text.parse::<IpNet>().map(|network| network.trunc()).or_else(|_| one());
    match network {
        Ok(network) if network.prefix_len() == 0 => Err(Unfit::Everybody),
        Ok(network) => Ok(network),
        Err(_) => Err(Unfit::Network(text.chars().take(64).collect())),
    }
}
