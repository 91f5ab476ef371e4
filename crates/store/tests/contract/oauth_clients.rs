use crate::fixture::Fixture;
use crate::make::{NOW, SECOND, fresh, session, user};
use crate::oauth::{DAY, audit, grant};
use futures::future::join_all;
use store::audit::AuditEvent;
use store::oauth::StoredClient;
use store::oauth_registrations::{InitialToken, RegisterClient};

pub(crate) async fn clients_are_added_changed_and_removed_with_what_they_got(fixture: Fixture) {
    let store = fixture.open().await;
    let client = StoredClient {
        id: "app".to_owned(),
        registration: "{}".to_owned(),
        secrets: vec!["one".to_owned()],
        source: "administrator".to_owned(),
        management_hash: None,
        expires_at: None,
        created_at: NOW,
        changed_at: NOW,
    };
    let added = audit(AuditEvent::ClientAdded);
    assert!(store.add_client(&client, &added).await.unwrap());
    assert!(!store.add_client(&client, &added).await.unwrap(), "the id is taken");
    let both = vec!["one".to_owned(), "two".to_owned()];
    let changed = StoredClient { secrets: both, changed_at: NOW + 1, ..client.clone() };
    let audit_change = audit(AuditEvent::ClientChanged);
    assert!(store.change_client(&client, &changed, false, &audit_change).await.unwrap());
    assert!(!store.change_client(&client, &changed, false, &audit_change).await.unwrap(), "somebody was faster");
    assert_eq!(store.clients().await.unwrap(), std::slice::from_ref(&changed));
    let ada = user(&*store, "ada").await;
    let id = grant(&*store, &session(&*store, &ada, NOW).await).await;
    assert!(store.remove_client("app", &audit(AuditEvent::ClientRemoved), NOW).await.unwrap());
    assert!(!store.remove_client("app", &audit(AuditEvent::ClientRemoved), NOW).await.unwrap());
    assert!(!store.grant(&id).await.unwrap().unwrap().is_live(NOW));
    assert!(store.clients().await.unwrap().is_empty());
}

fn registration(token: &str, most: u32) -> RegisterClient {
    let client = StoredClient {
        id: fresh("client"),
        registration: "{}".to_owned(),
        secrets: Vec::new(),
        source: "registered".to_owned(),
        management_hash: Some("manage".to_owned()),
        expires_at: Some(NOW + DAY),
        created_at: NOW,
        changed_at: NOW,
    };
    RegisterClient { client, token_hash: token.to_owned(), most, audit: audit(AuditEvent::ClientAdded), now: NOW }
}

pub(crate) async fn fifty_tasks_register_as_many_clients_as_a_token_allows(fixture: Fixture) {
    let (one, two) = (fixture.open().await, fixture.open().await);
    let token = InitialToken {
        token_hash: "token".to_owned(),
        note: "for the lab".to_owned(),
        uses_left: 3,
        created_at: NOW,
        expires_at: NOW + SECOND,
    };
    one.add_initial_token(&token, &audit(AuditEvent::ClientAdded)).await.unwrap();
    assert_eq!(two.initial_tokens(NOW).await.unwrap(), std::slice::from_ref(&token));
    assert!(!one.register_client(&registration("other", 100)).await.unwrap(), "an unknown token");
    let late = RegisterClient { now: NOW + SECOND, ..registration("token", 100) };
    assert!(!one.register_client(&late).await.unwrap(), "an expired token");
    let tries = (0..50).map(|n| {
        let store = if n % 2 == 0 { one.clone() } else { two.clone() };
        tokio::spawn(async move { store.register_client(&registration("token", 100)).await.unwrap() })
    });
    let added = join_all(tries).await.into_iter().filter(|added| *added.as_ref().unwrap()).count();
    assert_eq!(added, 3);
    let clients = two.clients().await.unwrap();
    assert_eq!(clients.len(), 3);
    assert_eq!((clients[0].source.as_str(), clients[0].expires_at), ("registered", Some(NOW + DAY)));
    assert!(one.initial_tokens(NOW).await.unwrap().is_empty(), "used up");
    let more = InitialToken { token_hash: "more".to_owned(), ..token };
    one.add_initial_token(&more, &audit(AuditEvent::ClientAdded)).await.unwrap();
    assert!(!one.register_client(&registration("more", 3)).await.unwrap(), "the list is full");
    assert_eq!(one.initial_tokens(NOW).await.unwrap()[0].uses_left, 3, "which costs no use");
    assert!(one.register_client(&registration("more", 4)).await.unwrap());
}

pub(crate) async fn initial_tokens_are_removed(fixture: Fixture) {
    let store = fixture.open().await;
    let token = InitialToken {
        token_hash: "token".to_owned(),
        note: String::new(),
        uses_left: 3,
        created_at: NOW,
        expires_at: NOW + SECOND,
    };
    store.add_initial_token(&token, &audit(AuditEvent::ClientAdded)).await.unwrap();
    let entry = audit(AuditEvent::ClientRemoved);
    assert!(store.remove_initial_token("token", &entry).await.unwrap());
    assert!(!store.remove_initial_token("token", &entry).await.unwrap());
    assert!(store.initial_tokens(NOW).await.unwrap().is_empty());
}

pub(crate) async fn a_person_has_one_subject_in_each_sector(fixture: Fixture) {
    let (one, two) = (fixture.open().await, fixture.open().await);
    let ada = user(&*one, "ada").await;
    let tries = (0..50).map(|n| {
        let (store, ada) = (if n % 2 == 0 { one.clone() } else { two.clone() }, ada.clone());
        tokio::spawn(async move { store.pairwise_subject("a.example", &ada, &fresh("subject")).await.unwrap() })
    });
    let subjects: std::collections::BTreeSet<_> = join_all(tries).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(subjects.len(), 1, "the same for every request: {subjects:?}");
    assert_eq!(one.known_subject("b.example", &ada).await.unwrap(), None, "looking writes nothing");
    assert_eq!(one.known_subject("a.example", &ada).await.unwrap().as_ref(), subjects.first());
    let other = one.pairwise_subject("b.example", &ada, &fresh("subject")).await.unwrap();
    assert!(!subjects.contains(&other), "another one in another sector");
}
