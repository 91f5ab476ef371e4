use crate::fixture::Fixture;
use crate::make::{
    HOUR, MINUTE, NOW, SECOND, acceptance, all_changes, ban_context, begin, client_key, entry, fresh, guess, lifting,
    new_session, refusal, reserved, user,
};
use domain::UnixMs;
use domain::ban::{BanPolicy, GRACE_MS, Scope, Trigger};
use domain::client_key::ClientKey;
use domain::ids::BanId;
use store::attempts::{BeginAttempt, BeginOutcome, LoginLookup};
use store::audit::{AuditEvent, AuditSearch};
use store::bans::{Ban, BanCursor, BanSearch};

pub(crate) async fn those_in_force_and_those_changed(fixture: Fixture) {
    let store = fixture.open().await;
    let short = guess(&*store, client_key(1), "ada", NOW).await.remove(0);
    let v6: ClientKey = "2001:db8:1:2::/64".parse().unwrap();
    let ban_context = ban_context(&BanPolicy::standard(), NOW + SECOND);
    let long = store.record_offence(v6, Trigger::ReplayedShortKey, "twice", &ban_context).await.unwrap().unwrap();
    assert_eq!(long.client_key, v6);
    let active = store.active_bans(NOW + SECOND).await.unwrap();
    assert!(active.contains(&short) && active.contains(&long) && active.len() == 2, "{active:?}");
    assert_eq!(store.active_bans(short.until).await.unwrap(), std::slice::from_ref(&long));
    assert_eq!(store.bans_on(v6, NOW + SECOND).await.unwrap(), std::slice::from_ref(&long));
    assert!(store.bans_on(v6, long.until).await.unwrap().is_empty());
    let first = store.bans_changed(&BanCursor::default(), 1).await.unwrap();
    assert_eq!(first.bans, std::slice::from_ref(&short));
    let second = store.bans_changed(&first.next, 10).await.unwrap();
    assert_eq!(second.bans, [long]);
    assert!(store.bans_changed(&second.next, 10).await.unwrap().bans.is_empty(), "each change once");
    assert_eq!(store.last_ban_change().await.unwrap(), second.next.seq);
    assert!(store.bans_changed(&BanCursor::after(second.next.seq), 10).await.unwrap().bans.is_empty());

    // A change by a writer whose clock is an hour behind is read anyway, and a lifting is a change.
    let late = guess(&*store, client_key(2), "bob", NOW - HOUR).await.remove(0);
    store.lift(v6, &lifting("root", NOW - HOUR)).await.unwrap();
    let third = store.bans_changed(&second.next, 10).await.unwrap().bans;
    assert_eq!((third.len(), &third[0]), (2, &late));
    assert_eq!(third[1].lifted_at, Some(NOW - HOUR));
}

pub(crate) async fn names_that_succeed_weigh_against_those_that_fail(fixture: Fixture) {
    let store = fixture.open().await;
    let user = user(&*store, "root").await;
    for n in 0..16 {
        let attempt = reserved(&*store, client_key(1), NOW).await;
        let accepted = acceptance(attempt, &format!("good{n}"), new_session(&user, NOW), NOW);
        assert!(store.accept(&accepted).await.unwrap());
    }
    let mut made = Vec::new();
    for n in 0..9 {
        made.push(guess(&*store, client_key(1), &format!("bad{n}"), NOW + i64::from(n) * 3 * SECOND).await);
    }
    let sprays = |bans: &[Ban]| bans.iter().filter(|ban| ban.trigger == Trigger::Spray).count();
    let counts: Vec<_> = made.iter().map(|bans| sprays(bans)).collect();
    assert_eq!(counts, [0, 0, 0, 0, 0, 0, 0, 0, 1], "sixteen that succeeded are four more that may fail");
}

pub(crate) async fn a_known_device_fails_for_itself(fixture: Fixture) {
    let store = fixture.open().await;
    let device = ClientKey::Device([7; 16]);
    for n in 0..3 {
        guess(&*store, device, "ada", NOW + i64::from(n) * HOUR).await;
    }
    let failures = async |client_key| {
        let asked = LoginLookup { name_key: "", account: "ada", client_key, place: "", relying_party: None };
        store.login_context(asked).await.unwrap().failures.count
    };
    assert_eq!((failures(device).await, failures(client_key(1)).await), (3, 0));
    let owner = user(&*store, "ada").await;
    let attempt = reserved(&*store, device, NOW + 9 * HOUR).await;
    let accepted = acceptance(attempt, "ada", new_session(&owner, NOW + 9 * HOUR), NOW + 9 * HOUR);
    assert!(store.accept(&accepted).await.unwrap());
    assert_eq!(failures(device).await, 0);
}

pub(crate) async fn lifting_forgets_ladders_and_strikes(fixture: Fixture) {
    let store = fixture.open().await;
    let first = guess(&*store, client_key(1), "ada", NOW).await.remove(0);
    let second = guess(&*store, client_key(1), "ada", first.until).await.remove(0);
    let other = guess(&*store, client_key(2), "ada", NOW).await.remove(0);
    let policy = BanPolicy::standard();
    let flood = store
        .record_offence(client_key(1), Trigger::Flood, "", &ban_context(&policy, second.since))
        .await
        .unwrap()
        .unwrap();

    let now = second.since + SECOND;
    let lifted = store.lift(client_key(1), &lifting("root", now)).await.unwrap();
    let mut ids: Vec<_> = lifted.iter().map(|ban| ban.id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, [second.id.as_str(), flood.id.as_str()]);
    assert!(lifted.iter().all(|ban| ban.lifted_at == Some(now) && ban.lifted_by.as_deref() == Some("root")));
    let changes = all_changes(&*store).await;
    assert_eq!(changes.iter().filter(|ban| ban.lifted_at == Some(now)).count(), 2);
    assert!(store.active_bans(now).await.unwrap().iter().all(|ban| ban.client_key != client_key(1)));
    assert!(store.active_bans(NOW).await.unwrap().contains(&other));
    assert!(store.lift(client_key(1), &lifting("root", now)).await.unwrap().is_empty());
    assert!(store.lift(client_key(3), &lifting("root", now)).await.unwrap().is_empty());

    let written = AuditSearch { limit: 10, event: Some(AuditEvent::BanLifted), ..AuditSearch::default() };
    assert_eq!(store.search_audit(&written).await.unwrap().len(), 1, "only where there was something to lift");

    let attempt = reserved(&*store, client_key(1), now).await;
    store.release(&attempt).await.unwrap();
    let now = now + GRACE_MS;
    let again = guess(&*store, client_key(1), "ada", now).await.remove(0);
    assert_eq!(again.until - again.since, 2 * SECOND, "back at the first step");
    let again = store
        .record_offence(client_key(1), Trigger::Flood, "", &ban_context(&policy, now + HOUR))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(again.until - again.since, MINUTE);
}

fn by_hand(client_key: ClientKey, now: UnixMs) -> Ban {
    Ban {
        id: fresh("ban").into(),
        incident: fresh("incident"),
        client_key,
        scope: Scope::Everything,
        trigger: Trigger::Manual,
        reason: "It scans our ports.".to_owned(),
        evidence: String::new(),
        since: now,
        until: now + HOUR,
        made_by: "root".to_owned(),
        lifted_at: None,
        lifted_by: None,
        lift_reason: None,
    }
}

pub(crate) async fn by_hand_and_found_again(fixture: Fixture) {
    let store = fixture.open().await;
    let mut made = Vec::new();
    for n in 0..5 {
        let ban = by_hand(client_key(n % 2), NOW + i64::from(n));
        store.ban(&ban, &entry(AuditEvent::BanMade, Some(&"root".into()), NOW)).await.unwrap();
        made.insert(0, ban);
    }
    let slip = guess(&*store, client_key(7), "ada", NOW).await.remove(0);
    store.lift(client_key(1), &lifting("root", NOW + MINUTE)).await.unwrap();

    let all = BanSearch { limit: 100, now: NOW + MINUTE, ..BanSearch::default() };
    let ids = async |search: BanSearch| -> Vec<BanId> {
        store.search_bans(&search).await.unwrap().into_iter().map(|ban| ban.id).collect()
    };
    let made_ids = |places: &[usize]| places.iter().map(|n| made[*n].id.clone()).collect::<Vec<_>>();
    let of = |word: &str| BanSearch { word: Some(word.to_owned()), ..all.clone() };
    assert_eq!(ids(all.clone()).await.len(), 6);
    assert_eq!(ids(BanSearch { trigger: Some(Trigger::Manual), ..all.clone() }).await.len(), 5);
    assert_eq!(ids(of(&client_key(0).to_string())).await, made_ids(&[0, 2, 4]));
    assert_eq!(ids(of(&made[1].incident)).await, made_ids(&[1]));
    assert_eq!(ids(of("' OR ''='")).await, Vec::<BanId>::new());
    assert_eq!(ids(BanSearch { in_force: Some(true), ..all.clone() }).await, made_ids(&[0, 2, 4]));
    let over = BanSearch { in_force: Some(false), ..all.clone() };
    assert_eq!(ids(over.clone()).await[1..], made_ids(&[1, 3]));
    assert_eq!(ids(over.clone()).await[0], slip.id);
    let second = BanSearch { before: Some(made[1].id.clone()), limit: 1, ..over.clone() };
    assert_eq!(ids(second).await, made_ids(&[3]));
    assert_eq!(ids(BanSearch { now: NOW + 2 * HOUR, ..over }).await.len(), 6);
    let one = store.ban_by_id(&made[1].id).await.unwrap().unwrap();
    assert_eq!((one.lifted_at, one.lift_reason.as_deref()), (Some(NOW + MINUTE), Some("A mistake.")));
    assert!(store.active_bans(NOW).await.unwrap().contains(&made[0]));
    assert_eq!(store.ban_by_id(&"none".into()).await.unwrap(), None);
}

pub(crate) async fn the_record_of_a_client_key(fixture: Fixture) {
    let store = fixture.open().await;
    assert_eq!(store.ban_record(client_key(1), NOW).await.unwrap(), store::bans::BanRecord::default());
    let first = guess(&*store, client_key(1), "ada", NOW).await.remove(0);
    let second = guess(&*store, client_key(1), "ada", first.until).await.remove(0);
    guess(&*store, client_key(2), "bob", NOW).await;
    let held = store.ban_record(client_key(1), second.since).await.unwrap();
    assert_eq!(held.bans, std::slice::from_ref(&second));
    let steps: Vec<_> = held.rungs.iter().map(|(trigger, rung)| (*trigger, rung.step, rung.until)).collect();
    assert_eq!(steps, [(Trigger::InvalidCredentials, 2, second.until)]);
    assert_eq!(held.strikes, [(Trigger::InvalidCredentials, NOW), (Trigger::InvalidCredentials, first.until)]);
    assert!(store.ban_record(client_key(1), second.until).await.unwrap().bans.is_empty());
}

pub(crate) async fn after_lifting_a_slip_counts_and_does_not_ban(fixture: Fixture) {
    let store = fixture.open().await;
    guess(&*store, client_key(1), "ada", NOW).await;
    store.lift(client_key(1), &lifting("root", NOW)).await.unwrap();
    assert!(guess(&*store, client_key(1), "ada", NOW + GRACE_MS - 1).await.is_empty());
    assert_eq!(store.ban_record(client_key(1), NOW).await.unwrap().strikes.len(), 1);
    let spray: Vec<_> = {
        let mut bans = Vec::new();
        for name in ["ann", "bob", "cid", "dan"] {
            bans.extend(guess(&*store, client_key(1), name, NOW + 1).await);
        }
        bans
    };
    assert_eq!(spray.len(), 1, "five names are an attack all the same");
    assert_eq!(spray[0].trigger, Trigger::Spray);
    let flood = ban_context(&BanPolicy::standard(), NOW + 1);
    assert!(store.record_offence(client_key(1), Trigger::Flood, "", &flood).await.unwrap().is_some());
}

pub(crate) async fn nothing_is_held_against_the_exempt(fixture: Fixture) {
    let store = fixture.open().await;
    let ban = by_hand(client_key(1), NOW);
    store.ban(&ban, &entry(AuditEvent::BanMade, None, NOW)).await.unwrap();
    let closed = begin(client_key(1), NOW);
    assert_eq!(store.begin(&closed).await.unwrap(), BeginOutcome::Banned(Box::new(ban)));
    let exempt = BeginAttempt { exempt: true, ..closed };
    assert_eq!(store.begin(&exempt).await.unwrap(), BeginOutcome::Reserved);
    let mut refused = refusal(exempt.attempt, Trigger::InvalidCredentials, Some("ada"), NOW);
    refused.ban_context.exempt = true;
    assert!(store.refuse(&refused).await.unwrap().is_empty());
    let mut ban_context = ban_context(&BanPolicy::standard(), NOW);
    ban_context.exempt = true;
    assert_eq!(store.record_offence(client_key(1), Trigger::ForgedShortKey, "", &ban_context).await.unwrap(), None);
    let held = store.ban_record(client_key(1), NOW).await.unwrap();
    assert_eq!((held.rungs.len(), held.strikes.len()), (0, 0));
}
