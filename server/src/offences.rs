//! Offences and the resulting bans.

use crate::api_error::ApiError;
use crate::bans::ActiveBan;
use crate::client::Client;
use crate::entropy::Entropy;
use crate::rate_limiter::LimitExceeded;
use crate::refusal_feed::RefusalEvent;
use crate::state::{CoreState, DefenceState};
use domain::ban::{Trigger, incident};
use domain::client_key::ClientKey;
use std::sync::Arc;
use store::bans::Ban;
use store::bans::BanContext;
use wire::problem::Code;

/// Returns the parameters of a ban of `offender` that may be due.
pub(crate) fn ban_context(state: &DefenceState, client: &Client, offender: ClientKey) -> BanContext {
    BanContext {
        policy: Arc::clone(&state.config.policy),
        ban_id: state.ulid().into(),
        spray_id: state.ulid().into(),
        incident: fresh_incident(&*state.entropy),
        spray_incident: fresh_incident(&*state.entropy),
        jitter: u16::from_be_bytes(state.entropy.bytes()),
        exempt: client.exempt(offender, state),
        now: state.now(),
    }
}

pub(crate) fn fresh_incident(entropy: &dyn Entropy) -> String {
    incident(u32::from_be_bytes(entropy.bytes()))
}

/// Puts bans into force here and logs one line each.
pub(crate) fn impose(state: &DefenceState, bans: &[Ban]) {
    state.bans.apply(bans);
    for ban in bans {
        state.metrics.banned(ban.trigger);
        tracing::warn!(
            name: net::KEPT,
            identity = %ban.client_key, scope = %ban.scope, trigger = %ban.trigger,
            seconds = (ban.until - ban.since) / 1000, incident = %ban.incident, "banned"
        );
    }
}

/// Puts a manual ban into force here.
pub(crate) fn announce(state: &DefenceState, ban: &Ban) {
    let made = std::slice::from_ref(ban);
    impose(state, made);
    state.refusal_feed.publish(&RefusalEvent::new(ban.client_key, ban.trigger, made, ban.since));
}

/// Records an offence outside an attempt. Answers with the ban if one is due, otherwise with `code`.
pub(crate) async fn record_offence(
    state: &DefenceState,
    client: &Client,
    trigger: Trigger,
    evidence: &str,
    code: Code,
) -> ApiError {
    let client_key = client.offender();
    let sentence = ban_context(state, client, client_key);
    match state.store.record_offence(client_key, trigger, evidence, &sentence).await {
        Ok(ban) => {
            // An existing ban is not a new one.
            let new = ban.as_ref().is_some_and(|ban| ban.id == sentence.ban_id);
            if new {
                impose(state, ban.as_slice());
            } else {
                state.bans.apply(ban.as_slice());
            }
            let made = if new { ban.as_slice() } else { &[] };
            state.refusal_feed.publish(&RefusalEvent::new(client_key, trigger, made, sentence.now));
            refusal(code, ban.as_slice(), state)
        }
        Err(error) => error.into(),
    }
}

/// Answers a client that continues although it received `Retry-After`.
pub(crate) async fn flood(state: &DefenceState, client: &Client, excess: LimitExceeded) -> ApiError {
    let (client_key, now) = (client.offender(), state.now());
    // Of several concurrent requests the first one bans, and the others see that ban.
    let _turn = state.attempt_locks.lock(client_key).await;
    // Allowlisted clients are never banned, but the request is still over the limit.
    if client.is_proxy || state.allowlist.covers(client.address, now) {
        return excess.into();
    }
    if let Some(closed) = state.bans.closed(client_key, domain::ban::Scope::Everything, now) {
        return ApiError::banned(closed, now);
    }
    record_offence(state, client, Trigger::Flood, &excess.limit.to_string(), Code::Banned).await
}

/// Builds a refusal with the wait of its bans.
pub(crate) fn refusal(code: Code, bans: &[Ban], state: &CoreState) -> ApiError {
    let now = state.now();
    match bans.iter().max_by_key(|ban| ban.until) {
        Some(ban) if code == Code::Banned => {
            ApiError::banned(ActiveBan { until: ban.until, incident: ban.incident.clone() }, now)
        }
        Some(ban) => ApiError::wait(code, ban.until - now),
        None => ApiError::new(code),
    }
}
