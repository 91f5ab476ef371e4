//! `POST /api/refresh`

use crate::support::{Answer, ClientKey, Portal, Visitor};
use domain::encoding::{base64url, from_base64url};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::audit::AuditEvent;
use wire::paths;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

#[tokio::test]
async fn an_expired_access_token_is_followed_by_a_new_pair() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let (access, refresh) = (alice.cookie("access"), alice.cookie("refresh"));
    portal.advance(5 * MINUTE).await;
    let expired = alice.get(paths::SESSION).await;
    assert_eq!((expired.status, expired.code().as_str()), (StatusCode::UNAUTHORIZED, "no_session"));
    assert!(!expired.header("dpop-nonce").is_empty());
    let answer = alice.refresh().await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_ne!(alice.cookie("access"), access);
    assert_ne!(alice.cookie("refresh"), refresh);
    assert_eq!(alice.get(paths::SESSION).await.status, StatusCode::OK);
}

#[tokio::test]
async fn rotation_ends_the_old_access_token_after_ten_seconds_and_at_once_when_it_is_two_old() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let old = alice.thief(&portal, "203.0.113.7");
    alice.refresh().await;
    assert_eq!(old.get(paths::SESSION).await.status, StatusCode::OK, "requests on their way are served");
    portal.advance(10_001).await;
    assert_eq!(old.get(paths::SESSION).await.code(), "no_session");

    let old = alice.thief(&portal, "203.0.113.7");
    alice.refresh().await;
    alice.refresh().await;
    assert_eq!(old.get(paths::SESSION).await.code(), "no_session");
}

#[tokio::test]
async fn a_lost_answer_costs_a_bound_session_nothing() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let before = alice.cookies.lock().unwrap().clone();
    alice.refresh().await;
    let answered = alice.cookie("refresh");
    // The answer was lost; an hour later the browser sends its old token again.
    *alice.cookies.lock().unwrap() = before;
    portal.advance(60 * MINUTE).await;
    assert_eq!(alice.refresh().await.status, StatusCode::OK);
    assert_eq!(alice.cookie("refresh"), answered, "the same successor again");
}

#[tokio::test]
async fn copied_cookies_cannot_be_refreshed_without_the_key_and_cost_the_owner_nothing() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let thief = alice.thief(&portal, "198.51.100.1");
    let refused = thief.refresh().await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::UNAUTHORIZED, "bad_proof"));
    let unproven = thief.send(Method::POST, paths::REFRESH, Some("{}".to_owned()), &[]).await;
    assert_eq!(unproven.code(), "bad_proof");
    assert_eq!(alice.refresh().await.status, StatusCode::OK);
}

#[tokio::test]
async fn proofs_need_a_fresh_nonce_of_ours_and_serve_once() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let key = alice.key.clone().unwrap();
    let url = "http://localhost:3000/api/refresh";
    let send = |proof: String| {
        let alice = alice.clone();
        async move { alice.send(Method::POST, paths::REFRESH, Some("{}".to_owned()), &[("dpop", &proof)]).await }
    };

    assert_eq!(send(key.prove(url, "made up")).await.code(), "use_dpop_nonce");
    let stale = alice.nonce().await;
    portal.advance(5 * MINUTE + 30_000).await;
    let answer = send(key.prove(url, &stale)).await;
    assert_eq!(answer.code(), "use_dpop_nonce");
    let proof = key.prove(url, answer.header("dpop-nonce"));
    assert_eq!(send(proof.clone()).await.status, StatusCode::OK);
    assert_eq!(send(proof).await.code(), "use_dpop_nonce");
    let nonce = alice.nonce().await;
    assert_eq!(send(key.prove("http://localhost:3000/api/login", &nonce)).await.code(), "bad_proof");
    assert_eq!(send(format!("{}A", key.prove(url, &nonce))).await.code(), "bad_proof");
    assert_eq!(send("a.b".to_owned()).await.code(), "bad_proof");
}

/// A program without a key, whose session is not bound, like every browser's on plain http.
struct Unbound {
    program: Visitor,
    tokens: Value,
}

impl Unbound {
    async fn sign_in(portal: &Portal) -> Self {
        let program = portal.program("203.0.113.7");
        let tokens = program.login("alice", crate::support::PASSWORD).await.json()["tokens"].clone();
        Self { program, tokens }
    }

    fn refresh_token(&self) -> String {
        self.tokens["refresh_token"].as_str().unwrap().to_owned()
    }

    async fn refresh(&self, token: &str) -> Answer {
        self.program.post(paths::REFRESH, &json!({"refresh_token": token})).await
    }

    /// Refreshes and discards the answer. Returns the new refresh token.
    async fn lose(&self) -> String {
        let answer = self.refresh(&self.refresh_token()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.json()["tokens"]["refresh_token"].as_str().unwrap().to_owned()
    }

    /// Refreshes and keeps the answer.
    async fn refresh_and_keep(&mut self) {
        let answer = self.refresh(&self.refresh_token()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        self.tokens = answer.json()["tokens"].clone();
    }

    async fn show(&self, portal: &Portal) -> StatusCode {
        let bearer = format!("Bearer {}", self.tokens["access_token"].as_str().unwrap());
        self.program.at(portal).send(Method::GET, paths::SESSION, None, &[("authorization", &bearer)]).await.status
    }
}

async fn alarms(portal: &Portal, user: &str) -> usize {
    let entries = portal.store().audit_of(&user.into(), 100).await.unwrap();
    entries.iter().filter(|entry| entry.event == AuditEvent::TokenReused).count()
}

#[tokio::test]
async fn a_lost_answer_costs_an_unbound_session_nothing_until_its_successor_was_used() {
    let portal = Portal::start().await;
    let other = portal.another().await;
    let id = portal.add_user("alice").await;
    let mut alice = Unbound::sign_in(&portal).await;
    assert_eq!(alice.show(&portal).await, StatusCode::OK);
    let first = alice.refresh_token();
    let answered = alice.lose().await;
    for away in [MINUTE, 60 * MINUTE, 22 * 60 * MINUTE] {
        portal.advance(away).await;
        assert_eq!(alice.lose().await, answered, "the same successor again");
    }
    alice.refresh_and_keep().await;
    assert_eq!(alice.refresh_token(), answered);
    assert_eq!(alarms(&portal, &id).await, 0);

    // Its first use, on any node, invalidates the token before.
    other.advance(0).await;
    assert_eq!(alice.show(&other).await, StatusCode::OK);
    assert_eq!(alice.show(&portal).await, StatusCode::OK);
    assert_eq!(portal.store().session(&id_of(&first).as_str().into()).await.unwrap().unwrap().life.used, 1);
    portal.advance(10_001).await;
    assert_eq!(alice.refresh(&first).await.code(), "session_ended");
    assert_eq!(alice.refresh(&answered).await.code(), "session_ended", "the family has ended");
    assert_eq!(alarms(&portal, &id).await, 1);
}

#[tokio::test]
async fn tabs_that_were_on_their_way_are_answered_for_ten_seconds_though_the_successor_was_used() {
    let portal = Portal::start().await;
    let id = portal.add_user("alice").await;
    let mut alice = Unbound::sign_in(&portal).await;
    let first = alice.refresh_token();
    alice.refresh_and_keep().await;
    assert_eq!(alice.show(&portal).await, StatusCode::OK);
    portal.advance(10_000).await;
    assert_eq!(alice.refresh(&first).await.json()["tokens"]["refresh_token"], alice.refresh_token());
    portal.advance(1).await;
    assert_eq!(alice.refresh(&first).await.code(), "session_ended");
    assert_eq!(alarms(&portal, &id).await, 1);
}

#[tokio::test]
async fn a_lost_answer_is_given_again_for_a_day() {
    let portal = Portal::start().await;
    let id = portal.add_user("alice").await;
    let alice = Unbound::sign_in(&portal).await;
    alice.lose().await;
    portal.advance(DAY).await;
    alice.lose().await;
    portal.advance(1).await;
    assert_eq!(alice.refresh(&alice.refresh_token()).await.code(), "session_ended");
    assert_eq!(alarms(&portal, &id).await, 1);
}

#[tokio::test]
async fn a_refresh_with_the_successor_is_its_use() {
    let portal = Portal::start().await;
    let id = portal.add_user("alice").await;
    let mut alice = Unbound::sign_in(&portal).await;
    let first = alice.refresh_token();
    alice.refresh_and_keep().await;
    alice.refresh_and_keep().await;
    assert_eq!(alice.refresh(&first).await.code(), "session_ended", "at once");
    assert_eq!(alarms(&portal, &id).await, 1);
}

fn id_of(token: &str) -> String {
    base64url(&from_base64url(token).unwrap()[1..17])
}

#[tokio::test]
async fn a_token_two_rotations_old_ends_the_family_even_with_the_key() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let mut old = alice.thief(&portal, "203.0.113.7");
    old.key.clone_from(&alice.key);
    alice.refresh().await;
    alice.refresh().await;
    assert_eq!(old.refresh().await.code(), "session_ended");
    assert_eq!(alice.get(paths::SESSION).await.code(), "no_session", "at once");
    assert_eq!(alice.refresh().await.code(), "session_ended");
}

#[tokio::test]
async fn an_invented_token_ends_nothing() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let program = portal.program("198.51.100.1");
    let mut token = alice.cookie("refresh");
    token.replace_range(90..91, if &token[90..91] == "A" { "B" } else { "A" });
    for invented in [token.as_str(), "", "AAAA", &"A".repeat(92)] {
        let answer = program.post(paths::REFRESH, &json!({"refresh_token": invented})).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "no_session"), "{invented}");
    }
    assert_eq!(alice.get(paths::SESSION).await.status, StatusCode::OK);
    assert_eq!(alice.refresh().await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_refreshes_at_once_on_two_nodes_give_one_successor() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let other = portal.another().await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let tasks: Vec<_> = (0..50)
        .map(|number| {
            let mut tab = alice.thief(if number % 2 == 0 { &portal } else { &other }, "203.0.113.7");
            tab.key.clone_from(&alice.key);
            tokio::spawn(async move { (tab.refresh().await.status, tab.cookie("refresh")) })
        })
        .collect();
    let mut successors = BTreeSet::new();
    for task in tasks {
        let (status, successor) = task.await.unwrap();
        assert_eq!(status, StatusCode::OK);
        successors.insert(successor);
    }
    assert_eq!(successors.len(), 1);
    alice.set_cookie("refresh", successors.first().unwrap());
    assert_eq!(alice.refresh().await.status, StatusCode::OK, "nobody was signed out");
}

#[tokio::test]
async fn a_session_ends_when_it_is_idle_and_after_its_absolute_time() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let idle = portal.browser("203.0.113.7").signed_in("alice").await;
    portal.advance(30 * DAY).await;
    assert_eq!(idle.refresh().await.code(), "session_ended");

    let busy = portal.browser("203.0.113.7").signed_in("alice").await;
    for _ in 0..4 {
        portal.advance(22 * DAY).await;
        assert_eq!(busy.refresh().await.status, StatusCode::OK);
    }
    portal.advance(2 * DAY).await;
    assert_eq!(busy.refresh().await.code(), "session_ended", "rotation never extends 90 days");
}

#[tokio::test]
async fn a_disabled_user_is_out_at_once_here_and_within_a_second_elsewhere() {
    let portal = Portal::start().await;
    let id = portal.add_user("alice").await;
    let other = portal.another().await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    assert_eq!(alice.at(&other).get(paths::SESSION).await.status, StatusCode::OK);
    let entry = portal.entry(AuditEvent::UserDisabled, &id);
    portal.store().set_disabled(&id.as_str().into(), true, &entry, portal.state.now()).await.unwrap();
    portal.advance(1_000).await;
    other.advance(0).await;
    for node in [&portal, &other] {
        assert_eq!(alice.at(node).get(paths::SESSION).await.code(), "no_session");
        assert_eq!(alice.at(node).refresh().await.code(), "session_ended");
    }
}

#[tokio::test]
async fn another_key_is_not_this_one() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let mut alice = portal.browser("203.0.113.7").signed_in("alice").await;
    alice.key = Some(Arc::new(ClientKey::generate()));
    assert_eq!(alice.refresh().await.code(), "bad_proof");
}
