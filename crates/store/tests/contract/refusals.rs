use crate::fixture::Fixture;
use crate::make::{DAY, HOUR, NOW, ban_context, client_key, guess};
use domain::UnixMs;
use domain::ban::{BanPolicy, Trigger};
use store::refusals::RefusalCount;

pub(crate) async fn are_counted_by_hour_and_trigger(fixture: Fixture) {
    let store = fixture.open().await;
    let hour = NOW - NOW.as_millis().rem_euclid(HOUR);
    for n in 0..3 {
        guess(&*store, client_key(n), "ada", hour + i64::from(n)).await;
    }
    guess(&*store, client_key(9), "ada", hour + HOUR).await;
    let policy = BanPolicy::standard();
    for _ in 0..2 {
        store.record_offence(client_key(1), Trigger::Flood, "", &ban_context(&policy, hour + HOUR - 1)).await.unwrap();
    }
    let count = |hour, trigger, count| RefusalCount { hour, trigger, count };
    let late = count(hour + HOUR, Trigger::InvalidCredentials, 1);
    let early = [count(hour, Trigger::Flood, 2), count(hour, Trigger::InvalidCredentials, 3)];
    assert_eq!(store.refused(hour).await.unwrap(), [early[0], early[1], late]);
    assert_eq!(store.refused(hour + 1).await.unwrap(), [late]);
    store.sweep_attempts(hour + 8 * DAY).await.unwrap();
    assert_eq!(store.refused(UnixMs::EPOCH).await.unwrap(), [late]);
}
