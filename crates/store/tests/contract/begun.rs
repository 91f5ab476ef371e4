use crate::fixture::Fixture;
use crate::make::{MINUTE, NOW, SECOND, attempt, begin, fresh, guess, identity, refusal, reserved, sentence};
use domain::ban::{Policy, Trigger};
use store::Options;
use store::attempts::{Begin, Begun, RESEND_MS, RESERVATION_MS};

pub async fn reserves_the_identity_until_it_is_released(fixture: Fixture) {
    let store = fixture.open().await;
    let first = begin(identity(1), NOW);
    let second = begin(identity(1), NOW);
    assert_eq!(store.begin(&first).await.unwrap(), Begun::Reserved);
    assert_eq!(store.begin(&second).await.unwrap(), Begun::Busy);
    assert_eq!(store.begin(&begin(identity(2), NOW)).await.unwrap(), Begun::Reserved);
    store.release(&first.attempt).await.unwrap();
    assert_eq!(store.begin(&second).await.unwrap(), Begun::Reserved, "Busy had spent nothing");
    store.release(&second.attempt).await.unwrap();
    assert_eq!(store.begin(&Begin { body: fresh("body"), ..first }).await.unwrap(), Begun::Replayed, "still burnt");
}

pub async fn a_reservation_runs_out(fixture: Fixture) {
    let store = fixture.open().await;
    reserved(&*store, identity(1), NOW).await;
    let almost = begin(identity(1), NOW + RESERVATION_MS - 1);
    assert_eq!(store.begin(&almost).await.unwrap(), Begun::Busy);
    reserved(&*store, identity(1), NOW + RESERVATION_MS).await;
}

pub async fn a_release_ends_only_its_own_reservation(fixture: Fixture) {
    let store = fixture.open().await;
    let late = reserved(&*store, identity(1), NOW).await;
    let then = NOW + RESERVATION_MS;
    let holder = reserved(&*store, identity(1), then).await;
    store.release(&late).await.unwrap();
    store.refuse(&refusal(late, Trigger::BadEnvelope, None, then)).await.unwrap();
    store.release(&attempt(identity(1))).await.unwrap();
    assert_eq!(store.begin(&begin(identity(1), then)).await.unwrap(), Begun::Busy);
    store.release(&holder).await.unwrap();
    reserved(&*store, identity(1), then).await;
}

pub async fn a_ban_closes_and_spends_nothing(fixture: Fixture) {
    let store = fixture.open().await;
    let bans = guess(&*store, identity(1), "ada", NOW).await;
    let late = begin(identity(1), NOW + SECOND);
    assert_eq!(store.begin(&late).await.unwrap(), Begun::Banned(Box::new(bans[0].clone())));
    let after = Begin { now: NOW + 2 * SECOND, ..late };
    assert_eq!(store.begin(&after).await.unwrap(), Begun::Reserved, "neither key nor reservation was spent");
    store.release(&after.attempt).await.unwrap();

    let flood = sentence(&Policy::standard(), after.now);
    let everything = store.strike(identity(1), Trigger::Flood, "", &flood).await.unwrap().unwrap();
    let again = begin(identity(1), after.now + SECOND);
    assert_eq!(store.begin(&again).await.unwrap(), Begun::Banned(Box::new(everything)));
}

pub async fn a_full_table_closes_and_spends_nothing(fixture: Fixture) {
    let store = fixture.open_with(Options { short_key_cap: 3, ..Options::default() }).await;
    for n in 1..=3 {
        reserved(&*store, identity(n), NOW).await;
    }
    let late = begin(identity(4), NOW);
    assert_eq!(store.begin(&late).await.unwrap(), Begun::Full);
    assert_eq!(store.begin(&begin(identity(1), NOW)).await.unwrap(), Begun::Busy, "the reservation is asked first");
    let past = NOW + 10 * MINUTE;
    assert!(store.sweep_attempts(past).await.unwrap() >= 3);
    let after = Begin { now: past, short_key_expires_at: past + MINUTE, ..late };
    assert_eq!(store.begin(&after).await.unwrap(), Begun::Reserved, "neither key nor reservation was spent");
}

pub async fn the_same_body_again_is_resent_once_and_then_replayed(fixture: Fixture) {
    let store = fixture.open().await;
    let first = begin(identity(1), NOW);
    let again = |now| Begin { attempt: attempt(identity(1)), now, ..first.clone() };
    assert_eq!(store.begin(&first).await.unwrap(), Begun::Reserved);
    store.release(&first.attempt).await.unwrap();
    assert_eq!(store.begin(&again(NOW + RESEND_MS)).await.unwrap(), Begun::Resent);
    assert_eq!(store.begin(&again(NOW + RESEND_MS)).await.unwrap(), Begun::Replayed);
    assert_eq!(store.begin(&begin(identity(1), NOW)).await.unwrap(), Begun::Reserved, "no reservation is left");
}

pub async fn a_resend_too_late_from_elsewhere_or_altered_is_a_replay(fixture: Fixture) {
    let store = fixture.open().await;
    let first = begin(identity(1), NOW);
    assert_eq!(store.begin(&first).await.unwrap(), Begun::Reserved);
    store.release(&first.attempt).await.unwrap();
    let late = Begin { attempt: attempt(identity(1)), now: NOW + RESEND_MS + 1, ..first.clone() };
    let elsewhere = Begin { attempt: attempt(identity(2)), ..first.clone() };
    let altered = Begin { attempt: attempt(identity(1)), body: fresh("body"), ..first.clone() };
    for replay in [late, elsewhere, altered] {
        assert_eq!(store.begin(&replay).await.unwrap(), Begun::Replayed, "{replay:?}");
    }
    let honest = Begin { attempt: attempt(identity(1)), ..first };
    assert_eq!(store.begin(&honest).await.unwrap(), Begun::Resent, "a replay spends no re-send");
}
