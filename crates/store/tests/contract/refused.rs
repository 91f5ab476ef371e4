use crate::fixture::Fixture;
use crate::make::{
    HOUR, MINUTE, NOW, SECOND, acceptance, client_key, failures, guess, new_session, refusal, reserved, user,
};
use domain::UnixMs;
use domain::account_delay::FailureStreak;
use domain::ban::{Scope, Trigger};

pub(crate) async fn bans_on_the_first_wrong_password(fixture: Fixture) {
    let store = fixture.open().await;
    let attempt = reserved(&*store, client_key(1), NOW).await;
    let mut refusal = refusal(attempt, Trigger::InvalidCredentials, Some("ada"), NOW);
    refusal.audit.user = Some("ada".into());
    "invalid_credentials".clone_into(&mut refusal.audit.outcome);
    let bans = store.refuse(&refusal).await.unwrap();
    let [ban] = bans.as_slice() else { panic!("{bans:?}") };
    assert_eq!((&ban.id, &ban.incident), (&refusal.ban_context.ban_id, &refusal.ban_context.incident));
    assert_eq!((ban.client_key, ban.scope, ban.trigger), (client_key(1), Scope::SignIn, Trigger::InvalidCredentials));
    assert_eq!((ban.since, ban.until), (NOW, NOW + 2 * SECOND));
    assert_eq!((ban.evidence.as_str(), ban.made_by.as_str()), ("invalid_credentials seen", "engine"));
    assert!(ban.reason.ends_with('.') && ban.lifted_at.is_none() && ban.lifted_by.is_none());
    assert_eq!(store.active_bans(NOW).await.unwrap(), bans);
    assert_eq!(store.audit_of(&"ada".into(), 10).await.unwrap(), [refusal.audit]);
    assert!(store.active_bans(NOW + 2 * SECOND).await.unwrap().is_empty());
    reserved(&*store, client_key(1), NOW + 2 * SECOND).await;
}

pub(crate) async fn counts_failures_in_a_row(fixture: Fixture) {
    let store = fixture.open().await;
    assert_eq!(failures(&*store, "ada").await, FailureStreak::default());
    for n in 1..=3 {
        guess(&*store, client_key(n), "ada", NOW + i64::from(n)).await;
    }
    let attempt = reserved(&*store, client_key(4), NOW).await;
    let mut uncounted = refusal(attempt, Trigger::InvalidCredentials, Some("ada"), NOW);
    uncounted.counts_as_failure = false;
    store.refuse(&uncounted).await.unwrap();
    guess(&*store, client_key(5), "bob", NOW).await;
    assert_eq!(failures(&*store, "ada").await, FailureStreak { count: 3, last_at: NOW + 3 });

    let ada = user(&*store, "ada").await;
    let attempt = reserved(&*store, client_key(6), NOW).await;
    assert!(store.accept(&acceptance(attempt, "ada", new_session(&ada, NOW), NOW)).await.unwrap());
    assert_eq!(failures(&*store, "ada").await, FailureStreak::default());
    assert_eq!(failures(&*store, "bob").await, FailureStreak { count: 1, last_at: NOW });
}

pub(crate) async fn twice_counts_once(fixture: Fixture) {
    let store = fixture.open().await;
    let attempt = reserved(&*store, client_key(1), NOW).await;
    let first = refusal(attempt.clone(), Trigger::InvalidCredentials, Some("ada"), NOW);
    let second = refusal(attempt, Trigger::InvalidCredentials, Some("ada"), NOW);
    assert_eq!(store.refuse(&first).await.unwrap().len(), 1);
    assert!(store.refuse(&second).await.unwrap().is_empty());
}

pub(crate) async fn bad_envelopes_ban_at_the_third_within_the_window(fixture: Fixture) {
    let store = fixture.open().await;
    let bad = async |now| {
        let attempt = reserved(&*store, client_key(1), now).await;
        store.refuse(&refusal(attempt, Trigger::BadEnvelope, None, now)).await.unwrap()
    };
    assert!(bad(NOW).await.is_empty());
    assert!(bad(NOW + MINUTE).await.is_empty());
    // The first one is outside the window by now.
    assert!(bad(NOW + 10 * MINUTE).await.is_empty());
    let bans = bad(NOW + 10 * MINUTE + SECOND).await;
    assert_eq!(bans.len(), 1);
    assert_eq!((bans[0].scope, bans[0].trigger), (Scope::SignIn, Trigger::BadEnvelope));
    assert_eq!(bans[0].until, NOW + 11 * MINUTE + SECOND);
}

/// Sends one wrong password a minute, each under another name.
async fn names(store: &dyn store::Store, count: u32, from: UnixMs) -> Vec<Vec<Trigger>> {
    let mut all = Vec::new();
    for n in 0..count {
        let bans = guess(store, client_key(1), &format!("name{n}"), from + i64::from(n) * MINUTE).await;
        all.push(bans.iter().map(|ban| ban.trigger).collect());
    }
    all
}

pub(crate) async fn five_names_are_spray(fixture: Fixture) {
    let store = fixture.open().await;
    let mut bans = names(&*store, 5, NOW).await;
    assert_eq!(bans.pop().unwrap(), [Trigger::InvalidCredentials, Trigger::Spray]);
    assert!(bans.iter().all(|bans| *bans == [Trigger::InvalidCredentials]), "{bans:?}");
    let active = store.active_bans(NOW + 4 * MINUTE).await.unwrap();
    let spray = active.iter().find(|ban| ban.trigger == Trigger::Spray).unwrap();
    assert_eq!((spray.scope, spray.until), (Scope::Everything, NOW + 19 * MINUTE));
    assert_ne!(spray.incident, active.iter().find(|ban| ban.trigger != Trigger::Spray).unwrap().incident);
}

pub(crate) async fn forgiven_names_are_no_spray(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    names(&*store, 4, NOW).await;
    let now = NOW + 4 * MINUTE;
    let attempt = reserved(&*store, client_key(1), now).await;
    assert!(store.accept(&acceptance(attempt, "name2", new_session(&ada, now), now)).await.unwrap());
    let bans = guess(&*store, client_key(1), "fifth", now).await;
    assert_eq!(bans.len(), 1, "{bans:?}");
    let bans = guess(&*store, client_key(1), "sixth", now + MINUTE).await;
    assert_eq!(bans.len(), 2, "{bans:?}");
}

pub(crate) async fn names_outside_the_window_are_no_spray(fixture: Fixture) {
    let store = fixture.open().await;
    names(&*store, 4, NOW).await;
    let bans = guess(&*store, client_key(1), "fifth", NOW + HOUR).await;
    assert_eq!(bans.len(), 1, "{bans:?}");
    // Repeated attempts with one name are guessing at one account, not spraying.
    for n in 1..8 {
        let bans = guess(&*store, client_key(2), "ada", NOW + n * 24 * HOUR).await;
        assert_eq!(bans.len(), 1, "{bans:?}");
    }
}
