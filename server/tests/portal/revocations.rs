//! `/.well-known/revocations`: the list of what verifiers must no longer accept.

use crate::support::{PASSWORD, Portal, Visitor};
use domain::encoding::from_base64url;
use domain::revocation::{REVOCATION_RETENTION_MS, mark};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use wire::envelope::EnvelopeKind;
use wire::paths;
use wire::revocations::RevocationClaims;

/// Reads a list as a stranger does: by the key that its header names, from the key set.
async fn list(portal: &Portal) -> RevocationClaims {
    let stranger = portal.program("192.0.2.77");
    let answer = stranger.get(paths::REVOCATIONS).await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/revocations+jwt"));
    let parts: Vec<_> = answer.text.split('.').collect();
    let header: Value = serde_json::from_slice(&from_base64url(parts[0]).unwrap()).unwrap();
    assert_eq!(header["typ"], "revocations+jwt");
    let keys = verify::Keys::parse(stranger.get(paths::JWKS).await.text.as_bytes()).unwrap();
    let key = keys.get(header["kid"].as_str().unwrap()).unwrap();
    key.verify(&answer.text).unwrap()
}

async fn ended(portal: &Portal) -> BTreeSet<String> {
    list(portal).await.sessions.into_iter().collect()
}

async fn id(visitor: &Visitor) -> String {
    mark(visitor.get(paths::SESSION).await.json()["id"].as_str().unwrap())
}

#[tokio::test]
async fn each_end_of_a_session_lists_it() {
    let portal = Portal::start().await;
    let root = portal.add_administrator("root").await;
    let bob = portal.add_user("bob").await;
    portal.add_user("alice").await;
    let admin = portal.browser("198.51.100.1").signed_in("root").await;
    let mut expected = BTreeSet::new();
    assert_eq!(ended(&portal).await, expected);

    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    assert_eq!(alice.refresh().await.status, StatusCode::OK);
    assert_eq!(ended(&portal).await, expected, "a rotation ends nothing");
    expected.insert(id(&alice).await);
    alice.post(paths::LOGOUT, &json!({})).await;
    assert_eq!(ended(&portal).await, expected, "a logout");

    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let phone = portal.browser("203.0.113.8").signed_in("alice").await;
    let phone_id = phone.get(paths::SESSION).await.json()["id"].as_str().unwrap().to_owned();
    expected.insert(mark(&phone_id));
    alice.send(Method::DELETE, &format!("{}/{phone_id}", paths::SESSIONS), None, &[]).await;
    assert_eq!(ended(&portal).await, expected, "one device ended from another");

    let others = [portal.browser("203.0.113.9"), portal.browser("203.0.113.10")];
    for other in others {
        expected.insert(id(&other.signed_in("alice").await).await);
    }
    alice.send(Method::DELETE, paths::SESSIONS, None, &[]).await;
    assert_eq!(ended(&portal).await, expected, "all but one");

    expected.insert(id(&portal.browser("203.0.113.11").signed_in("alice").await).await);
    let new = json!({"old": PASSWORD, "new": "another correct horse battery"});
    let changed = alice.post_sealed(EnvelopeKind::Password, &new).await;
    assert!(changed.status.is_success(), "{}", changed.text);
    assert_eq!(ended(&portal).await, expected, "a new password ends the others");

    // A thief refreshes with a used token.
    let mut thief = alice.thief(&portal, "192.0.2.1");
    thief.key.clone_from(&alice.key);
    alice.refresh().await;
    alice.refresh().await;
    expected.insert(id(&alice).await);
    assert_eq!(thief.refresh().await.code(), "session_ended");
    assert_eq!(ended(&portal).await, expected, "a family that was reused");

    expected.insert(id(&portal.browser("203.0.113.12").signed_in("bob").await).await);
    let path = format!("{}/{bob}", paths::USERS);
    let disabled = admin.send(Method::PATCH, &path, Some(json!({"disabled": true}).to_string()), &[]).await;
    assert!(disabled.status.is_success(), "{}", disabled.text);
    assert_eq!(ended(&portal).await, expected, "a user who was disabled");

    // With the command, beside the running server.
    expected.insert(id(&admin).await);
    let entry = portal.entry(store::audit::AuditEvent::SessionEnded, &root);
    portal.store().revoke_others(&root.as_str().into(), None, &entry, portal.state.now()).await.unwrap();
    portal.advance(1_000).await;
    assert_eq!(ended(&portal).await, expected, "ended in the database");
}

#[tokio::test]
async fn every_node_publishes_and_a_restart_loses_nothing() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let other = portal.another().await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let expected = BTreeSet::from([id(&alice).await]);
    alice.post(paths::LOGOUT, &json!({})).await;
    assert_eq!(ended(&portal).await, expected);
    assert_eq!(ended(&other).await, BTreeSet::new(), "it has not heard yet");
    other.advance(1_000).await;
    assert_eq!(ended(&other).await, expected);
    // After a change that both have read, both lists are the same.
    let stranger = portal.program("192.0.2.1");
    let tags = [stranger.get(paths::REVOCATIONS).await, stranger.at(&other).get(paths::REVOCATIONS).await];
    assert_eq!(tags[0].header("etag"), tags[1].header("etag"));

    let restarted = portal.another().await;
    assert_eq!(ended(&restarted).await, expected);
    restarted.advance(REVOCATION_RETENTION_MS - 61_000).await;
    assert_eq!(ended(&restarted).await, expected);
    restarted.advance(120_000).await;
    assert_eq!(ended(&restarted).await, BTreeSet::new(), "its last token is over");
}

#[tokio::test]
async fn a_list_is_made_once_per_change_and_sent_once_to_each() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let stranger = portal.program("192.0.2.1");
    let first = stranger.get(paths::REVOCATIONS).await;
    let again = stranger.get(paths::REVOCATIONS).await;
    // An ES256 signature differs each time.
    assert_eq!(first.text, again.text, "signed once");
    assert_eq!(first.header("cache-control"), "public, max-age=1");
    assert_eq!(first.header("access-control-allow-origin"), "*");

    let tag = first.header("etag").to_owned();
    for known in [tag.clone(), format!("\"x\", {tag}"), "*".to_owned()] {
        let same = stranger.send(Method::GET, paths::REVOCATIONS, None, &[("if-none-match", &known)]).await;
        assert_eq!((same.status, same.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
        assert_eq!(same.header("etag"), tag);
    }
    alice.post(paths::LOGOUT, &json!({})).await;
    let news = stranger.send(Method::GET, paths::REVOCATIONS, None, &[("if-none-match", &tag)]).await;
    assert_eq!(news.status, StatusCode::OK);
    assert_ne!(news.text, first.text);

    let before = list(&portal).await;
    portal.advance(60_000).await;
    let after = list(&portal).await;
    assert_eq!((after.iat, after.exp), (before.iat + 60, before.exp + 60), "an old one would not be believed");
    assert_eq!(after.exp - after.iat, 210, "also for a clock that is behind");
}

#[tokio::test]
async fn a_node_without_changes_answers_nothing() {
    let portal = Portal::start().await;
    portal.clock.advance(15_001);
    let answer = portal.program("192.0.2.1").get(paths::REVOCATIONS).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_revoked_signing_key_is_named_for_two_days() {
    let portal = Portal::start().await;
    portal.add_administrator("root").await;
    let root = portal.browser("203.0.113.7").signed_in("root").await;
    let kid = portal.program("192.0.2.1").get(paths::JWKS).await.json()["keys"][0]["kid"].as_str().unwrap().to_owned();
    let before = list(&portal).await;
    assert_eq!(before.keys, [""; 0]);
    let answer = root.send(Method::DELETE, &format!("{}/{kid}", paths::SERVER_KEYS), None, &[]).await;
    assert!(answer.status.is_success(), "{}", answer.text);
    // Signed by the key's successor: `list` has verified it with the current key set.
    assert_eq!(list(&portal).await.keys, std::slice::from_ref(&kid));
    assert_eq!(list(&portal.another().await).await.keys, std::slice::from_ref(&kid));
    portal.advance(47 * 60 * 60_000).await;
    assert_eq!(list(&portal).await.keys, [kid]);
    portal.advance(2 * 60 * 60_000).await;
    assert_eq!(list(&portal).await.keys, [""; 0]);
}

#[tokio::test]
async fn the_metadata_says_where_it_is() {
    let portal = Portal::start().await;
    let metadata = portal.program("192.0.2.1").get(paths::METADATA).await.json();
    assert_eq!(metadata["revocations_uri"], "http://localhost:3000/.well-known/revocations");
}
