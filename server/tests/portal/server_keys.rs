//! Signing and envelope keys that are replaced and revoked while people are signed in.

use crate::support::{PASSWORD, Portal, Visitor};
use domain::encoding::from_base64url;
use domain::server_key::RotationRules;
use http::{Method, StatusCode};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};
use server::flows::server_keys::rotate_due;
use server::jobs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use store::audit::{AuditEvent, AuditSearch};
use tokio::task::JoinHandle;
use wire::paths;

const LEAD: i64 = RotationRules::SIGNING.lead_ms;
const OVERLAP: i64 = RotationRules::SIGNING.overlap_ms;
const DAY: i64 = 24 * 60 * 60_000;
const MANY: &str = "[ban.limits]\nsign_in_at_once = 1000\nsign_in_per_minute = 10000\nat_once = 10000";

async fn rotate(root: &Visitor, kind: &str) -> Value {
    let answer = root.post(paths::ROTATE_SERVER_KEY, &json!({"kind": kind})).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    answer.json()
}

async fn revoke(root: &Visitor, kid: &str) -> StatusCode {
    root.send(Method::DELETE, &format!("{}/{kid}", paths::SERVER_KEYS), Some("{}".to_owned()), &[]).await.status
}

/// Returns the published keys of access tokens, without the key of ID tokens.
async fn jwks(portal: &Portal) -> Vec<Value> {
    let mut keys = portal.program("203.0.113.250").get(paths::JWKS).await.json()["keys"].as_array().unwrap().clone();
    keys.retain(|key| key["alg"] != "RS256");
    keys
}

/// Returns the names in the key set, in order.
async fn published(portal: &Portal) -> Vec<String> {
    jwks(portal).await.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

fn kid_of(token: &str) -> String {
    let header = from_base64url(token.split('.').next().unwrap()).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_signing_key_is_out_before_its_use_and_stays_until_its_last_token_is_over() {
    let portal = Portal::with("[session]\naccess = '10m'").await;
    let root = portal.administrator().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let old = kid_of(&alice.cookie("access"));
    let next = rotate(&root, "signing").await;
    assert_eq!(next["state"], "next");
    let new = next["kid"].as_str().unwrap().to_owned();
    assert_eq!(published(&portal).await, [old.clone(), new.clone()]);
    let again = root.post(paths::ROTATE_SERVER_KEY, &json!({"kind": "signing"})).await;
    assert_eq!((again.status, &again.json()["kid"]), (StatusCode::OK, &json!(new)), "one waits already");

    portal.advance(LEAD - 1).await;
    let bob = portal.browser("203.0.113.8").signed_in("alice").await;
    assert_eq!(kid_of(&bob.cookie("access")), old, "not before its time");
    portal.advance(1).await;
    let carol = portal.browser("203.0.113.9").signed_in("alice").await;
    assert_eq!(kid_of(&carol.cookie("access")), new);
    for visitor in [&alice, &bob, &carol] {
        assert_eq!(visitor.get(paths::SESSION).await.status, StatusCode::OK);
    }
    // The last token of the old key was made a moment before, for ten minutes, in whole seconds.
    portal.advance(10 * 60_000 - 1_001).await;
    assert_eq!(bob.get(paths::SESSION).await.status, StatusCode::OK);
    portal.advance(OVERLAP - 10 * 60_000 + 1_001).await;
    assert_eq!(published(&portal).await, [new]);
}

/// Visitors refresh and read all the time, on two nodes, while keys are replaced and hours pass.
#[tokio::test(flavor = "multi_thread")]
async fn no_verification_fails_while_keys_rotate() {
    let portal = Portal::with(MANY).await;
    let root = portal.administrator().await;
    let other = portal.another().await;
    let mut visitors = Vec::new();
    for n in 0..6 {
        portal.add_user(&format!("user{n}")).await;
        visitors.push(portal.browser(&format!("203.0.113.{n}")).signed_in(&format!("user{n}")).await);
    }
    let (over, refreshed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let tasks = visitors.into_iter().map(|visitor| {
        let (nodes, over, refreshed) = ([portal.clone(), other.clone()], over.clone(), refreshed.clone());
        tokio::spawn(async move {
            let (mut kids, mut turn) = (std::collections::BTreeSet::new(), 0);
            while !over.load(Ordering::SeqCst) {
                let answer = visitor.at(&nodes[turn % 2]).refresh().await;
                // The clock may have been moved between the nonce and the proof.
                if answer.code() == "use_dpop_nonce" {
                    continue;
                }
                assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
                kids.insert(kid_of(&visitor.cookie("access")));
                for node in &nodes {
                    let seen = visitor.at(node).get(paths::SESSION).await;
                    assert_eq!(seen.status, StatusCode::OK, "{}", seen.text);
                }
                turn += 1;
                refreshed.fetch_add(1, Ordering::SeqCst);
            }
            kids.len()
        })
    });
    let tasks: Vec<_> = tasks.collect();
    let mut made = 0;
    for step in 0..200 {
        if step % 20 == 0 {
            root.refresh().await;
            root.confirm().await;
        }
        let answer = root.post(paths::ROTATE_SERVER_KEY, &json!({"kind": "signing"})).await;
        made += usize::from(answer.status == StatusCode::CREATED);
        portal.clock.advance(10_000);
        // As the job does each second.
        for node in [&portal, &other] {
            jobs::sync(&node.state).await.unwrap();
        }
        while refreshed.load(Ordering::SeqCst) < 2 * step && !tasks.iter().any(JoinHandle::is_finished) {
            tokio::task::yield_now().await;
        }
    }
    over.store(true, Ordering::SeqCst);
    assert!(made >= 6, "{made} rotations");
    for task in tasks {
        assert!(task.await.unwrap() >= 3, "tokens were signed by several keys");
    }
}

#[tokio::test]
async fn a_revoked_key_is_gone_at_once_here_and_elsewhere() {
    let portal = Portal::start().await;
    let root = portal.administrator().await;
    let other = portal.another().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let old = kid_of(&alice.cookie("access"));
    for node in [&portal, &other] {
        assert_eq!(alice.at(node).get(paths::SESSION).await.status, StatusCode::OK, "and remembered");
    }
    assert_eq!(revoke(&root, "no-such-key").await, StatusCode::NOT_FOUND);
    assert_eq!(revoke(&root, &old).await, StatusCode::NO_CONTENT);
    assert_eq!(alice.get(paths::SESSION).await.code(), "no_session");
    let left = published(&portal).await;
    assert!(left.len() == 1 && left[0] != old, "{left:?}");
    // The session itself remains.
    assert_eq!(alice.refresh().await.status, StatusCode::OK);
    assert_eq!(kid_of(&alice.cookie("access")), left[0]);
    assert_eq!(alice.get(paths::SESSION).await.status, StatusCode::OK);

    // Another node does not know it yet: a token with an unknown key makes it read the changes.
    assert_eq!(published(&other).await, [old.as_str()]);
    portal.clock.advance(1_000);
    assert_eq!(alice.at(&other).get(paths::SESSION).await.status, StatusCode::OK);
    assert_eq!(published(&other).await, left);

    root.refresh().await;
    assert_eq!(revoke(&root, &old).await, StatusCode::NOT_FOUND, "it was revoked before");
    let keys = root.get(paths::SERVER_KEYS).await.json();
    let states: Vec<_> = keys["keys"].as_array().unwrap().iter().filter(|key| key["kind"] == "signing").collect();
    assert_eq!(states.iter().find(|key| key["kid"] == old.as_str()).unwrap()["state"], "revoked");
    assert!(!keys.to_string().contains("sealed"), "{keys}");
}

#[tokio::test]
async fn a_key_that_waits_steps_in_for_a_revoked_one() {
    let portal = Portal::start().await;
    let root = portal.administrator().await;
    let old = kid_of(&root.cookie("access"));
    let next = rotate(&root, "signing").await["kid"].as_str().unwrap().to_owned();
    portal.advance(1).await;
    assert_eq!(revoke(&root, &old).await, StatusCode::NO_CONTENT);
    assert_eq!(published(&portal).await, [next.as_str()]);
    assert_eq!(root.refresh().await.status, StatusCode::OK);
    assert_eq!(kid_of(&root.cookie("access")), next);
    assert_eq!(root.get(paths::SESSION).await.status, StatusCode::OK);
}

#[tokio::test]
async fn unknown_keys_make_a_node_ask_once_a_second() {
    let portal = Portal::start().await;
    let root = portal.administrator().await;
    let other = portal.another().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let old = kid_of(&alice.cookie("access"));
    assert_eq!(revoke(&root, &old).await, StatusCode::NO_CONTENT);
    assert_eq!(alice.refresh().await.status, StatusCode::OK);
    assert_eq!(alice.at(&other).get(paths::SESSION).await.code(), "no_session", "it asked at its start, just now");
    portal.clock.advance(1_000);
    assert_eq!(alice.at(&other).get(paths::SESSION).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_schedule_makes_one_key_in_time_on_however_many_nodes() {
    let portal = Portal::with("[keys]\nsigning_rotation = '90d'\nmac_rotation = 'off'").await;
    let other = portal.another().await;
    let first = published(&portal).await;
    for node in [&portal, &other] {
        node.advance(0).await;
        rotate_due(&node.state).await.unwrap();
    }
    assert_eq!(published(&portal).await, first, "it is not time");
    portal.clock.advance(90 * DAY - LEAD);
    let (here, there) = tokio::join!(rotate_due(&portal.state), rotate_due(&other.state));
    here.unwrap();
    there.unwrap();
    portal.advance(0).await;
    other.advance(0).await;
    let both = published(&portal).await;
    assert_eq!((both.len(), &both[..1]), (2, &first[..]));
    assert_eq!(published(&other).await, both);
    assert_eq!(portal.state.keyring.signing(portal.state.now()).unwrap().public.kid, first[0]);
    portal.advance(LEAD).await;
    assert_eq!(portal.state.keyring.signing(portal.state.now()).unwrap().public.kid, both[1]);
    let search = AuditSearch { event: Some(AuditEvent::ServerKeyRotated), limit: 9, ..AuditSearch::default() };
    let mut trail = portal.store().search_audit(&search).await.unwrap();
    // The key of ID tokens follows the same schedule.
    trail.retain(|event| event.entry.about.starts_with("signing "));
    assert_eq!(trail.len(), 1);
    assert_eq!(trail[0].entry.about, format!("signing {}", both[1]));

    let off = portal.another_with("[keys]\nsigning_rotation = 'off'\nmac_rotation = 'off'").await;
    portal.clock.advance(900 * DAY);
    rotate_due(&off.state).await.unwrap();
    off.advance(0).await;
    assert_eq!(published(&off).await, both[1..]);
}

#[tokio::test]
async fn another_algorithm_in_the_config_is_a_rotation() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let portal = portal.another_with("[keys]\nsigning_algorithm = 'EdDSA'").await;
    rotate_due(&portal.state).await.unwrap();
    rotate_due(&portal.state).await.unwrap();
    let keys = jwks(&portal).await;
    assert_eq!(keys.len(), 2, "one that waits is enough");
    assert_eq!(
        (&keys[1]["kty"], &keys[1]["crv"], &keys[1]["alg"]),
        (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA"))
    );
    assert_eq!((&keys[1]["y"], &keys[1]["d"]), (&Value::Null, &Value::Null));
    let input = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":{}}}"#, keys[1]["x"]);
    assert_eq!(keys[1]["kid"], domain::encoding::base64url(&domain::encoding::sha256(input.as_bytes())));

    portal.advance(LEAD).await;
    let alice = alice.at(&portal);
    assert_eq!(alice.refresh().await.status, StatusCode::OK, "the session goes on");
    assert_eq!(alice.get(paths::SESSION).await.status, StatusCode::OK);
    let token = alice.cookie("access");
    assert_eq!(keys[1]["kid"], kid_of(&token));
    // Verifies it as an app would.
    let key = DecodingKey::from_ed_components(keys[1]["x"].as_str().unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&["http://localhost:3000"]);
    validation.validate_exp = false;
    jsonwebtoken::decode::<Value>(&token, &key, &validation).unwrap();
    // The algorithm is the key's: a header that names another algorithm is not accepted.
    let mut parts: Vec<_> = token.split('.').map(str::to_owned).collect();
    let header = String::from_utf8(from_base64url(&parts[0]).unwrap()).unwrap();
    parts[0] = domain::encoding::base64url(header.replace("EdDSA", "ES256").as_bytes());
    let bearer = format!("Bearer {}", parts.join("."));
    let program = portal.program("203.0.113.9");
    let answer = program.send(Method::GET, paths::SESSION, None, &[("authorization", &bearer)]).await;
    assert_eq!(answer.code(), "no_session");
}

#[tokio::test]
async fn a_login_sealed_to_the_old_envelope_key_opens_for_the_overlap_and_then_seals_again() {
    let portal = Portal::with("[keys]\nenvelope_overlap = '30s'").await;
    let root = portal.administrator().await;
    portal.add_user("alice").await;
    let visitor = portal.browser("203.0.113.7");
    let old = visitor.challenge().await.key.kid;
    let new = rotate(&root, "envelope").await["kid"].as_str().unwrap().to_owned();
    assert_eq!(visitor.challenge().await.key.kid, old, "other nodes must have heard of it first");
    let [early, late] = [visitor.sealed("alice", PASSWORD).await, visitor.sealed("alice", PASSWORD).await];
    portal.advance(5_000).await;
    assert_eq!(visitor.challenge().await.key.kid, new);
    portal.advance(29_999).await;
    assert_eq!(visitor.send_login(&early).await.status, StatusCode::OK);
    portal.advance(1).await;
    let answer = visitor.send_login(&late).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "short_key_mismatch"));
    assert!(portal.state.defence.bans.is_empty(), "it is no offence");
    assert_eq!(visitor.login("alice", PASSWORD).await.status, StatusCode::OK, "as the browser's code does it");

    // A day later, the key that could open recorded logins is erased.
    portal.advance(DAY + 1).await;
    rotate_due(&portal.state).await.unwrap();
    let keys = portal.store().keys().await.unwrap();
    let erased: Vec<_> = keys.iter().filter(|key| key.sealed.is_empty()).map(|key| key.kid.as_str()).collect();
    assert_eq!(erased, [old]);
    assert_eq!(portal.another().await.browser("203.0.113.8").login("alice", PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_revoked_envelope_key_opens_nothing_more() {
    let portal = Portal::start().await;
    let root = portal.administrator().await;
    portal.add_user("alice").await;
    let visitor = portal.browser("203.0.113.7");
    let sealed = visitor.sealed("alice", PASSWORD).await;
    let old = visitor.challenge().await.key.kid;
    assert_eq!(revoke(&root, &old).await, StatusCode::NO_CONTENT);
    assert_eq!(visitor.send_login(&sealed).await.code(), "short_key_mismatch");
    assert_ne!(visitor.challenge().await.key.kid, old);
    assert_eq!(visitor.login("alice", PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn server_keys_are_for_administrators_and_every_change_is_in_the_trail() {
    let portal = Portal::start().await;
    let root = portal.administrator().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    assert_eq!(alice.get(paths::SERVER_KEYS).await.code(), "forbidden");
    assert_eq!(alice.post(paths::ROTATE_SERVER_KEY, &json!({"kind": "signing"})).await.code(), "forbidden");
    assert_eq!(revoke(&alice, "x").await, StatusCode::FORBIDDEN);
    for body in [
        json!({}),
        json!({"kind": "digest"}),
        json!({"kind": "signing", "at": "soon"}),
        json!({"kind": "signing", "at": i64::MAX}),
    ] {
        assert_eq!(root.post(paths::ROTATE_SERVER_KEY, &body).await.code(), "bad_request", "{body}");
    }
    assert_eq!(revoke(&root, "digest").await, StatusCode::NOT_FOUND, "it is no key of these kinds");
    let at = portal.state.now() + DAY;
    let next = root.post(paths::ROTATE_SERVER_KEY, &json!({"kind": "signing", "at": at})).await.json();
    assert_eq!(next["used_from"], at.as_millis());
    assert_eq!(revoke(&root, next["kid"].as_str().unwrap()).await, StatusCode::NO_CONTENT);
    let search = AuditSearch { limit: 99, ..AuditSearch::default() };
    let trail = portal.store().search_audit(&search).await.unwrap();
    for event in [AuditEvent::ServerKeyRotated, AuditEvent::ServerKeyRevoked] {
        let line = trail.iter().find(|line| line.entry.event == event).unwrap();
        assert_eq!(line.entry.about, format!("signing {}", next["kid"].as_str().unwrap()));
        assert_eq!(line.actor_name.as_deref(), Some("root"));
    }
}
