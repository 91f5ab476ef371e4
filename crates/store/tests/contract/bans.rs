use crate::fixture::Fixture;
use crate::make::{HOUR, MINUTE, NOW, SECOND, guess, identity, reserved, sentence};
use domain::ban::{Policy, Trigger};
use domain::identity::Identity;

pub async fn those_in_force_and_those_changed(fixture: Fixture) {
    let store = fixture.open().await;
    let short = guess(&*store, identity(1), "ada", NOW).await.remove(0);
    let v6: Identity = "2001:db8:1:2::/64".parse().unwrap();
    let sentence = sentence(&Policy::standard(), NOW + SECOND);
    let long = store.strike(v6, Trigger::ReplayedShortKey, "twice", &sentence).await.unwrap().unwrap();
    assert_eq!(long.identity, v6);
    let active = store.active_bans(NOW + SECOND).await.unwrap();
    assert!(active.contains(&short) && active.contains(&long) && active.len() == 2, "{active:?}");
    assert_eq!(store.active_bans(short.until).await.unwrap(), std::slice::from_ref(&long));
    assert_eq!(store.bans_changed(NOW + SECOND).await.unwrap(), [long]);
    assert_eq!(store.bans_changed(NOW).await.unwrap().len(), 2);
    assert!(store.bans_changed(NOW + SECOND + 1).await.unwrap().is_empty());
}

pub async fn lifting_forgets_ladders_and_strikes(fixture: Fixture) {
    let store = fixture.open().await;
    let first = guess(&*store, identity(1), "ada", NOW).await.remove(0);
    let second = guess(&*store, identity(1), "ada", first.until).await.remove(0);
    let other = guess(&*store, identity(2), "ada", NOW).await.remove(0);
    let policy = Policy::standard();
    let flood = store.strike(identity(1), Trigger::Flood, "", &sentence(&policy, second.since)).await.unwrap().unwrap();

    let now = second.since + SECOND;
    let lifted = store.lift(identity(1), "root", now).await.unwrap();
    let mut ids: Vec<_> = lifted.iter().map(|ban| ban.id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, [second.id.as_str(), flood.id.as_str()]);
    assert!(lifted.iter().all(|ban| ban.lifted_at == Some(now) && ban.lifted_by.as_deref() == Some("root")));
    assert_eq!(store.bans_changed(now).await.unwrap().len(), 2);
    assert!(store.active_bans(now).await.unwrap().iter().all(|ban| ban.identity != identity(1)));
    assert!(store.active_bans(NOW).await.unwrap().contains(&other));
    assert!(store.lift(identity(1), "root", now).await.unwrap().is_empty());
    assert!(store.lift(identity(3), "root", now).await.unwrap().is_empty());

    let attempt = reserved(&*store, identity(1), now).await;
    store.release(&attempt).await.unwrap();
    let again = guess(&*store, identity(1), "ada", now).await.remove(0);
    assert_eq!(again.until - again.since, 2 * SECOND, "back at the first step");
    let again = store.strike(identity(1), Trigger::Flood, "", &sentence(&policy, now + HOUR)).await.unwrap().unwrap();
    assert_eq!(again.until - again.since, MINUTE);
}
