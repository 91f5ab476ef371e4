//! `/api/keys/user` and below.

use crate::support::{ClientKey, ORIGIN, PASSWORD, Portal, Visitor, receiving_key, seal_with_header};
use domain::encoding::{base64url, from_base64url, sha256};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;
use store::audit::AuditEvent;
use wire::paths;
use wire::user_keys::{UserKeyHeader, UserKeyJwk};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

async fn alice(portal: &Portal) -> Visitor {
    portal.add_user("alice").await;
    portal.browser("203.0.113.7").signed_in("alice").await
}

/// Returns the content, if this visitor's receiving key opens it.
fn opened(visitor: &Visitor, sealed: &str) -> Option<(UserKeyHeader, UserKeyJwk)> {
    let sealed = jwe::parse::<UserKeyHeader>(sealed).unwrap();
    let secret = visitor.receiving.agree(sealed.epk()).unwrap();
    let content = sealed.open(&secret).ok()?;
    Some((sealed.header().clone(), serde_json::from_slice(&content).unwrap()))
}

/// Requests the key of a version, as its owner does, and returns it.
async fn key_of(visitor: &Visitor, request: Value) -> String {
    let answer = visitor.prove_and_post(paths::USER_KEYS, &request).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    opened(visitor, answer.json()["key"].as_str().unwrap()).unwrap().1.k.clone()
}

async fn states(visitor: &Visitor) -> Vec<String> {
    let list = visitor.get(paths::USER_KEYS).await.json();
    list["keys"].as_array().unwrap().iter().map(|key| key["state"].as_str().unwrap().to_owned()).collect()
}

async fn rotate(visitor: &Visitor) -> StatusCode {
    visitor.prove_and_post(paths::ROTATE_USER_KEY, &json!({})).await.status
}

async fn revoke(visitor: &Visitor, version: &str) -> (StatusCode, String) {
    let answer = visitor.send(Method::DELETE, &format!("{}/{version}", paths::USER_KEYS), None, &[]).await;
    (answer.status, answer.code())
}

#[tokio::test]
async fn a_key_opens_for_the_session_that_asked_and_for_no_other() {
    let portal = Portal::start().await;
    let alice = alice(&portal).await;
    let other = portal.browser("203.0.113.8").signed_in("alice").await;
    let answer = alice.prove_and_post(paths::USER_KEYS, &json!({})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let body = answer.json();
    assert_eq!((&body["version"], &body["state"], &body["ends_at"]), (&json!(1), &json!("current"), &Value::Null));
    let (header, content) = opened(&alice, body["key"].as_str().unwrap()).unwrap();
    assert_eq!(from_base64url(&content.k).unwrap().len(), 32);
    let me = alice.get(paths::SESSION).await.json();
    assert_eq!((&json!(header.sub), &json!(header.sid)), (&me["sub"], &me["id"]));
    assert_eq!((content.kty.as_str(), content.kid.clone()), ("oct", format!("{}.1", header.sub)));
    assert_eq!(
        (header.typ.as_str(), header.kid),
        ("user-key+jwe", jwe::thumbprint(&alice.receiving.public()).to_string())
    );
    assert!(opened(&other, body["key"].as_str().unwrap()).is_none(), "another session's receiving key");
    assert_eq!(key_of(&other, json!({})).await, content.k, "the same person, the same key");
    portal.add_user("bob").await;
    let bob = portal.browser("203.0.113.9").signed_in("bob").await;
    assert_ne!(key_of(&bob, json!({"version": 1})).await, content.k);
}

#[tokio::test]
async fn a_replaced_version_serves_for_the_overlap_and_then_ends() {
    let portal = Portal::with("[keys]\noverlap = '3m'").await;
    let alice = alice(&portal).await;
    let first = key_of(&alice, json!({})).await;
    let answer = alice.prove_and_post(paths::ROTATE_USER_KEY, &json!({})).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let (keys, now) = (answer.json()["keys"].clone(), portal.state.now());
    assert_eq!((&keys[0]["version"], &keys[0]["state"]), (&json!(2), &json!("current")));
    assert_eq!((&keys[1]["state"], &keys[1]["ends_at"]), (&json!("overlap"), &json!(now + 3 * MINUTE)));
    assert_eq!(answer.json()["overlap_ms"], 3 * MINUTE);
    let second = key_of(&alice, json!({})).await;
    assert_ne!(second, first);
    portal.advance(3 * MINUTE - 1).await;
    assert_eq!(key_of(&alice, json!({"version": 1})).await, first);
    portal.advance(1).await;
    for ended in [1, 3] {
        let answer = alice.prove_and_post(paths::USER_KEYS, &json!({"version": ended})).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::GONE, "key_ended"));
    }
    assert_eq!(states(&alice).await, ["current", "ended"]);
    assert_eq!(key_of(&alice, json!({"version": 2})).await, second);

    let trail =
        portal.store().audit_of(&alice.get(paths::SESSION).await.json()["sub"].as_str().unwrap().into(), 9).await;
    let entry = trail.unwrap().into_iter().find(|entry| entry.event == AuditEvent::UserKeyReplaced).unwrap();
    assert_eq!((entry.about.as_str(), entry.actor), ("version 2", None));
    let page = alice.get(paths::ACTIVITY_PAGE).await.text;
    assert!(page.contains("The key was replaced"), "{page}");
}

#[tokio::test]
async fn revoking_ends_at_once_and_one_version_is_always_in_use() {
    let portal = Portal::start().await;
    let alice = alice(&portal).await;
    assert_eq!(rotate(&alice).await, StatusCode::CREATED);
    assert_eq!(revoke(&alice, "1").await.0, StatusCode::NO_CONTENT);
    assert_eq!(states(&alice).await, ["current", "revoked"]);
    assert_eq!(revoke(&alice, "1").await, (StatusCode::GONE, "key_ended".to_owned()));
    let before = key_of(&alice, json!({})).await;
    assert_eq!(revoke(&alice, "2").await.0, StatusCode::NO_CONTENT);
    assert_eq!(states(&alice).await, ["current", "revoked", "revoked"]);
    assert_ne!(key_of(&alice, json!({})).await, before);
    for nothing in ["4", "0", "x", "-1", "99999999999"] {
        assert_eq!(revoke(&alice, nothing).await.0, StatusCode::NOT_FOUND, "{nothing}");
    }
    portal.add_user("bob").await;
    let bob = portal.browser("203.0.113.9").signed_in("bob").await;
    assert_eq!(revoke(&bob, "3").await.0, StatusCode::NOT_FOUND, "nobody else's");
    assert_eq!(states(&alice).await[0], "current");
}

#[tokio::test]
async fn only_the_sessions_own_key_proves_this_request_once() {
    let portal = Portal::start().await;
    let alice = alice(&portal).await;
    let key = alice.key.clone().unwrap();
    let url = format!("{ORIGIN}{}", paths::USER_KEYS);
    let post = async |headers: &[(&str, &str)]| {
        let answer = alice.bare().send(Method::POST, paths::USER_KEYS, Some("{}".to_owned()), headers).await;
        (answer.status, answer.code(), answer.header("dpop-nonce").to_owned())
    };
    let (status, code, nonce) = post(&[]).await;
    assert_eq!((status, code.as_str()), (StatusCode::UNAUTHORIZED, "bad_proof"));
    let good = key.prove(&url, &nonce);
    assert_eq!(post(&[("dpop", &good)]).await.0, StatusCode::OK);
    assert_eq!(post(&[("dpop", &good)]).await.1, "use_dpop_nonce", "a second time");
    assert_eq!(post(&[("dpop", &key.prove(&url, "AAAA"))]).await.1, "use_dpop_nonce");

    let token = base64url(&sha256(alice.cookie("access").as_bytes()));
    let with = |claims: Value| key.prove_more(&url, &nonce, &claims);
    assert_eq!(post(&[("dpop", &with(json!({"ath": token})))]).await.0, StatusCode::OK);
    let stranger = ClientKey::generate();
    for (what, proof) in [
        ("another method", with(json!({"htm": "DELETE"}))),
        ("another url", with(json!({"htu": format!("{ORIGIN}{}", paths::ROTATE_USER_KEY)}))),
        ("another token's hash", with(json!({"ath": base64url(&sha256(b"another"))}))),
        ("another key", stranger.prove(&url, &nonce)),
        ("nothing of a proof", "a.b.c".to_owned()),
    ] {
        assert_eq!(post(&[("dpop", &proof)]).await.1, "bad_proof", "{what}");
    }
    let stale = alice.nonce().await;
    portal.advance(5 * MINUTE + 29_000).await;
    alice.refresh().await;
    assert_eq!(alice.confirm().await.status, StatusCode::NO_CONTENT);
    assert_eq!(post(&[("dpop", &key.prove(&url, &stale))]).await.0, StatusCode::OK);
    portal.advance(1_000).await;
    assert_eq!(post(&[("dpop", &key.prove(&url, &stale))]).await.1, "use_dpop_nonce");
}

#[tokio::test]
async fn copied_cookies_get_no_key() {
    let portal = Portal::start().await;
    let alice = alice(&portal).await;
    let thief = alice.thief(&portal, "198.51.100.1");
    for path in [paths::USER_KEYS, paths::ROTATE_USER_KEY] {
        assert_eq!(thief.prove_and_post(path, &json!({})).await.code(), "bad_proof");
    }
    assert_eq!(states(&alice).await, ["current"]);
}

#[tokio::test]
async fn an_unbound_session_reads_the_list_and_gets_no_key() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let mut visitor = portal.browser("203.0.113.7");
    visitor.key = None;
    let mut visitor = visitor.signed_in("alice").await;
    visitor.key = Some(Arc::new(ClientKey::generate()));
    assert_eq!(states(&visitor).await, ["current"]);
    for path in [paths::USER_KEYS, paths::ROTATE_USER_KEY, paths::TICKETS] {
        let answer = visitor.prove_and_post(path, &json!({"service": "time"})).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "session_unbound"), "{path}");
    }
    assert_eq!(revoke(&visitor, "1").await.0, StatusCode::NO_CONTENT, "whoever fears for a key");
}

#[tokio::test]
async fn a_receiving_key_that_is_none_gets_nothing() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let session = alice.get(paths::SESSION).await.json()["id"].as_str().unwrap().to_owned();
    sql(&portal, "UPDATE sessions SET receiving_key = '{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"AA\",\"y\":\"AA\"}' WHERE id = $1", &session)
        .await;
    assert_eq!(alice.prove_and_post(paths::USER_KEYS, &json!({})).await.code(), "session_unbound");
}

/// Changes a row in the database without the portal.
async fn sql(portal: &Portal, statement: &'static str, id: &str) {
    let pool = sqlx::SqlitePool::connect(&portal.state.config.database_url()).await.unwrap();
    assert_eq!(sqlx::query(statement).bind(id.to_owned()).execute(&pool).await.unwrap().rows_affected(), 1);
    pool.close().await;
}

#[tokio::test]
async fn an_account_from_before_gets_its_first_key_when_it_asks() {
    let portal = Portal::start().await;
    let id = portal.add_user("alice").await;
    sql(&portal, "DELETE FROM user_keys WHERE user_id = $1", &id).await;
    sql(&portal, "UPDATE users SET key_version = 0 WHERE id = $1", &id).await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let key = key_of(&alice, json!({})).await;
    assert_eq!(key_of(&alice, json!({"version": 1})).await, key);
    assert_eq!(states(&alice).await, ["current"]);
}

#[tokio::test]
async fn twenty_versions_an_hour_and_then_one_waits() {
    let portal = Portal::with("[session]\naccess = '10m'").await;
    let alice = alice(&portal).await;
    for _ in 0..19 {
        assert_eq!(rotate(&alice).await, StatusCode::CREATED);
    }
    let refused = alice.prove_and_post(paths::ROTATE_USER_KEY, &json!({})).await;
    assert_eq!((refused.code().as_str(), &refused.json()["retry_after"]), ("account_delayed", &json!(3600)));
    assert_eq!(revoke(&alice, "20").await.1, "account_delayed", "it would take a new one");
    assert_eq!(revoke(&alice, "19").await.0, StatusCode::NO_CONTENT);
    portal.advance(HOUR).await;
    alice.refresh().await;
    alice.confirm().await;
    assert_eq!(rotate(&alice).await, StatusCode::CREATED);
}

#[tokio::test(flavor = "multi_thread")]
async fn rotations_at_once_leave_no_hole() {
    let portal = Portal::start().await;
    let alice = alice(&portal).await;
    let tasks: Vec<_> = (0..6)
        .map(|_| {
            tokio::spawn({
                let alice = alice.clone();
                async move { rotate(&alice).await }
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), StatusCode::CREATED);
    }
    let keys = alice.get(paths::USER_KEYS).await.json()["keys"].clone();
    let numbers: Vec<_> = keys.as_array().unwrap().iter().map(|key| key["version"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [7, 6, 5, 4, 3, 2, 1]);
    assert_eq!(states(&alice).await.iter().filter(|state| *state == "current").count(), 1);
}

#[tokio::test]
async fn an_administrator_makes_a_key_for_somebody_and_does_not_see_it() {
    let portal = Portal::start().await;
    let id = portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let root_id = portal.add_administrator("root").await;
    let root = portal.browser("198.51.100.1").signed_in("root").await;
    let first = key_of(&alice, json!({})).await;
    let path = format!("/api/admin/users/{id}/key");
    assert_eq!(alice.post(&path, &json!({})).await.code(), "forbidden");
    let made = root.post(&path, &json!({})).await;
    assert_eq!((made.status, &made.json()["keys"][0]["version"]), (StatusCode::CREATED, &json!(2)));
    assert_eq!(states(&alice).await, ["current", "overlap"]);
    let second = key_of(&alice, json!({})).await;
    assert!(second != first && !made.text.contains(&second));
    assert_eq!(root.post("/api/admin/users/nobody/key", &json!({})).await.status, StatusCode::NOT_FOUND);
    let trail = portal.store().audit_of(&id.as_str().into(), 9).await.unwrap();
    let entry = trail.into_iter().find(|entry| entry.event == AuditEvent::UserKeyMade).unwrap();
    assert_eq!((entry.about.as_str(), entry.actor), ("version 2", Some(root_id.clone().into())));
    assert_eq!(portal.store().user_key(&id.as_str().into(), 2).await.unwrap().unwrap().made_by, Some(root_id.into()));
    assert!(alice.get(paths::ACTIVITY_PAGE).await.text.contains("An administrator created a new version of the key"));
}

#[tokio::test]
async fn a_disabled_or_deleted_account_gets_no_key() {
    let portal = Portal::start().await;
    let id = portal.add_user("alice").await;
    let other = portal.another().await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let elsewhere = alice.at(&other);
    assert_eq!(elsewhere.get(paths::SESSION).await.status, StatusCode::OK);
    let entry = portal.entry(AuditEvent::UserDisabled, &id);
    assert!(
        portal.store().set_disabled(&id.as_str().into(), true, &entry, portal.state.now()).await.unwrap().is_done()
    );
    // The other node does not know it yet, but reads the store for this.
    assert_eq!(elsewhere.prove_and_post(paths::USER_KEYS, &json!({})).await.code(), "no_session");
    assert_eq!(elsewhere.prove_and_post(paths::TICKETS, &json!({"service": "time"})).await.code(), "no_session");

    let deletion = store::users::DeleteUser {
        attempt: None,
        user: id.clone().into(),
        account: "alice".to_owned(),
        audit: portal.entry(AuditEvent::UserDeleted, &id),
        now: portal.state.now(),
    };
    assert!(portal.store().delete_user(&deletion).await.unwrap().is_done());
    assert!(portal.store().user_keys(&id.as_str().into(), 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn expired_keys_are_erased_and_stored_keys_are_sealed() {
    let portal = Portal::start().await;
    let alice = alice(&portal).await;
    let id = alice.get(paths::SESSION).await.json()["sub"].as_str().unwrap().to_owned();
    let key = from_base64url(&key_of(&alice, json!({})).await).unwrap();
    assert_eq!(rotate(&alice).await, StatusCode::CREATED);
    let current = from_base64url(&key_of(&alice, json!({})).await).unwrap();
    let folder = portal.state.config.settings.data_dir.clone();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        for secret in [&key, &current] {
            for form in [secret.clone(), base64url(secret).into_bytes()] {
                assert!(!bytes.windows(form.len()).any(|part| part == form), "{}", path.display());
            }
        }
    }
    portal.advance(HOUR + MINUTE).await;
    server::jobs::sweep(&portal.state).await;
    assert_eq!(portal.store().user_key(&id.as_str().into(), 1).await.unwrap().unwrap().key.0, "");
    assert_ne!(portal.store().user_key(&id.as_str().into(), 2).await.unwrap().unwrap().key.0, "");
}

#[tokio::test]
async fn a_receiving_key_that_nobody_can_seal_to_gets_no_session() {
    let portal = Portal::start().await;
    let id = portal.add_user("alice").await;
    let good = serde_json::to_value(receiving_key().public()).unwrap();
    let with = |name: &str, value: Value| {
        let mut key = good.clone();
        key[name] = value;
        key
    };
    let zero = base64url(&[0; 32]);
    let off_the_curve = with("y", good["x"].clone());
    let mut infinity = with("x", json!(zero));
    infinity["y"] = json!(zero);
    let long_x = json!(base64url(&[&[0], from_base64url(good["x"].as_str().unwrap()).unwrap().as_slice()].concat()));
    let cut = json!(good["y"].as_str().unwrap()[..42]);
    let mut no_y = good.clone();
    no_y.as_object_mut().unwrap().remove("y");
    let broken = [
        ("off the curve", off_the_curve),
        ("infinity", infinity),
        ("a longer x", with("x", long_x)),
        ("a shorter y", with("y", cut)),
        ("no x", with("x", json!(""))),
        ("no y", no_y),
        ("another curve", with("crv", json!("P-384"))),
        ("another type", with("kty", json!("OKP"))),
        ("a number", with("x", json!(1))),
        ("a private key", with("d", json!(base64url(&[1; 32])))),
        ("an empty private key", with("d", json!(""))),
        ("no object", json!("key")),
        ("nothing", json!(null)),
    ];
    let login = async |visitor: &Visitor, receiving: &Value| {
        let (key, challenge) = (visitor.key.clone().unwrap(), visitor.challenge().await);
        let header = json!({"alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": challenge.key.kid, "typ": "login+jwe",
            "sk": challenge.short_key, "org": ORIGIN, "jwk": key.public(), "enc_jwk": receiving, "iat": 0});
        let content = json!({"username": "alice", "password": PASSWORD}).to_string();
        let envelope = seal_with_header(&challenge.key, &header, content.as_bytes());
        let body = json!({"encrypted_username_password": envelope, "short_key": challenge.short_key});
        let proof = key.prove(&format!("{ORIGIN}{}", paths::LOGIN), &challenge.short_key);
        visitor.send(Method::POST, paths::LOGIN, Some(body.to_string()), &[("dpop", &proof)]).await
    };
    for (number, (name, receiving)) in broken.iter().enumerate() {
        let refused = login(&portal.browser(&format!("203.0.113.{number}")), receiving).await;
        assert_eq!(refused.code(), "bad_envelope", "{name}: {}", refused.text);
    }
    assert!(portal.store().sessions_of(&id.as_str().into(), portal.state.now()).await.unwrap().is_empty());
    for outcome in ["wrong_password", "account_delayed", "too_many_failures"] {
        assert_eq!(portal.outcomes(&id, outcome).await, 0, "{outcome}");
    }
    // The same envelope with the right key, from a person who is not delayed.
    let accepted = login(&portal.browser("203.0.113.200"), &good).await;
    assert_eq!(accepted.status, StatusCode::OK, "{}", accepted.text);
}
