//! Concurrent calls: what must happen once happens once, and every event is counted.

use crate::fixture::Fixture;
use crate::make::{
    DAY, MINUTE, NOW, SECOND, acceptance, attempt, ban_context, begin, client_key, entry, failures, lifting,
    new_session, refusal, rotation, session, token_hash, user,
};
use domain::UnixMs;
use domain::ban::{BanPolicy, BanRule, Trigger};
use futures::future::join_all;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Duration;
use store::Store;
use store::attempts::{BeginAttempt, BeginOutcome};
use store::audit::AuditEvent;
use store::sessions::{NewSession, Rotation};
use tokio::task::JoinHandle;

async fn all<T>(tasks: impl IntoIterator<Item = JoinHandle<T>>) -> Vec<T> {
    join_all(tasks).await.into_iter().map(Result::unwrap).collect()
}

pub(crate) async fn fifty_tasks_burn_one_short_key(fixture: Fixture) {
    let store = fixture.open().await;
    let first = begin(client_key(0), NOW);
    let begun = all((1..=50).map(|n| {
        let (store, begin) = (store.clone(), BeginAttempt { attempt: attempt(client_key(n)), ..first.clone() });
        tokio::spawn(async move { store.begin(&begin).await.unwrap() })
    }));
    let begun = begun.await;
    assert_eq!(begun.iter().filter(|begun| **begun == BeginOutcome::Reserved).count(), 1, "{begun:?}");
    assert_eq!(begun.iter().filter(|begun| **begun == BeginOutcome::Replayed).count(), 49, "{begun:?}");
}

pub(crate) async fn fifty_tasks_rotate_one_token(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let id = session(&*store, &ada, NOW).await;
    let mut current = token_hash(&format!("{id}/0"));
    for generation in 0..4 {
        let rotated = all((0..50).map(|n| {
            let rotation = Rotation {
                from_hash: current.clone(),
                to_hash: token_hash(&format!("{id}/{}/{n}", generation + 1)),
                ..rotation(&id, generation, NOW)
            };
            let store = store.clone();
            tokio::spawn(async move { store.rotate(&rotation).await.unwrap().then_some(rotation.to_hash) })
        }));
        let winners: Vec<_> = rotated.await.into_iter().flatten().collect();
        assert_eq!(winners.len(), 1, "{winners:?}");
        let life = store.session(&id).await.unwrap().unwrap().life;
        assert_eq!((life.generation, &life.current), (generation + 1, &winners[0]));
        current.clone_from(&winners[0]);
    }
}

/// Concurrent writes may share a transaction: a failed one undoes none of the others.
pub(crate) async fn a_failed_write_in_the_group_undoes_no_rotation(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(session(&*store, &ada, NOW).await);
    }
    let tasks = ids.iter().flat_map(|id| {
        let (rotation, taken) = (rotation(id, 0, NOW), NewSession { id: id.clone(), ..new_session(&ada, NOW) });
        let acceptance = acceptance(attempt(client_key(1)), "digest", taken, NOW);
        let (one, two) = (store.clone(), store.clone());
        let rotated = tokio::spawn(async move { one.rotate(&rotation).await.unwrap() });
        let failed = tokio::spawn(async move { two.accept(&acceptance).await.is_err() });
        [rotated, failed]
    });
    assert!(all(tasks).await.into_iter().all(|as_it_should| as_it_should));
    for id in ids {
        assert_eq!(store.session(&id).await.unwrap().unwrap().life.generation, 1);
    }
}

/// Tries again while another guess is in progress, and counts itself afterwards.
async fn guess_until_banned(store: Arc<dyn Store>, judged: Arc<AtomicU32>, n: u32) {
    let begin = begin(client_key(1), NOW);
    // A second one shows the fault, so the rest need not be waited for.
    while judged.load(Relaxed) < 2 {
        match store.begin(&begin).await.unwrap() {
            BeginOutcome::Reserved => break,
            BeginOutcome::Banned(_) => return,
            BeginOutcome::Busy => tokio::time::sleep(Duration::from_millis(1)).await,
            other => panic!("{other:?}"),
        }
    }
    judged.fetch_add(1, Relaxed);
    // About the time that a hash takes.
    tokio::time::sleep(Duration::from_millis(3)).await;
    let refusal = refusal(begin.attempt, Trigger::InvalidCredentials, Some(&format!("name{n}")), NOW);
    assert_eq!(store.refuse(&refusal).await.unwrap().len(), 1);
}

pub(crate) async fn two_hundred_guesses_are_one_guess(fixture: Fixture) {
    let (one, two) = (fixture.open().await, fixture.open().await);
    let judged = Arc::new(AtomicU32::new(0));
    all((0..200).map(|n| {
        let store = if n % 2 == 0 { one.clone() } else { two.clone() };
        tokio::spawn(guess_until_banned(store, judged.clone(), n))
    }))
    .await;
    assert_eq!(judged.load(Relaxed), 1);
    assert_eq!(one.active_bans(NOW).await.unwrap().len(), 1);
}

/// A server that writes without a pause leaves time for a command beside it.
pub(crate) async fn a_busy_process_shuts_no_other_out(fixture: Fixture) {
    let (busy, other) = (fixture.open().await, fixture.open().await);
    let done = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (1..=8)
        .map(|n| {
            let (store, done) = (busy.clone(), done.clone());
            tokio::spawn(async move {
                while !done.load(Relaxed) {
                    store
                        .record_offence(client_key(n), Trigger::Flood, "", &ban_context(&lenient(), NOW))
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    for _ in 0..30 {
        other.record_offence(client_key(9), Trigger::Flood, "", &ban_context(&lenient(), NOW)).await.unwrap();
    }
    done.store(true, Relaxed);
    all(writers).await;
}

/// Returns a policy under which no number of floods bans.
fn lenient() -> BanPolicy {
    let standard = BanPolicy::standard();
    BanPolicy { flood: BanRule { threshold: u32::MAX, ..standard.flood.clone() }, ..standard }
}

pub(crate) async fn fifty_floods_are_one_ban_at_the_first_step(fixture: Fixture) {
    let store = fixture.open().await;
    for (now, length) in [(NOW, MINUTE), (NOW + MINUTE, 10 * MINUTE)] {
        let bans = all((0..50).map(|_| {
            let (store, ban_context) = (store.clone(), ban_context(&BanPolicy::standard(), now));
            tokio::spawn(async move {
                store.record_offence(client_key(1), Trigger::Flood, "", &ban_context).await.unwrap().unwrap()
            })
        }));
        let bans = bans.await;
        assert!(bans.iter().all(|ban| *ban == bans[0]), "{bans:?}");
        assert_eq!(bans[0].until, now + length);
        assert_eq!(store.active_bans(now).await.unwrap().len(), 1);
    }
}

pub(crate) async fn no_strike_is_lost(fixture: Fixture) {
    let store = fixture.open().await;
    let mut policy = BanPolicy::standard();
    policy.flood = BanRule { threshold: 50, ..policy.flood };
    let bans = all((0..50).map(|_| {
        let (store, ban_context) = (store.clone(), ban_context(&policy, NOW));
        tokio::spawn(
            async move { store.record_offence(client_key(1), Trigger::Flood, "", &ban_context).await.unwrap() },
        )
    }));
    assert_eq!(bans.await.into_iter().flatten().count(), 1, "the fiftieth bans, and only the fiftieth");
}

/// Refusals whose reservations had expired before them: each was a guess, and each climbs.
pub(crate) async fn no_rung_is_lost(fixture: Fixture) {
    let store = fixture.open().await;
    let mut policy = BanPolicy::standard();
    policy.invalid_credentials.ladder_ms = (1..=60).map(|n| n * SECOND).collect();
    let bans = all((0..50).map(|_| {
        let mut refusal = refusal(attempt(client_key(1)), Trigger::InvalidCredentials, Some("ada"), NOW);
        refusal.ban_context = ban_context(&policy, NOW);
        let store = store.clone();
        tokio::spawn(async move { store.refuse(&refusal).await.unwrap().remove(0).until })
    }));
    let mut untils = bans.await;
    untils.sort_unstable();
    assert_eq!(untils, (1..=50).map(|n| jittered(&policy, n)).collect::<Vec<_>>());
}

fn jittered(policy: &BanPolicy, step: u32) -> UnixMs {
    let stands = (step > 1).then(|| domain::ban::Rung { step: step - 1, until: NOW });
    policy.invalid_credentials.climb(stands, client_key(1), 0, NOW).until
}

pub(crate) async fn no_failure_is_lost(fixture: Fixture) {
    let store = fixture.open().await;
    all((0..50).map(|n| {
        let refusal = refusal(attempt(client_key(n)), Trigger::InvalidCredentials, Some("ada"), NOW);
        let store = store.clone();
        tokio::spawn(async move { store.refuse(&refusal).await.unwrap() })
    }))
    .await;
    assert_eq!(failures(&*store, "ada").await.count, 50);
}

/// In any order, a disabled user has no live session, not even one that was written during the disabling and would be
/// valid again when the user is enabled.
pub(crate) async fn nobody_signs_in_past_a_disabling(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    for round in 0..20 {
        let now = NOW + i64::from(round) * DAY / 100;
        let logins = (0..8).map(|n| {
            let acceptance = acceptance(attempt(client_key(n)), "ada", new_session(&ada, now), now);
            let store = store.clone();
            tokio::spawn(async move { store.accept(&acceptance).await.unwrap() })
        });
        let logins: Vec<_> = logins.collect();
        let audit = entry(AuditEvent::UserDisabled, Some(&ada), now);
        assert!(store.set_disabled(&ada, true, &audit, now).await.unwrap().is_done());
        all(logins).await;
        let live = store.sessions_of(&ada, now).await.unwrap();
        assert!(live.is_empty(), "round {round}: {live:?}");
        let audit = entry(AuditEvent::UserEnabled, Some(&ada), now);
        assert!(store.set_disabled(&ada, false, &audit, now).await.unwrap().is_done());
    }
}

/// An operator lifts bans while offences are recorded. Both lock the same rows in different orders.
pub(crate) async fn strikes_and_lifts_wait_for_each_other(fixture: Fixture) {
    let store = fixture.open().await;
    let refusals: Vec<_> = (0..24)
        .map(|n| {
            let name = format!("name{}", n % 12);
            let refusal = refusal(attempt(client_key(1)), Trigger::InvalidCredentials, Some(&name), NOW);
            let store = store.clone();
            tokio::spawn(async move { store.refuse(&refusal).await.map(drop) })
        })
        .collect();
    let lifts = (0..24).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.lift(client_key(1), &lifting("root", NOW)).await.map(drop) })
    });
    for answer in all(refusals.into_iter().chain(lifts)).await {
        answer.unwrap();
    }
}
