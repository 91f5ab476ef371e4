//! Display names, e-mail addresses with their state, and groups.

use crate::fixture::Fixture;
use crate::make::{DAY, NOW, SECOND, entry, fresh, session, user};
use domain::account::name_key;
use domain::ids::UserId;
use domain::profile::{DisplayName, Email, EmailAddress, EmailState, GroupName};
use futures::future::join_all;
use store::Store;
use store::audit::AuditEvent;
use store::profiles::{Change, GroupOutcome, Profile, SetProfile, SetProfileOutcome};
use store::users::DeleteUser;

fn name(text: &str) -> GroupName {
    GroupName::parse(text).unwrap()
}

fn email(text: &str, state: EmailState) -> Change<Email> {
    Change::Set(Email { address: EmailAddress::parse(text).unwrap(), state })
}

fn change(user: &UserId) -> SetProfile {
    SetProfile {
        user: user.to_owned(),
        display_name: Change::Keep,
        email: Change::Keep,
        groups: None,
        audit: vec![entry(AuditEvent::ProfileChanged, Some(user), NOW)],
        now: NOW,
    }
}

async fn group(store: &dyn Store, text: &str) -> String {
    let id = fresh("group");
    let audit = entry(AuditEvent::GroupAdded, None, NOW);
    assert_eq!(store.add_group(&id, &name(text), &audit, NOW).await.unwrap(), GroupOutcome::Done);
    id
}

async fn profile(store: &dyn Store, user: &UserId) -> Profile {
    store.profile(user).await.unwrap().unwrap()
}

pub(crate) async fn keep_what_was_set_and_change_one_field_at_a_time(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    assert_eq!(profile(&*store, &ada).await, Profile::default());
    group(&*store, "Family").await;
    let all = SetProfile {
        display_name: Change::Set(DisplayName::parse("Ada Łovelace 🦊").unwrap()),
        email: email("Ada@example.org", EmailState::VouchedFor),
        groups: Some(vec![name("family")]),
        ..change(&ada)
    };
    assert_eq!(store.set_profile(&all).await.unwrap(), SetProfileOutcome::Done);
    let set = profile(&*store, &ada).await;
    assert_eq!(set.display_name, Some(DisplayName::parse("Ada Łovelace 🦊").unwrap()));
    let address = EmailAddress::parse("Ada@example.org").unwrap();
    assert_eq!(set.email, Some(Email { address, state: EmailState::VouchedFor }));
    assert_eq!(set.groups, [name("Family")], "the group's own spelling");

    assert_eq!(store.set_profile(&all).await.unwrap(), SetProfileOutcome::Done);
    assert_eq!(profile(&*store, &ada).await, set, "nothing was new");
    let again = SetProfile { email: email("ADA@example.org", EmailState::Unproved), audit: Vec::new(), ..change(&ada) };
    assert_eq!(store.set_profile(&again).await.unwrap(), SetProfileOutcome::Done);
    let set = profile(&*store, &ada).await;
    assert_eq!(set.email.as_ref().unwrap().state, EmailState::VouchedFor, "the address is still the same");
    let cleared = SetProfile { display_name: Change::Clear, audit: Vec::new(), ..change(&ada) };
    assert_eq!(store.set_profile(&cleared).await.unwrap(), SetProfileOutcome::Done);
    let left = profile(&*store, &ada).await;
    assert_eq!(left, Profile { display_name: None, version: set.version + 1, ..set.clone() });
    let unknown = SetProfile { groups: Some(vec![name("family"), name("nobody")]), ..change(&ada) };
    assert_eq!(store.set_profile(&unknown).await.unwrap(), SetProfileOutcome::NoGroup(name("nobody")));
    assert_eq!(profile(&*store, &ada).await, left, "nothing was changed");
    assert_eq!(store.set_profile(&change(&"nobody".into())).await.unwrap(), SetProfileOutcome::NoUser);
    assert_eq!(store.profile(&"nobody".into()).await.unwrap(), None);
    let events = store.audit_of(&ada, 10).await.unwrap();
    assert_eq!(events.iter().filter(|entry| entry.event == AuditEvent::ProfileChanged).count(), 1);
}

pub(crate) async fn have_a_reliable_address_of_their_own(fixture: Fixture) {
    let store = fixture.open().await;
    let (ada, bob) = (user(&*store, "ada").await, user(&*store, "bob").await);
    let set = async |user: &UserId, text: &str, state| {
        store.set_profile(&SetProfile { email: email(text, state), ..change(user) }).await.unwrap()
    };
    assert_eq!(set(&ada, "a@example.org", EmailState::Unproved).await, SetProfileOutcome::Done);
    assert_eq!(set(&bob, "A@example.org", EmailState::Unproved).await, SetProfileOutcome::Done, "a claim is no proof");
    assert_eq!(set(&bob, "A@example.org", EmailState::Proved).await, SetProfileOutcome::Done);
    assert_eq!(set(&ada, "a@EXAMPLE.org", EmailState::VouchedFor).await, SetProfileOutcome::EmailTaken);
    assert_eq!(profile(&*store, &ada).await.email.unwrap().state, EmailState::Unproved);
    assert_eq!(set(&bob, "b@example.org", EmailState::VouchedFor).await, SetProfileOutcome::Done);
    assert_eq!(set(&ada, "a@example.org", EmailState::VouchedFor).await, SetProfileOutcome::Done, "it is free again");
}

pub(crate) async fn fifty_tasks_on_two_nodes_give_one_account_an_address(fixture: Fixture) {
    let (store, second) = (fixture.open().await, fixture.open().await);
    let mut users = Vec::new();
    for n in 0..50 {
        users.push(user(&*store, &format!("user{n}")).await);
    }
    let tasks = users.iter().cloned().enumerate().map(|(n, id)| {
        let store = if n % 2 == 0 { store.clone() } else { second.clone() };
        tokio::spawn(async move {
            let request = SetProfile { email: email("one@example.org", EmailState::Proved), ..change(&id) };
            store.set_profile(&request).await.unwrap()
        })
    });
    let outcomes: Vec<_> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == SetProfileOutcome::Done).count(), 1, "{outcomes:?}");
}

pub(crate) async fn groups_have_one_spelling_and_are_listed_with_their_members(fixture: Fixture) {
    let store = fixture.open().await;
    let (ada, bob) = (user(&*store, "ada").await, user(&*store, "bob").await);
    let (zebra, family) = (group(&*store, "zebra").await, group(&*store, "Family").await);
    let audit = || entry(AuditEvent::GroupAdded, None, NOW);
    let add = async |text: &str| store.add_group(&fresh("group"), &name(text), &audit(), NOW).await.unwrap();
    assert_eq!(add("FAMILY").await, GroupOutcome::NameTaken);
    for id in [&bob, &ada] {
        let request = SetProfile { groups: Some(vec![name("family"), name("zebra"), name("Family")]), ..change(id) };
        assert_eq!(store.set_profile(&request).await.unwrap(), SetProfileOutcome::Done);
    }
    let listed: Vec<_> = store.groups().await.unwrap().into_iter().map(|g| (g.name.to_string(), g.members)).collect();
    assert_eq!(listed, [("Family".to_owned(), 2), ("zebra".to_owned(), 2)]);
    let members = store.group_members(&family).await.unwrap();
    assert_eq!(members.iter().map(|member| member.username.as_str()).collect::<Vec<_>>(), ["ada", "bob"]);

    let rename = async |id: &str, text: &str| store.rename_group(id, &name(text), &audit(), NOW).await.unwrap();
    assert_eq!(rename(&family, "Zebra").await, GroupOutcome::NameTaken);
    assert_eq!(rename(&family, "FAMILY").await, GroupOutcome::Done, "its own name in another case");
    assert_eq!(rename("nobody", "other").await, GroupOutcome::NoGroup);
    assert_eq!(store.remove_group(&zebra, &audit(), NOW).await.unwrap(), GroupOutcome::Done);
    assert_eq!(store.remove_group(&zebra, &audit(), NOW).await.unwrap(), GroupOutcome::NoGroup);
    assert_eq!(profile(&*store, &ada).await.groups, [name("FAMILY")]);
}

pub(crate) async fn changes_of_profiles_and_groups_reach_other_nodes(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let row = session(&*store, &ada, NOW).await;
    let family = group(&*store, "family").await;
    let audit = || entry(AuditEvent::GroupRenamed, None, NOW);
    let mut versions = Vec::new();
    for step in 1..=4 {
        let now = NOW + step * SECOND;
        match step {
            1 => {
                let request = SetProfile { groups: Some(vec![name("family")]), now, ..change(&ada) };
                store.set_profile(&request).await.map(drop).unwrap();
            }
            2 => store.rename_group(&family, &name("kin"), &audit(), now).await.map(drop).unwrap(),
            3 => store.remove_group(&family, &audit(), now).await.map(drop).unwrap(),
            _ => {
                let request = SetProfile { email: email("a@example.org", EmailState::Unproved), now, ..change(&ada) };
                store.set_profile(&request).await.map(drop).unwrap();
            }
        }
        let changes = store.sessions_changed(now).await.unwrap();
        assert_eq!(changes.len(), 1, "step {step}");
        assert_eq!((changes[0].id.as_str(), changes[0].profile_version), (row.as_str(), step));
        versions.push(profile(&*store, &ada).await.version);
    }
    assert_eq!(versions, [1, 2, 3, 4]);
}

pub(crate) async fn go_with_the_account(fixture: Fixture) {
    let store = fixture.open().await;
    let (ada, bob) = (user(&*store, "ada").await, user(&*store, "bob").await);
    let family = group(&*store, "family").await;
    let request = SetProfile {
        display_name: Change::Set(DisplayName::parse("Ada").unwrap()),
        email: email("a@example.org", EmailState::Proved),
        groups: Some(vec![name("family")]),
        ..change(&ada)
    };
    assert_eq!(store.set_profile(&request).await.unwrap(), SetProfileOutcome::Done);
    let deletion = DeleteUser {
        attempt: None,
        user: ada.clone(),
        account: "ada".to_owned(),
        audit: entry(AuditEvent::UserDeleted, Some(&ada), NOW),
        now: NOW,
    };
    assert!(store.delete_user(&deletion).await.unwrap().is_done());
    assert_eq!(store.profile(&ada).await.unwrap(), None);
    assert_eq!(store.group_members(&family).await.unwrap(), []);
    let taken = SetProfile { email: email("a@example.org", EmailState::Proved), ..change(&bob) };
    assert_eq!(store.set_profile(&taken).await.unwrap(), SetProfileOutcome::Done, "the address is free");
    assert_eq!(store.set_profile(&request).await.unwrap(), SetProfileOutcome::NoUser);
    assert_eq!(store.sweep_users(NOW + DAY).await.unwrap(), 1);
}

async fn found(store: &dyn Store, word: &str) -> Vec<String> {
    let users = store.search_users(&name_key(word), "", 50).await.unwrap();
    users.into_iter().map(|user| user.name).collect()
}

pub(crate) async fn are_found_by_a_part_of_any_field(fixture: Fixture) {
    let store = fixture.open().await;
    let (ada, bob) = (user(&*store, "ada_b").await, user(&*store, "Ada-C").await);
    let zoe = user(&*store, "zoë").await;
    for text in ["Family/Kin", "media"] {
        group(&*store, text).await;
    }
    let ask = SetProfile {
        display_name: Change::Set(DisplayName::parse("Łovelace 100% \\o/").unwrap()),
        email: email("First.Last@Example.org", EmailState::Unproved),
        groups: Some(vec![name("family/kin")]),
        ..change(&ada)
    };
    assert_eq!(store.set_profile(&ask).await.unwrap(), SetProfileOutcome::Done);
    let both = SetProfile { groups: Some(vec![name("family/kin"), name("media")]), ..change(&bob) };
    assert_eq!(store.set_profile(&both).await.unwrap(), SetProfileOutcome::Done);

    for word in ["ADA", "a"] {
        assert_eq!(found(&*store, word).await[..2], ["Ada-C", "ada_b"], "{word}");
    }
    for word in ["ŁOVE", "łovelace", "100%", "0% \\o/", "\\", "%", "LAST@example", "a_b", "_"] {
        assert_eq!(found(&*store, word).await, ["ada_b"], "{word}");
    }
    assert_eq!(found(&*store, "ZOË").await, ["zoë"]);
    assert_eq!(found(&*store, "zoe\u{308}").await, ["zoë"], "decomposed");
    assert_eq!(found(&*store, "fAmIly").await, ["Ada-C", "ada_b"], "each once");
    assert_eq!(found(&*store, "dia").await, ["Ada-C"]);
    for word in ["zoe", "love", "100_", "a%b", "\\%", "nobody", "' OR ''='", &"a".repeat(100_000)] {
        assert_eq!(found(&*store, word).await, [""; 0], "{word:.20}");
    }

    let cleared = SetProfile { display_name: Change::Clear, email: Change::Clear, ..change(&ada) };
    assert_eq!(store.set_profile(&cleared).await.unwrap(), SetProfileOutcome::Done);
    assert_eq!(found(&*store, "100%").await, [""; 0], "cleared");
    let deletion = DeleteUser {
        attempt: None,
        user: zoe.clone(),
        account: "zoe".to_owned(),
        audit: entry(AuditEvent::UserDeleted, Some(&zoe), NOW),
        now: NOW,
    };
    assert!(store.delete_user(&deletion).await.unwrap().is_done());
    for word in ["zoë", "deleted"] {
        assert_eq!(found(&*store, word).await, [""; 0], "{word}");
    }
}

pub(crate) async fn are_found_in_parts_by_name(fixture: Fixture) {
    let store = fixture.open().await;
    let mut names = Vec::new();
    for number in 0..7 {
        user(&*store, &format!("other{number}")).await;
        names.push(format!("guest{number}"));
        user(&*store, &names[number]).await;
    }
    let (mut seen, mut after) = (Vec::new(), "nobody".to_owned());
    loop {
        let part = store.search_users("guest", &after, 3).await.unwrap();
        assert!(part.len() <= 3);
        let Some(last) = part.last() else { break };
        after = last.id.to_string();
        seen.extend(part.into_iter().map(|user| user.name));
    }
    assert_eq!(seen, names, "each once");
}
