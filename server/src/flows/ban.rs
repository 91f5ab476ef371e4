//! Strikes and the bans they make.

use crate::bans::Closed;
use crate::entropy::Entropy;
use crate::floods::Excess;
use crate::guards::client::Client;
use crate::guards::floods;
use crate::http::ApiError;
use crate::live::Refusal;
use crate::state::AppState;
use domain::ban::{Trigger, incident};
use domain::identity::Identity;
use std::sync::Arc;
use store::bans::Ban;
use store::bans::Sentence;
use wire::problem::Code;

/// Returns what a ban of `offender` needs, should one be due.
pub fn sentence(state: &AppState, client: &Client, offender: Identity) -> Sentence {
    Sentence {
        policy: Arc::clone(&state.config.policy),
        ban_id: state.ulid(),
        spray_id: state.ulid(),
        incident: fresh_incident(&*state.entropy),
        spray_incident: fresh_incident(&*state.entropy),
        jitter: u16::from_be_bytes(state.entropy.bytes()),
        exempt: client.exempt(offender, state),
        now: state.now(),
    }
}

pub fn fresh_incident(entropy: &dyn Entropy) -> String {
    incident(u32::from_be_bytes(entropy.bytes()))
}

/// Puts bans into force here and writes one line each for the operator.
pub fn impose(state: &AppState, bans: &[Ban]) {
    state.bans.apply(bans);
    for ban in bans {
        state.metrics.banned(ban.trigger);
        tracing::warn!(
            identity = %ban.identity, scope = %ban.scope, trigger = %ban.trigger,
            seconds = (ban.until - ban.since) / 1000, incident = %ban.incident, "banned"
        );
    }
}

/// Puts a ban by hand into force here.
pub fn announce(state: &AppState, ban: &Ban) {
    let made = std::slice::from_ref(ban);
    impose(state, made);
    state.live.tell(&Refusal::new(ban.identity, ban.trigger, made, ban.since));
}

/// A strike outside an attempt. Answers with the ban if one was due, else with `code`.
pub async fn strike(state: &AppState, client: &Client, trigger: Trigger, evidence: &str, code: Code) -> ApiError {
    let identity = client.offender();
    let sentence = sentence(state, client, identity);
    match state.store.strike(identity, trigger, evidence, &sentence).await {
        Ok(ban) => {
            // A ban that was in force already is not a new one.
            let new = ban.as_ref().is_some_and(|ban| ban.id == sentence.ban_id);
            if new {
                impose(state, ban.as_slice());
            } else {
                state.bans.apply(ban.as_slice());
            }
            let made = if new { ban.as_slice() } else { &[] };
            state.live.tell(&Refusal::new(identity, trigger, made, sentence.now));
            refusal(code, ban.as_slice(), state)
        }
        Err(error) => error.into(),
    }
}

/// The answer to a client that goes on although it was told to wait.
pub async fn flood(state: &AppState, client: &Client, excess: Excess) -> ApiError {
    let (identity, now) = (client.offender(), state.now());
    // Of many that arrive together the first bans; the others only hear of it.
    let _turn = state.queue.turn(identity).await;
    // Nobody is banned who is on the allowlist; but one too many is one too many.
    if client.is_proxy || state.allowlist.covers(client.address, now) {
        return floods::wait(excess);
    }
    if let Some(closed) = state.bans.closed(identity, domain::ban::Scope::Everything, now) {
        return ApiError::banned(closed, now);
    }
    strike(state, client, Trigger::Flood, &excess.limit.to_string(), Code::Banned).await
}

/// A refusal with the wait that its bans impose.
pub fn refusal(code: Code, bans: &[Ban], state: &AppState) -> ApiError {
    let now = state.now();
    match bans.iter().max_by_key(|ban| ban.until) {
        Some(ban) if code == Code::Banned => {
            ApiError::banned(Closed { until: ban.until, incident: ban.incident.clone() }, now)
        }
        Some(ban) => ApiError::wait(code, ban.until - now),
        None => ApiError::new(code),
    }
}
