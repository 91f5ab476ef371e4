//! Administration of bans.

use super::actor::{Actor, ActorNames};
use crate::allowlist::covering;
use crate::flows::allowlist;
use crate::offences::fresh_incident;
use crate::span::span_ms;
use domain::UnixMs;
use domain::ban::{Rung, Scope, Trigger};
use domain::client_key::ClientKey;
use domain::operator::{self, InvalidInput};
use ipnet::IpNet;
use store::Store;
use store::allowlist::AllowedNetwork;
use store::audit::AuditEvent;
use store::bans::{Ban, BanLift, BanSearch};
use wire::bans as seen;

/// The reason why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum BanError {
    #[error(transparent)]
    Unfit(#[from] InvalidInput),
    #[error("write {} or {}", Scope::SignIn, Scope::Everything)]
    Scope,
    #[error("this would ban your own address, this machine or a trusted proxy")]
    WouldLockOut,
    #[error("{0} is on the allowlist ({1}), so this ban would have no effect: remove that entry first")]
    Allowed(IpNet, String),
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Parses a search for bans: an address as the server counts it, or an incident.
pub fn search_word(sent: &str, v6_prefix: u8) -> Option<String> {
    let sent = sent.trim();
    let word =
        ClientKey::read(sent, v6_prefix).map_or_else(|_| sent.to_uppercase(), |client_key| client_key.to_string());
    (!word.is_empty()).then_some(word)
}

/// Returns a page of bans.
///
/// # Errors
/// The store fails.
pub async fn list(store: &dyn Store, search: &BanSearch) -> store::Result<seen::Bans> {
    let rows = store.search_bans(search).await?;
    let full = rows.len() == usize::try_from(search.limit).unwrap_or(usize::MAX);
    let next = rows.last().filter(|_| full).map(|ban| ban.id.to_string());
    Ok(seen::Bans { bans: shown_all(store, rows, search.now).await?, next })
}

/// Bans an address manually. The caller puts the ban into force.
///
/// # Errors
/// Names the invalid input, or says that the ban would lock out the operator.
pub async fn make(actor: &Actor<'_>, wanted: &seen::NewBan) -> Result<Ban, BanError> {
    let client_key = operator::banned(&wanted.address, actor.config.settings.ipv6_prefix)?;
    let scope = Scope::parse(&wanted.scope).ok_or(BanError::Scope)?;
    let length = operator::length(client_key, span_ms(&wanted.length)?)?;
    let reason = operator::words(&wanted.reason)?;
    if !wanted.force {
        if locks_out(actor, client_key) {
            return Err(BanError::WouldLockOut);
        }
        if let Some(allowed) = allowed_wholly(actor, client_key).await? {
            return Err(BanError::Allowed(allowed.network, allowed.comment));
        }
    }
    let ban = Ban {
        id: actor.entropy.ulid(actor.now).into(),
        incident: fresh_incident(actor.entropy),
        client_key,
        scope,
        trigger: Trigger::Manual,
        reason,
        evidence: String::new(),
        since: actor.now,
        until: actor.now + length,
        made_by: actor.by(),
        lifted_at: None,
        lifted_by: None,
        lift_reason: None,
    };
    actor.store.ban(&ban, &actor.entry(AuditEvent::BanMade, client_key)).await?;
    Ok(ban)
}

/// Lifts every ban in force on an address. The caller puts that into force.
///
/// # Errors
/// A reason is missing, or the store fails.
pub async fn lift(actor: &Actor<'_>, client_key: ClientKey, reason: &str) -> Result<Vec<Ban>, BanError> {
    let lifting = BanLift {
        by: actor.by(),
        reason: operator::words(reason)?,
        audit: actor.entry(AuditEvent::BanLifted, client_key),
        now: actor.now,
    };
    Ok(actor.store.lift(client_key, &lifting).await?)
}

/// Explains the bans on an address, and what would ban it.
///
/// # Errors
/// It is not an address, or the store fails.
pub async fn explain(actor: &Actor<'_>, address: &str) -> Result<seen::Explanation, BanError> {
    let Actor { store, config, now, .. } = actor;
    let client_key = ClientKey::read(address, config.settings.ipv6_prefix).map_err(InvalidInput::from)?;
    let held = store.ban_record(client_key, *now).await?;
    let list = store.allowlist().await?;
    let own = address.trim().parse().ok().or_else(|| network(client_key).map(|network| network.addr()));
    let allowed: Vec<_> = own.map_or_else(Vec::new, |own| covering(&list, own, *now).cloned().collect());
    let until = |closes: &dyn Fn(&Ban) -> bool| {
        held.bans.iter().filter(|ban| allowed.is_empty() && closes(ban)).map(|ban| ban.until).max()
    };
    let (sign_in, everything) = (until(&|_| true), until(&|ban| ban.scope == Scope::Everything));
    let rules = Trigger::ALL.iter().filter_map(|trigger| {
        let rule = config.policy.rule(*trigger)?;
        let of = |(cause, _): &&(Trigger, UnixMs)| cause == trigger;
        let strikes = held.strikes.iter().filter(of).filter(|(_, at)| *at > *now - rule.window_ms).count();
        let rungs = held.rungs.iter().filter(|(cause, _)| cause == trigger);
        let stands: Option<Rung> = rungs.map(|(_, rung)| *rung).max_by_key(|rung| rung.step);
        let next = rule.climb(stands, client_key, 0, *now).until - *now;
        Some(seen::RuleStatus {
            trigger: trigger.to_string(),
            scope: rule.scope.to_string(),
            strikes: u32::try_from(strikes).unwrap_or(u32::MAX),
            threshold: rule.threshold,
            next_seconds: u64::try_from(next).unwrap_or_default() / 1000,
        })
    });
    Ok(seen::Explanation {
        address: client_key.to_string(),
        sign_in_closed_until: sign_in.map(UnixMs::as_millis),
        everything_closed_until: everything.map(UnixMs::as_millis),
        rules: rules.collect(),
        allowed: allowlist::shown_all(*store, allowed, *now).await?,
        bans: shown_all(*store, held.bans, *now).await?,
    })
}

/// Returns the addresses of a client key; a device has none.
pub fn network(client_key: ClientKey) -> Option<IpNet> {
    match client_key {
        ClientKey::V4(address) => Some(IpNet::from(std::net::IpAddr::V4(address))),
        ClientKey::V6(address, prefix) => IpNet::new(address.into(), prefix).ok(),
        ClientKey::Device(_) => None,
    }
}

fn locks_out(actor: &Actor<'_>, client_key: ClientKey) -> bool {
    client_key.is_loopback()
        || actor.own.contains(&client_key)
        || network(client_key).is_some_and(|network| actor.config.proxies.overlap(&network))
}

/// Returns the entry of the allowlist that contains every address of a client key, if there is one.
async fn allowed_wholly(actor: &Actor<'_>, client_key: ClientKey) -> store::Result<Option<AllowedNetwork>> {
    let Some(network) = network(client_key) else { return Ok(None) };
    let list = actor.store.allowlist().await?;
    Ok(list.into_iter().find(|allowed| allowed.in_force(actor.now) && allowed.network.contains(&network)))
}

/// Returns bans as operators see them.
///
/// # Errors
/// The store fails.
pub async fn shown_all(store: &dyn Store, bans: Vec<Ban>, now: UnixMs) -> store::Result<Vec<seen::Ban>> {
    let mut names = ActorNames::default();
    let mut all = Vec::with_capacity(bans.len());
    for ban in bans {
        let made_by = names.of(store, &ban.made_by).await?;
        let lifted_by = match &ban.lifted_by {
            Some(by) => Some(names.of(store, by).await?),
            None => None,
        };
        all.push(shown(ban, made_by, lifted_by, now));
    }
    Ok(all)
}

pub fn shown(ban: Ban, made_by: String, lifted_by: Option<String>, now: UnixMs) -> seen::Ban {
    seen::Ban {
        in_force: ban.in_force(now),
        address: ban.client_key.to_string(),
        scope: ban.scope.to_string(),
        trigger: ban.trigger.to_string(),
        id: ban.id.into(),
        incident: ban.incident,
        reason: ban.reason,
        evidence: ban.evidence,
        since: ban.since.as_millis(),
        until: ban.until.as_millis(),
        made_by,
        lifted_at: ban.lifted_at.map(UnixMs::as_millis),
        lifted_by,
        lift_reason: ban.lift_reason,
    }
}
