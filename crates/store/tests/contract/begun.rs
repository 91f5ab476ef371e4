use crate::fixture::Fixture;
use crate::make::{MINUTE, NOW, SECOND, attempt, ban_context, begin, client_key, fresh, guess, refusal, reserved};
use domain::CLOCK_TOLERANCE_MS;
use domain::ban::{BanPolicy, Trigger};
use store::StoreOptions;
use store::attempts::{BeginAttempt, BeginOutcome, RESEND_MS, RESERVATION_MS};

pub async fn reserves_the_identity_until_it_is_released(fixture: Fixture) {
    let store = fixture.open().await;
    let first = begin(client_key(1), NOW);
    let second = begin(client_key(1), NOW);
    assert_eq!(store.begin(&first).await.unwrap(), BeginOutcome::Reserved);
    assert_eq!(store.begin(&second).await.unwrap(), BeginOutcome::Busy);
    assert_eq!(store.begin(&begin(client_key(2), NOW)).await.unwrap(), BeginOutcome::Reserved);
    store.release(&first.attempt).await.unwrap();
    assert_eq!(store.begin(&second).await.unwrap(), BeginOutcome::Reserved, "Busy had spent nothing");
    store.release(&second.attempt).await.unwrap();
    assert_eq!(
        store.begin(&BeginAttempt { body: fresh("body"), ..first }).await.unwrap(),
        BeginOutcome::Replayed,
        "still burnt"
    );
}

pub async fn a_reservation_runs_out(fixture: Fixture) {
    let store = fixture.open().await;
    reserved(&*store, client_key(1), NOW).await;
    let almost = begin(client_key(1), NOW + RESERVATION_MS - 1);
    assert_eq!(store.begin(&almost).await.unwrap(), BeginOutcome::Busy);
    reserved(&*store, client_key(1), NOW + RESERVATION_MS).await;
}

pub async fn a_reservation_of_a_clock_that_was_set_back_holds_nobody(fixture: Fixture) {
    let store = fixture.open().await;
    reserved(&*store, client_key(1), NOW).await;
    let within = begin(client_key(1), NOW - CLOCK_TOLERANCE_MS);
    assert_eq!(store.begin(&within).await.unwrap(), BeginOutcome::Busy, "another node's clock may be behind");
    reserved(&*store, client_key(1), NOW - CLOCK_TOLERANCE_MS - 1).await;
}

pub async fn a_release_ends_only_its_own_reservation(fixture: Fixture) {
    let store = fixture.open().await;
    let late = reserved(&*store, client_key(1), NOW).await;
    let then = NOW + RESERVATION_MS;
    let holder = reserved(&*store, client_key(1), then).await;
    store.release(&late).await.unwrap();
    store.refuse(&refusal(late, Trigger::BadEnvelope, None, then)).await.unwrap();
    store.release(&attempt(client_key(1))).await.unwrap();
    assert_eq!(store.begin(&begin(client_key(1), then)).await.unwrap(), BeginOutcome::Busy);
    store.release(&holder).await.unwrap();
    reserved(&*store, client_key(1), then).await;
}

pub async fn a_ban_closes_and_spends_nothing(fixture: Fixture) {
    let store = fixture.open().await;
    let bans = guess(&*store, client_key(1), "ada", NOW).await;
    let late = begin(client_key(1), NOW + SECOND);
    assert_eq!(store.begin(&late).await.unwrap(), BeginOutcome::Banned(Box::new(bans[0].clone())));
    let after = BeginAttempt { now: NOW + 2 * SECOND, ..late };
    assert_eq!(store.begin(&after).await.unwrap(), BeginOutcome::Reserved, "neither key nor reservation was spent");
    store.release(&after.attempt).await.unwrap();

    let flood = ban_context(&BanPolicy::standard(), after.now);
    let everything = store.record_offence(client_key(1), Trigger::Flood, "", &flood).await.unwrap().unwrap();
    let again = begin(client_key(1), after.now + SECOND);
    assert_eq!(store.begin(&again).await.unwrap(), BeginOutcome::Banned(Box::new(everything)));
}

pub async fn a_full_table_closes_and_spends_nothing(fixture: Fixture) {
    let store = fixture.open_with(StoreOptions { short_key_cap: 3, ..StoreOptions::default() }).await;
    for n in 1..=3 {
        reserved(&*store, client_key(n), NOW).await;
    }
    let late = begin(client_key(4), NOW);
    assert_eq!(store.begin(&late).await.unwrap(), BeginOutcome::Full);
    assert_eq!(
        store.begin(&begin(client_key(1), NOW)).await.unwrap(),
        BeginOutcome::Busy,
        "the reservation is asked first"
    );
    let past = NOW + 10 * MINUTE;
    assert!(store.sweep_attempts(past).await.unwrap() >= 3);
    let after = BeginAttempt { now: past, short_key_expires_at: past + MINUTE, ..late };
    assert_eq!(store.begin(&after).await.unwrap(), BeginOutcome::Reserved, "neither key nor reservation was spent");
}

pub async fn the_same_body_again_is_resent_once_and_then_replayed(fixture: Fixture) {
    let store = fixture.open().await;
    let first = begin(client_key(1), NOW);
    let again = |now| BeginAttempt { attempt: attempt(client_key(1)), now, ..first.clone() };
    assert_eq!(store.begin(&first).await.unwrap(), BeginOutcome::Reserved);
    store.release(&first.attempt).await.unwrap();
    assert_eq!(store.begin(&again(NOW + RESEND_MS)).await.unwrap(), BeginOutcome::Resent);
    assert_eq!(store.begin(&again(NOW + RESEND_MS)).await.unwrap(), BeginOutcome::Replayed);
    assert_eq!(
        store.begin(&begin(client_key(1), NOW)).await.unwrap(),
        BeginOutcome::Reserved,
        "no reservation is left"
    );
}

pub async fn a_resend_too_late_from_elsewhere_or_altered_is_a_replay(fixture: Fixture) {
    let store = fixture.open().await;
    let first = begin(client_key(1), NOW);
    assert_eq!(store.begin(&first).await.unwrap(), BeginOutcome::Reserved);
    store.release(&first.attempt).await.unwrap();
    let late = BeginAttempt { attempt: attempt(client_key(1)), now: NOW + RESEND_MS + 1, ..first.clone() };
    let elsewhere = BeginAttempt { attempt: attempt(client_key(2)), ..first.clone() };
    let altered = BeginAttempt { attempt: attempt(client_key(1)), body: fresh("body"), ..first.clone() };
    for replay in [late, elsewhere, altered] {
        assert_eq!(store.begin(&replay).await.unwrap(), BeginOutcome::Replayed, "{replay:?}");
    }
    let honest = BeginAttempt { attempt: attempt(client_key(1)), ..first };
    assert_eq!(store.begin(&honest).await.unwrap(), BeginOutcome::Resent, "a replay spends no re-send");
}
