//! The order in which nodes read each other's changes.

use crate::fixture::Fixture;
use crate::keys::{key, revocation};
use crate::make::{NOW, entry, fresh};
use store::allowlist::AllowedNetwork;
use store::audit::AuditEvent;
use store::changes::LastChanges;
use store::keys::KeyKind;
use store::oauth::StoredClient;

pub(crate) async fn of_each_kind_have_numbers_of_their_own(fixture: Fixture) {
    let store = fixture.open().await;
    let audit = |event| entry(event, None, NOW);
    let last = async || {
        let LastChanges { bans, sessions, keys, sealers, allowlist, clients, .. } = store.last_changes().await.unwrap();
        [bans, sessions, keys, sealers, allowlist, clients]
    };
    assert_eq!(last().await, [0; 6]);

    let first = key(KeyKind::Signing, NOW);
    assert!(store.add_key(&first, None, None).await.unwrap());
    assert!(!store.add_key(&key(KeyKind::Signing, NOW), None, None).await.unwrap());
    assert_eq!(last().await, [0, 0, 1, 0, 0, 0], "what changed nothing has no number");
    store.revoke_key(&revocation(&first, NOW)).await.unwrap();
    store.revoke_key(&revocation(&first, NOW)).await.unwrap();
    assert_eq!(last().await, [0, 0, 2, 0, 0, 0]);

    for _ in 0..2 {
        let kids = ["sealer09".to_owned()];
        store.retire_sealers(&kids, &audit(AuditEvent::KeysRewrapped), NOW).await.unwrap();
    }
    assert_eq!(last().await, [0, 0, 2, 1, 0, 0]);

    let allowed = AllowedNetwork {
        id: fresh("allowed"),
        network: "192.0.2.0/24".parse().unwrap(),
        comment: String::new(),
        expires_at: None,
        made_by: "root".to_owned(),
        created_at: NOW,
    };
    store.allow(&allowed, &audit(AuditEvent::AllowAdded)).await.unwrap();
    assert_eq!(last().await, [0, 0, 2, 1, 1, 0]);
    for _ in 0..2 {
        store.disallow(&allowed.id, &audit(AuditEvent::AllowRemoved)).await.unwrap();
    }
    assert_eq!(last().await, [0, 0, 2, 1, 2, 0]);

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
    let changed = StoredClient { secrets: vec!["two".to_owned()], ..client.clone() };
    store.add_client(&client, &audit(AuditEvent::ClientAdded)).await.unwrap();
    store.change_client(&client, &changed, false, &audit(AuditEvent::ClientChanged)).await.unwrap();
    assert_eq!(last().await, [0, 0, 2, 1, 2, 2]);
    for _ in 0..2 {
        store.remove_client("app", &audit(AuditEvent::ClientRemoved), NOW).await.unwrap();
    }
    assert_eq!(last().await, [0, 0, 2, 1, 2, 3]);
}
