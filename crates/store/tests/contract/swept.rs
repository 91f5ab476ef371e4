use crate::fixture::Fixture;
use crate::make::{
    DAY, HOUR, MINUTE, NOW, SECOND, all_changes, ban_context, begin, client_key, entry, failures, guess, lifting,
    reserved,
};
use domain::ban::{BanPolicy, Trigger};
use futures::future::join_all;
use store::attempts::{BeginAttempt, BeginOutcome};
use store::audit::AuditEvent;

pub(crate) async fn only_expired_rows_are_swept(fixture: Fixture) {
    let store = fixture.open().await;
    guess(&*store, client_key(1), "ada", NOW).await;
    reserved(&*store, client_key(2), NOW).await;
    let burnt = begin(client_key(3), NOW);
    assert_eq!(store.begin(&burnt).await.unwrap(), BeginOutcome::Reserved);

    assert_eq!(store.sweep_attempts(NOW).await.unwrap(), 0);
    assert_eq!(store.sweep_attempts(NOW + 10 * SECOND).await.unwrap(), 2, "reservations");
    // Burnt keys are kept two minutes beyond their expiry, for clocks that differ.
    let then = NOW + 4 * MINUTE;
    assert_eq!(store.sweep_attempts(then - 1).await.unwrap(), 0);
    assert_eq!(store.begin(&BeginAttempt { now: then - 1, ..burnt.clone() }).await.unwrap(), BeginOutcome::Replayed);
    assert_eq!(store.sweep_attempts(then).await.unwrap(), 3, "short_keys");
    assert_eq!(store.sweep_attempts(NOW + 10 * MINUTE).await.unwrap(), 1, "the strike");
    assert_eq!(failures(&*store, "ada").await.count, 1);
    // One step is forgotten a quiet day after its ban has expired.
    assert_eq!(store.sweep_attempts(NOW + 2 * SECOND + DAY - 1).await.unwrap(), 0);
    assert_eq!(store.sweep_attempts(NOW + 2 * SECOND + DAY).await.unwrap(), 1, "the ladder");
    assert_eq!(store.sweep_attempts(NOW + 30 * DAY - HOUR).await.unwrap(), 1, "the count of refusals");
    assert_eq!(store.sweep_attempts(NOW + 30 * DAY).await.unwrap(), 1, "the account's failures");
    assert_eq!(failures(&*store, "ada").await.count, 0);
    assert_eq!(all_changes(&*store).await.len(), 1, "bans are history");
}

pub(crate) async fn more_than_a_chunk_goes_in_one_call(fixture: Fixture) {
    let store = fixture.open().await;
    let attempts = (0..1100).map(|n| {
        let store = store.clone();
        async move { store.begin(&begin(client_key(n), NOW)).await.unwrap() }
    });
    assert!(join_all(attempts).await.iter().all(|begun| *begun == BeginOutcome::Reserved));
    assert_eq!(store.sweep_attempts(NOW + HOUR).await.unwrap(), 2200);
}

pub(crate) async fn the_audit_trail_goes_by_age(fixture: Fixture) {
    let store = fixture.open().await;
    for n in 0..1100 {
        store.append(&entry(AuditEvent::Login, Some(&"ada".into()), NOW - 90 * DAY - n)).await.unwrap();
    }
    store.append(&entry(AuditEvent::Login, Some(&"ada".into()), NOW)).await.unwrap();
    assert_eq!(store.sweep_audit(NOW - 90 * DAY).await.unwrap(), 1099, "what is younger stays, to the millisecond");
    assert_eq!(store.audit_of(&"ada".into(), 10).await.unwrap().len(), 2);
    assert_eq!(store.sweep_audit(NOW - 90 * DAY).await.unwrap(), 0);
}

pub(crate) async fn bans_go_when_they_were_over_long_enough(fixture: Fixture) {
    let store = fixture.open().await;
    let run_out = guess(&*store, client_key(1), "ada", NOW).await.remove(0);
    // A day long, and lifted after a second.
    let policy = BanPolicy::strict();
    let strike = async |last, at| {
        store
            .record_offence(client_key(last), Trigger::ForgedShortKey, "", &ban_context(&policy, at))
            .await
            .unwrap()
            .unwrap()
    };
    strike(2, NOW).await;
    store.lift(client_key(2), &lifting("root", NOW + SECOND)).await.unwrap();
    let in_force = strike(3, NOW).await;
    assert_eq!(store.sweep_bans(NOW + SECOND).await.unwrap(), 0);
    assert_eq!(store.sweep_bans(NOW + SECOND + 1).await.unwrap(), 1, "the lifted one");
    assert_eq!(store.sweep_bans(run_out.until).await.unwrap(), 0);
    assert_eq!(store.sweep_bans(run_out.until + 1).await.unwrap(), 1);
    assert_eq!(all_changes(&*store).await, [in_force]);
}

pub(crate) async fn bans_of_many_clients_go_in_one_call(fixture: Fixture) {
    let store = fixture.open().await;
    let policy = BanPolicy::strict();
    let strikes = (0..620).map(|last| {
        let (store, context) = (store.clone(), ban_context(&policy, if last == 0 { NOW + 2 * DAY } else { NOW }));
        async move { store.record_offence(client_key(last), Trigger::ForgedShortKey, "", &context).await }
    });
    assert!(join_all(strikes).await.into_iter().all(|banned| banned.unwrap().is_some()));
    for last in 1..=20 {
        store.lift(client_key(last), &lifting("root", NOW + SECOND)).await.unwrap();
    }
    assert_eq!(store.sweep_bans(NOW + MINUTE).await.unwrap(), 20, "the lifted ones");
    assert_eq!(store.sweep_bans(NOW + 2 * DAY).await.unwrap(), 599);
    assert_eq!(all_changes(&*store).await.len(), 1, "the one in force");
    assert_eq!(store.sweep_bans(NOW + 2 * DAY).await.unwrap(), 0);
}
