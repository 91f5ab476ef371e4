use crate::fixture::Fixture;
use crate::make::{NOW, entry, fresh, user};
use domain::account::Role;
use domain::ids::{SessionId, UserId};
use store::audit::{AuditEntry, AuditEvent, AuditSearch, MOST_REPEATED};
use store::refusals::HOUR_MS;

pub(crate) async fn newest_first_and_no_more_than_asked_for(fixture: Fixture) {
    let store = fixture.open().await;
    let mut written = Vec::new();
    for (n, event) in AuditEvent::ALL.iter().enumerate() {
        // Two in each millisecond: their ids order them.
        let at = NOW + i64::try_from(n / 2).unwrap();
        let entry = AuditEntry {
            session: (n % 2 == 0).then(|| format!("s{n}")).map(Into::into),
            ..entry(*event, Some(&"ada".into()), at)
        };
        store.append(&entry).await.unwrap();
        written.insert(0, entry);
    }
    store.append(&entry(AuditEvent::Login, Some(&"bob".into()), NOW)).await.unwrap();
    store.append(&entry(AuditEvent::Login, None, NOW)).await.unwrap();
    assert_eq!(store.audit_of(&"ada".into(), 100).await.unwrap(), written);
    assert_eq!(store.audit_of(&"ada".into(), 3).await.unwrap(), written[..3]);
    assert!(store.audit_of(&"ada".into(), 0).await.unwrap().is_empty());
    assert!(store.audit_of(&"nobody".into(), 10).await.unwrap().is_empty());
}

pub(crate) async fn odd_entries_are_refusals_and_reuse(fixture: Fixture) {
    let store = fixture.open().await;
    let refused = |at| AuditEntry {
        outcome: "invalid_credentials".to_owned(),
        ..entry(AuditEvent::Login, Some(&"ada".into()), at)
    };
    for entry in [
        refused(NOW),
        refused(NOW - 1),
        entry(AuditEvent::Login, Some(&"ada".into()), NOW),
        entry(AuditEvent::TokenReused, Some(&"ada".into()), NOW + 1),
        entry(AuditEvent::TokenReused, Some(&"bob".into()), NOW + 1),
    ] {
        store.append(&entry).await.unwrap();
    }
    assert_eq!(store.odd_entries(&"ada".into(), NOW).await.unwrap(), 2);
    assert_eq!(store.odd_entries(&"ada".into(), NOW + 1).await.unwrap(), 1);
    assert_eq!(store.odd_entries(&"ada".into(), NOW + 2).await.unwrap(), 0);
}

pub(crate) async fn sign_ins_are_counted_by_the_hour(fixture: Fixture) {
    let store = fixture.open().await;
    let hour = NOW - NOW.as_millis().rem_euclid(HOUR_MS);
    let login = |at, outcome: &str| AuditEntry {
        outcome: outcome.to_owned(),
        ..entry(AuditEvent::Login, Some(&"ada".into()), at)
    };
    for entry in [
        login(hour - 1, "ok"),
        login(hour, "ok"),
        login(hour + HOUR_MS - 1, "new_device"),
        login(hour + HOUR_MS, "new_place"),
        login(hour + HOUR_MS, "invalid_credentials"),
        entry(AuditEvent::Logout, Some(&"ada".into()), hour),
        // A sign-up begins a session, and an account that an operator adds does not.
        entry(AuditEvent::UserAdded, Some(&"bob".into()), hour),
        AuditEntry { session: Some("s".into()), ..entry(AuditEvent::UserAdded, Some(&"cy".into()), hour) },
    ] {
        store.append(&entry).await.unwrap();
    }
    assert_eq!(store.sign_ins(hour).await.unwrap(), [(hour, 3), (hour + HOUR_MS, 1)]);
    assert_eq!(store.sign_ins(hour + 2 * HOUR_MS).await.unwrap(), []);
}

pub(crate) async fn a_repeated_entry_is_written_once(fixture: Fixture) {
    let store = fixture.open().await;
    let attempt = |at, session: &SessionId, address: &str| AuditEntry {
        session: Some(session.to_owned()),
        address: address.to_owned(),
        ..entry(AuditEvent::WrongKey, Some(&"ada".into()), at)
    };
    let other = AuditEntry { event: AuditEvent::Logout, ..attempt(NOW, &"s1".into(), "203.0.113.7") };
    store.append(&other).await.unwrap();
    for (at, session, address) in [
        (NOW, "s1", "203.0.113.7"),
        (NOW + 1, "s1", "203.0.113.7"),
        (NOW + 2, "s2", "203.0.113.7"),
        (NOW + 3, "s1", "203.0.113.8"),
        (NOW + 10, "s1", "203.0.113.7"),
        (NOW + 11, "s1", "203.0.113.7"),
    ] {
        store.append_once(&attempt(at, &session.into(), address), at - 9).await.unwrap();
    }
    let entries = store.audit_of(&"ada".into(), 100).await.unwrap();
    let written: Vec<_> =
        entries.iter().filter(|entry| entry.event == AuditEvent::WrongKey).map(|entry| entry.at - NOW).collect();
    assert_eq!(written, [10, 3, 2, 0]);

    let count = async || i64::try_from(store.audit_of(&"bob".into(), 1_000).await.unwrap().len()).unwrap();
    let of_bob =
        |n: i64| AuditEntry { user: Some("bob".into()), ..attempt(NOW + n, &"s1".into(), &format!("2001:db8::{n:x}")) };
    for n in 0..MOST_REPEATED + 5 {
        store.append_once(&of_bob(n), NOW).await.unwrap();
    }
    assert_eq!(count().await, MOST_REPEATED, "a network of addresses fills no log");
    let later = of_bob(1_000);
    store.append_once(&later, NOW + 1_000).await.unwrap();
    let app = AuditEntry { about: "wiki".to_owned(), id: fresh("id"), ..later };
    store.append_once(&app, NOW + 1_000).await.unwrap();
    assert_eq!(count().await, MOST_REPEATED + 2, "and in the next hour it is said again");
}

pub(crate) async fn everybodys_entries_by_filter_and_page(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let mut written = Vec::new();
    for n in 0..6 {
        let outcome = if n % 2 == 0 { "ok" } else { "invalid_credentials" };
        let whose = if n < 3 { Some(&ada) } else { None };
        // Two in each millisecond.
        let entry = AuditEntry {
            outcome: outcome.to_owned(),
            about: format!("thing {n}"),
            ..entry(AuditEvent::Login, whose, NOW + 1 + i64::from(n / 2))
        };
        store.append(&entry).await.unwrap();
        written.insert(0, entry);
    }
    let all = AuditSearch { limit: 100, event: Some(AuditEvent::Login), ..AuditSearch::default() };
    let found = async |search: AuditSearch| store.search_audit(&search).await.unwrap();
    let entries = async |search: AuditSearch| -> Vec<AuditEntry> {
        found(search).await.into_iter().map(|line| line.entry).collect()
    };
    assert_eq!(entries(all.clone()).await, written);
    assert_eq!(entries(AuditSearch { event: None, ..all.clone() }).await.len(), 7, "with the account itself");
    let names: Vec<_> = found(all.clone()).await.into_iter().map(|line| line.username).collect();
    assert_eq!(names[2..4], [None, Some("ada".to_owned())]);
    assert_eq!(entries(AuditSearch { user: Some(ada.clone()), ..all.clone() }).await, written[3..]);
    let promotion = entry(AuditEvent::MadeAdministrator, None, NOW - 1);
    assert!(store.set_role(&ada, Role::Administrator, &promotion, NOW).await.unwrap().is_done());
    let by_ada = AuditEntry { actor: Some(ada.clone()), ..entry(AuditEvent::BanMade, None, NOW) };
    store.append(&by_ada).await.unwrap();
    let done = found(AuditSearch { user: Some(ada), event: Some(AuditEvent::BanMade), ..all.clone() }).await;
    assert_eq!((&done[0].entry, done[0].actor_name.as_deref()), (&by_ada, Some("ada")), "what they did as well");
    assert_eq!(entries(AuditSearch { outcome: Some("ok".to_owned()), ..all.clone() }).await.len(), 3);
    assert_eq!(entries(AuditSearch { since: Some(NOW + 2), until: Some(NOW + 3), ..all.clone() }).await, written[2..4]);
    let mut pages = Vec::new();
    let mut before = None;
    loop {
        let page = entries(AuditSearch { before, limit: 1, ..all.clone() }).await;
        let Some(last) = page.last() else { break };
        before = Some((last.at, last.id.clone()));
        pages.extend(page);
    }
    assert_eq!(pages, written);
}

pub(crate) async fn notices_are_unread_on_each_device_until_they_are_dismissed_there(fixture: Fixture) {
    let (store, second) = (fixture.open().await, fixture.open().await);
    let (ada, bob) = (user(&*store, "ada").await, user(&*store, "bob").await);
    let mut ids = Vec::new();
    for (who, at) in [(&ada, NOW + 1), (&ada, NOW + 2), (&bob, NOW + 2), (&ada, NOW + 3)] {
        let row = entry(AuditEvent::PasswordSet, Some(who), at);
        store.append(&row).await.unwrap();
        ids.push(row.id);
    }
    let unread_on = async |device: &str, user: &UserId, since| {
        let rows = second.unread_notices(user, device, since, 10).await.unwrap();
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    let unread = async |user: &UserId, since| unread_on("phone", user, since).await;
    assert_eq!(unread(&ada, NOW).await, [&ids[3], &ids[1], &ids[0]].map(String::clone));
    assert_eq!(unread(&ada, NOW + 2).await, [ids[3].clone()]);
    // Events that are no notices push none out of the limit.
    let refused = AuditEntry { outcome: "wrong".to_owned(), ..entry(AuditEvent::Login, Some(&ada), NOW + 9) };
    store.append(&refused).await.unwrap();
    assert_eq!(store.unread_notices(&ada, "phone", NOW, 1).await.unwrap()[0].id, ids[3]);
    store.dismiss_notices(&ada, "phone", NOW + 2).await.unwrap();
    store.dismiss_notices(&ada, "phone", NOW).await.unwrap();
    assert_eq!(unread(&ada, NOW).await, [ids[3].clone()]);
    assert_eq!(unread(&bob, NOW).await, [ids[2].clone()], "of one account alone");
    assert_eq!(unread_on("laptop", &ada, NOW).await.len(), 3, "and of one device alone");
    for (outcome, event) in [
        ("wrong_second_factor", AuditEvent::Login),
        ("new_device", AuditEvent::Login),
        ("too_many_wrong_proofs", AuditEvent::SessionEnded),
    ] {
        let row = AuditEntry { outcome: outcome.to_owned(), ..entry(event, Some(&ada), NOW + 4) };
        store.append(&row).await.unwrap();
        assert!(row.is_notice() && unread(&ada, NOW).await.contains(&row.id), "{outcome}");
    }
    assert_eq!(store.sweep_notices(NOW + 1).await.unwrap(), 0);
    assert_eq!(store.sweep_notices(NOW + 2).await.unwrap(), 1);
}
