use crate::fixture::Fixture;
use crate::make::{DAY, HOUR, MINUTE, NOW, SECOND, all_changes, ban_context, client_key, guess};
use domain::ban::{BanPolicy, Scope, Trigger};

pub(crate) async fn climb_a_rung_each_and_step_down_when_quiet(fixture: Fixture) {
    let store = fixture.open().await;
    let ladder = [2, 5, 15, 60, 300, 900, 3600, 6 * 3600, 86400, 86400];
    let mut now = NOW;
    for length in ladder {
        let bans = guess(&*store, client_key(1), "ada", now).await;
        assert_eq!(bans[0].until - bans[0].since, length * SECOND);
        now = bans[0].until;
    }
    // Ten steps; seven quiet days leave three, so the next is the fourth.
    let bans = guess(&*store, client_key(1), "ada", now + 7 * DAY).await;
    assert_eq!(bans[0].until - bans[0].since, MINUTE);
}

pub(crate) async fn are_kept_apart_by_account(fixture: Fixture) {
    let store = fixture.open().await;
    let first = guess(&*store, client_key(1), "ada", NOW).await;
    let second = guess(&*store, client_key(1), "ada", first[0].until).await;
    assert_eq!(second[0].until - second[0].since, 5 * SECOND);
    let other = guess(&*store, client_key(1), "bob", second[0].until).await;
    assert_eq!(other[0].until - other[0].since, 2 * SECOND);
    let elsewhere = guess(&*store, client_key(2), "ada", NOW).await;
    assert_eq!(elsewhere[0].until - elsewhere[0].since, 2 * SECOND);
}

pub(crate) async fn one_burst_is_one_offence(fixture: Fixture) {
    let store = fixture.open().await;
    let policy = BanPolicy::standard();
    let flood = async |now| {
        store
            .record_offence(client_key(1), Trigger::Flood, "31 a minute", &ban_context(&policy, now))
            .await
            .unwrap()
            .unwrap()
    };
    let first = flood(NOW).await;
    assert_eq!((first.scope, first.until, first.evidence.as_str()), (Scope::Everything, NOW + MINUTE, "31 a minute"));
    assert_eq!(flood(NOW + SECOND).await, first, "what was on its way belongs to the same offence");
    let second = flood(first.until).await;
    assert_eq!(second.until - second.since, 10 * MINUTE);
    let third = flood(second.until).await;
    assert_eq!(third.until - third.since, HOUR);
    let forged =
        store.record_offence(client_key(1), Trigger::ForgedShortKey, "", &ban_context(&policy, NOW)).await.unwrap();
    assert_eq!(forged.unwrap().until, NOW + 15 * MINUTE, "each trigger has its own ladder");
    assert_eq!(all_changes(&*store).await.len(), 4);
}

pub(crate) async fn the_strict_preset_bans_for_an_expired_short_key(fixture: Fixture) {
    let store = fixture.open().await;
    let mild = ban_context(&BanPolicy::standard(), NOW);
    let none = store.record_offence(client_key(1), Trigger::ExpiredShortKey, "", &mild).await.unwrap();
    assert_eq!(none, None);
    assert!(all_changes(&*store).await.is_empty());
    let strict = ban_context(&BanPolicy::strict(), NOW);
    let ban = store.record_offence(client_key(1), Trigger::ExpiredShortKey, "", &strict).await.unwrap().unwrap();
    assert_eq!((ban.scope, ban.until), (Scope::Everything, NOW + DAY));
    let manual = store.record_offence(client_key(2), Trigger::Manual, "", &strict).await.unwrap();
    assert_eq!(manual, None, "no policy makes a ban by hand");
}

pub(crate) async fn loopback_is_banned_for_a_minute_at_most(fixture: Fixture) {
    let store = fixture.open().await;
    for address in ["127.0.0.1", "::1", "127.9.9.9"] {
        let client_key = address.parse().unwrap();
        let mut now = NOW;
        for _ in 0..6 {
            let forged = ban_context(&BanPolicy::strict(), now);
            let ban = store.record_offence(client_key, Trigger::ForgedShortKey, "", &forged).await.unwrap().unwrap();
            assert_eq!(ban.until - ban.since, MINUTE, "{address}");
            now = ban.until;
        }
    }
}
