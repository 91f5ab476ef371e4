//! What runs beside the requests: hearing of other nodes' changes, and sweeping.

use crate::flows::server_keys;
use crate::keyring;
use crate::state::AppState;
use domain::UnixMs;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// Another node's bans and revocations are heard of within this.
const SYNC_EVERY: Duration = Duration::from_secs(1);
/// Looked at again each time: clocks of nodes may differ, and a change may have waited for its commit.
const OVERLAP_MS: i64 = 30_000;
const SWEEP_EVERY: Duration = Duration::from_mins(1);
/// Past this age what is in memory is not good enough to let anybody in.
const STALE_MS: i64 = 15_000;
/// What is over is erased this much later: a node whose clock is behind may still hand it out.
const SKEW_MS: i64 = 60_000;
/// Sessions, and versions of keys, that are over are kept this long for the owner to see what happened.
const KEEP_SESSIONS_MS: i64 = 30 * 24 * 60 * 60_000;

/// When the store was last heard.
#[derive(Debug, Default)]
pub struct Freshness(AtomicI64);

impl Freshness {
    /// Whether memory is too old to be trusted with a yes.
    pub fn is_stale(&self, now: UnixMs) -> bool {
        // A clock that went back says nothing about age either.
        self.age(now).abs() > STALE_MS
    }

    pub fn age(&self, now: UnixMs) -> i64 {
        now - self.0.load(Ordering::Relaxed)
    }
}

/// Hears once of everything that changed since the last time.
///
/// # Errors
/// The store does not answer.
pub async fn sync(state: &AppState) -> store::Result<()> {
    let now = state.now();
    let since = state.sync.0.load(Ordering::Relaxed).min(now) - OVERLAP_MS;
    let first = since < 0;
    if !first {
        state.bans.catch_up(&*state.store, now).await?;
        state.allowlist.replace(state.store.allowlist().await?);
        let changes = state.store.sessions_changed(since).await?;
        state.sessions.apply(&changes, now);
        state.told.apply(&changes, &state.config.apps);
        state.key_encryption.hear(&*state.store).await?;
        hear_of_keys(state).await?;
    }
    state.sync.0.store(now, Ordering::Relaxed);
    Ok(())
}

/// A key that cannot be read is no reason to hear of nothing else: those in memory stay in use.
async fn hear_of_keys(state: &AppState) -> store::Result<()> {
    match state.keyring.hear(&state.vault()).await {
        Err(keyring::Error::Store(error)) => Err(error),
        Err(error) => {
            tracing::error!(cause = %chain(&error), "a new server key cannot be read");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// Runs until `stop` says so.
pub async fn run(state: AppState, mut stop: watch::Receiver<bool>) {
    let mut sync_tick = tokio::time::interval(SYNC_EVERY);
    let mut sweep_tick = tokio::time::interval(SWEEP_EVERY);
    sync_tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            _ = sync_tick.tick() => {
                if let Err(error) = sync(&state).await {
                    tracing::error!(cause = %chain(&error), "the store does not answer");
                }
            }
            _ = sweep_tick.tick() => {
                if let Err(error) = sweep(&state).await {
                    tracing::error!(cause = %chain(&error), "sweeping failed");
                }
                if let Err(error) = server_keys::keep_up(&state).await {
                    tracing::error!(cause = %chain(&error), "server keys could not be looked after");
                }
            }
        }
    }
}

/// Deletes what has run out or was kept long enough.
///
/// # Errors
/// The store does not answer.
pub async fn sweep(state: &AppState) -> store::Result<()> {
    let now = state.now();
    state.bans.sweep(now);
    state.floods.sweep();
    state.queue.sweep();
    state.store.sweep_attempts(now).await?;
    state.store.sweep_sessions(now - KEEP_SESSIONS_MS).await?;
    state.store.sweep_user_keys(now - SKEW_MS, now - KEEP_SESSIONS_MS).await?;
    state.store.sweep_users(now - KEEP_SESSIONS_MS).await?;
    state.store.sweep_invitations(now - KEEP_SESSIONS_MS).await?;
    state.store.sweep_resets(now).await?;
    state.store.sweep_app_codes(now - SKEW_MS).await?;
    state.store.sweep_proofs(now - SKEW_MS).await?;
    let keep = &state.config.settings.retention;
    state.store.sweep_audit(now - keep.audit.ms()).await?;
    state.store.sweep_bans(now - keep.bans.ms()).await?;
    Ok(())
}

/// An error with all its causes, for the log.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
