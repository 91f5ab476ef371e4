//! Background jobs: reading other nodes' changes, and deleting expired rows.

use crate::bans::START_TIMEOUT;
use crate::doctor::{self, Finding, FindingLevel};
use crate::error_chain::chain;
use crate::flows::{mail, notices, oauth_logouts, oauth_registration, server_keys};
use crate::keyring::KeyringError;
use crate::query_timeout::{QUERY_TIMEOUT, in_time};
use crate::state::{AppState, CoreState, DefenceState, SessionState};
use crate::sync_freshness;
use domain::UnixMs;
use domain::following::{CatchUp, Position, catch_up};
use domain::totp::REGISTRATION_MS;
use std::time::Duration;
use tokio::sync::watch;

/// Interval for following the changes of other nodes. One small query; the rest only after a change.
const FOLLOW_EVERY: Duration = Duration::from_millis(300);
/// Pause between two queries for changes that the database tells of, so that many changes share a query.
const FOLLOW_PAUSE: Duration = Duration::from_millis(20);
/// Interval for reading other nodes' rotations.
const SYNC_EVERY: Duration = Duration::from_secs(1);
/// Overlap with the previous read of rotations, because a rotation may commit late. Their times are on the database's
/// clock, as each node measures it. Nothing that ends a session depends on it.
const OVERLAP_MS: i64 = 5_000;
/// Interval for telling clients about sessions that have ended.
const NOTIFY_EVERY: Duration = Duration::from_secs(1);
/// Interval for sending mail that is due.
const SEND_EVERY: Duration = Duration::from_secs(1);
/// Time limit at a stop for a message that is being sent. One that was cut off is sent again later.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);
/// Interval for looking at the dates of the server's certificate.
const CHECK_EVERY: Duration = Duration::from_hours(24);
const SWEEP_EVERY: Duration = Duration::from_mins(1);
/// Additional time before ended keys are erased, because a node with a slow clock may still use them.
const SKEW_MS: i64 = 60_000;
/// Period that ended sessions and key versions remain visible to their owner.
const KEEP_SESSIONS_MS: i64 = 30 * 24 * 60 * 60_000;

/// Applies the changes of other processes since the last call, in the order of commits. These are ends of sessions,
/// changes of their people, bans, server keys, the allowlist, and clients.
///
/// # Errors
/// The store fails or does not answer, or a missing key cannot be made. Then what follows is read again by the next call.
pub async fn follow(state: &AppState) -> Result<(), KeyringError> {
    // The time before the query, because changes that are committed after it may be missing from the answer.
    let asked_at = state.moment();
    let began = asked_at.unix;
    let last = in_time(state.store.last_changes()).await?;
    state.sync.compare_clocks(last.clock, began, state.now());
    let applied = state.sync.applied();
    let step = |applied_number, number| {
        let at = |timeline, number| Position { timeline, number };
        catch_up(at(applied.timeline, applied_number), at(last.timeline, number))
    };
    match step(applied.bans, last.bans) {
        // This node's own bans have numbers too, so the cache of bans knows better what it has read.
        CatchUp::Nothing | CatchUp::Newer => {
            state.defence.bans.catch_up(&*state.store, last.bans, began).await?;
        }
        CatchUp::Everything => state.defence.bans.load(&*state.store, began, QUERY_TIMEOUT).await?,
    }
    in_time(follow_sessions(state, step(applied.sessions, last.sessions), began)).await?;
    if step(applied.sealers, last.sealers) != CatchUp::Nothing {
        in_time(state.key_encryption.reload(&*state.store)).await?;
    }
    if step(applied.keys, last.keys) != CatchUp::Nothing {
        in_time(state.keyring.reload(&state.vault())).await?;
    }
    if step(applied.allowlist, last.allowlist) != CatchUp::Nothing {
        in_time(state.defence.allowlist.reload(&*state.store)).await?;
    }
    if step(applied.clients, last.clients) != CatchUp::Nothing {
        in_time(state.clients.reload(&*state.store)).await?;
    }
    state.sync.followed_at(asked_at, last);
    Ok(())
}

async fn follow_sessions(state: &SessionState, step: CatchUp, began: UnixMs) -> store::Result<()> {
    match step {
        CatchUp::Nothing => {}
        CatchUp::Newer => {
            let changes = state.store.sessions_published(state.sync.applied().sessions).await?;
            state.sessions.apply(&changes, began);
            state.sessions.outdate(changes.iter().map(|change| &change.id));
            state.identity_headers.apply(&changes, &state.config.apps);
        }
        CatchUp::Everything => {
            tracing::warn!("the database is another copy: all sessions are read again");
            state.sessions.clear();
            state.identity_headers.clear();
            state.sessions.remember(&state.store.sessions_ended(sync_freshness::recent(began)).await?, began);
        }
    }
    Ok(())
}

/// Reads all changes since the last call once.
///
/// # Errors
/// As [`follow`].
pub async fn sync(state: &AppState) -> Result<(), KeyringError> {
    follow(state).await?;
    read_rotations(state).await
}

/// Reads the rotations since the last call, and keys that could not be read before.
async fn read_rotations(state: &SessionState) -> Result<(), KeyringError> {
    let now = state.now();
    let since = state.sync.on_the_database(state.sync.last().min(now)) - OVERLAP_MS;
    let changes = state.store.sessions_changed(since).await?;
    state.sessions.apply(&changes, now);
    state.identity_headers.apply(&changes, &state.config.apps);
    if state.keyring.lacks_keys(now) {
        state.keyring.reload(&state.vault()).await?;
    }
    state.sync.read_at(now);
    Ok(())
}

/// Runs until `stop` is set.
pub async fn run(state: AppState, stop: watch::Receiver<bool>) {
    tokio::join!(
        load_bans(&state.defence, stop.clone()),
        follow_nodes(&state, stop.clone()),
        send_mail(&state, stop.clone()),
        every(SYNC_EVERY, stop.clone(), || refresh_rotations(&state)),
        every(NOTIFY_EVERY, stop.clone(), || send_logouts(&state)),
        every(CHECK_EVERY, stop.clone(), async || check_certificate(&state)),
        // Apart from the others: a million rows that expire together take longer than caches may be old.
        every(SWEEP_EVERY, stop, || maintain(&state)),
    );
}

/// Loads the bans, if the start has left them because they are many.
async fn load_bans(state: &DefenceState, mut stop: watch::Receiver<bool>) {
    while !state.bans.is_loaded() {
        let load = async {
            if let Err(error) = state.bans.load(&*state.store, state.now(), START_TIMEOUT).await {
                tracing::error!(cause = %chain(&error), "loading the bans failed; each request asks the database");
                tokio::time::sleep(SYNC_EVERY).await;
            }
        };
        tokio::select! {
            _ = stop.changed() => return,
            () = load => {}
        }
    }
}

/// Does a piece of work again and again until `stop` is set.
async fn every<F: Future<Output = ()>>(period: Duration, mut stop: watch::Receiver<bool>, work: impl Fn() -> F) {
    let mut tick = tokio::time::interval(period);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            _ = tick.tick() => work().await,
        }
    }
}

/// Follows the other nodes, independently of the other jobs.
async fn follow_nodes(state: &AppState, mut stop: watch::Receiver<bool>) {
    let mut tick = tokio::time::interval(FOLLOW_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut follows = true;
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            _ = tick.tick() => {}
            () = state.store.wait_for_change() => {}
        }
        let problem = follow(state).await.err().map(|error| chain(&error));
        match &problem {
            Some(cause) if follows => tracing::error!(cause, "cannot follow the other nodes; requests are refused"),
            None if !follows => tracing::info!("follows the other nodes again"),
            _ => {}
        }
        follows = problem.is_none();
        tokio::time::sleep(FOLLOW_PAUSE).await;
    }
}

/// Sends mail, apart from the other jobs, because a mail server may be slow.
async fn send_mail(state: &AppState, mut stop: watch::Receiver<bool>) {
    if state.mailer.is_none() {
        return;
    }
    let mut tick = tokio::time::interval(SEND_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            _ = tick.tick() => {}
        }
        let sent = async {
            if let Err(error) = mail::send_due(state).await {
                tracing::error!(cause = %chain(&error), "sending mail failed");
            }
        };
        let stopped = async {
            // An error means that the server is gone, which is a stop too.
            let _ = stop.changed().await;
            tokio::time::sleep(SEND_TIMEOUT).await;
        };
        tokio::select! {
            () = sent => {}
            () = stopped => return,
        }
        if *stop.borrow() {
            return;
        }
    }
}

async fn refresh_rotations(state: &SessionState) {
    if let Err(error) = read_rotations(state).await {
        tracing::error!(cause = %chain(&error), "the store does not answer");
    }
}

async fn send_logouts(state: &AppState) {
    if let Err(error) = oauth_logouts::send_due(state).await {
        tracing::error!(cause = %chain(&error), "telling clients about ended sessions failed");
    }
}

/// Logs a certificate that has ended or ends soon.
fn check_certificate(state: &CoreState) {
    match doctor::certificate(&state.config, state.now()) {
        Some(Finding { state: FindingLevel::Problem, says, .. }) => tracing::error!("{says}"),
        Some(Finding { state: FindingLevel::Warning, says, .. }) => tracing::warn!("{says}"),
        _ => {}
    }
}

async fn maintain(state: &AppState) {
    if let Err(error) = server_keys::rotate_due(state).await {
        tracing::error!(cause = %chain(&error), "rotating server keys failed");
    }
    if let Err(error) = read_again(state).await {
        tracing::error!(cause = %chain(&error), "reading keys, networks and clients again failed");
    }
    sweep(state).await;
}

/// Reads the server keys, the allow-list and the clients, whatever the numbers of changes say. Version 0.1 changes them
/// without a number, and may run together with this one during an upgrade.
///
/// # Errors
/// The store fails.
pub async fn read_again(state: &AppState) -> Result<(), KeyringError> {
    state.keyring.reload(&state.vault()).await?;
    state.defence.allowlist.reload(&*state.store).await?;
    Ok(state.clients.reload(&*state.store).await?)
}

/// Deletes expired rows and those past their retention. A step that fails is logged, and the others are done.
pub async fn sweep(state: &AppState) {
    let (now, store) = (state.now(), &*state.store);
    state.defence.bans.sweep(now);
    state.defence.rate_limiter.sweep(now);
    state.defence.attempt_locks.sweep();
    done("attempts", store.sweep_attempts(now).await);
    done("sessions", store.sweep_sessions(now - KEEP_SESSIONS_MS).await);
    done("user keys", store.sweep_user_keys(now - SKEW_MS, now - KEEP_SESSIONS_MS).await);
    done("accounts", store.sweep_users(now - KEEP_SESSIONS_MS).await);
    done("invitations", store.sweep_invitations(now - KEEP_SESSIONS_MS).await);
    done("reset links", store.sweep_resets(now).await);
    done("codes for apps", store.sweep_app_codes(now - SKEW_MS).await);
    done("second factors", store.sweep_second_factors(now - SKEW_MS, now - REGISTRATION_MS).await);
    done("dismissed notices", store.sweep_notices(now - notices::SHOWN_MS).await);
    done("proofs", store.sweep_proofs(now - SKEW_MS).await);
    done("codes and grants", store.sweep_oauth(now - SKEW_MS).await);
    done("mail limit", state.renew_mail_limit().await);
    let given_up = done("messages", store.sweep_mails(now, now - mail::KEPT_MS).await).unwrap_or(0);
    if given_up > 0 {
        tracing::error!(given_up, "messages were given up, because no attempt succeeded in time");
        state.metrics.mails_given_up(given_up);
    }
    done("registered clients", oauth_registration::remove_expired(state).await);
    let keep = &state.config.settings.retention;
    done("audit log", store.sweep_audit(now - keep.audit.ms()).await);
    done("bans", store.sweep_bans(now - keep.bans.ms()).await);
}

/// Logs a step of a sweep that failed.
fn done<T>(rows: &'static str, step: store::Result<T>) -> Option<T> {
    step.inspect_err(|error| tracing::error!(rows, cause = %chain(error), "deleting expired rows failed")).ok()
}
