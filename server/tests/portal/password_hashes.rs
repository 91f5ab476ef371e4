//! Hashes of passwords at sign-in: parameters that change, long passwords, and a full queue.

use crate::support::{PASSWORD, Portal, Visitor};
use http::StatusCode;

/// Returns the number of hashes of each kind that occurs here.
async fn hashes(portal: &Portal) -> Vec<u64> {
    let registry = server::ops_listener::metrics::registry(&portal.state);
    let (_, text) = server::ops_listener::metrics::text(axum::extract::State(registry)).await.unwrap();
    let of = |memory: u32, passes: u32| {
        let line = format!("postern_hashes_total{{parameters=\"m={memory},t={passes},p=1\"}} ");
        text.lines().find_map(|text| text.strip_prefix(&line)).map_or(0, |count| count.parse().unwrap())
    };
    [(64, 1), (96, 3), (128, 2)].map(|(memory, passes)| of(memory, passes)).to_vec()
}

async fn hash_of(portal: &Portal, salt: u8) -> String {
    let permit = portal.state.passwords.permit().unwrap();
    portal.state.passwords.hash(&permit, PASSWORD.as_bytes().to_vec().into(), [salt; 16]).await.unwrap()
}

#[tokio::test]
async fn one_wrong_password_tells_nobody_who_exists_after_the_settings_changed() {
    let portal = Portal::with("[password]\nmemory_kib = 96\npasses = 3").await;
    let lower = Portal::with("[password]\nmemory_kib = 64\npasses = 1").await;
    let higher = Portal::with("[password]\nmemory_kib = 128\npasses = 2").await;
    let mut ids = Vec::new();
    for (name, at) in [("low", &lower), ("now", &portal), ("high", &higher)] {
        ids.push(portal.add_user_with(name, hash_of(at, 1).await).await);
    }
    let mut address = 0;
    let mut visitor = || {
        address += 1;
        portal.browser(&format!("203.0.113.{address}"))
    };
    let made = async |visitor: Visitor, name: &str, password: &str, code: &str| {
        let before = hashes(&portal).await;
        let answer = visitor.login(name, password).await;
        assert_eq!(if answer.status == StatusCode::OK { String::new() } else { answer.code() }, code, "{name}");
        let made: Vec<u64> = hashes(&portal).await.iter().zip(before).map(|(after, before)| after - before).collect();
        made
    };
    for name in ["nobody", "low", "now", "high", "no/name"] {
        assert_eq!(made(visitor(), name, "wrong", "wrong_credentials").await, [1, 1, 1], "{name}");
    }
    portal.advance(60_000).await;
    // A right password is hashed again with the settings, up and down; then no old parameters are computed any more.
    assert_eq!(made(visitor(), "low", PASSWORD, "").await, [1, 2, 1]);
    assert_eq!(made(visitor(), "nobody1", "wrong", "wrong_credentials").await, [0, 1, 1]);
    assert_eq!(made(visitor(), "high", PASSWORD, "").await, [0, 2, 1]);
    for name in ["nobody3", "low", "now", "high"] {
        assert_eq!(made(visitor(), name, "wrong", "wrong_credentials").await, [0, 1, 0], "{name}");
    }
    for id in ids {
        let hash = portal.store().user_by_id(&id.as_str().into()).await.unwrap().unwrap().password_hash.0;
        assert!(hash.contains("$m=96,t=3,p=1$"), "{hash}");
    }
    // A hash that another node stores counts for the next check here.
    portal.add_user_with("elsewhere", hash_of(&higher, 2).await).await;
    assert_eq!(made(visitor(), "nobody2", "wrong", "wrong_credentials").await, [0, 1, 1]);
}

#[tokio::test]
async fn long_and_odd_passwords_are_taken_whole() {
    let portal = Portal::start().await;
    let permit = portal.state.passwords.permit().unwrap();
    let long = "é".repeat(512);
    let hash = portal.state.passwords.hash(&permit, long.as_bytes().to_vec().into(), [1; 16]).await.unwrap();
    portal.add_user_with("alice", hash).await;
    let mut almost = long.clone();
    almost.pop();
    almost.push('è');
    assert_eq!(portal.browser("203.0.113.1").login("alice", &almost).await.code(), "wrong_credentials");
    assert_eq!(portal.browser("203.0.113.2").login("alice", &long).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_full_queue_spends_nothing() {
    let portal = Portal::with("[password]\nqueue = 1\nthreads = 1").await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7");
    let sealed = alice.sealed("alice", PASSWORD).await;
    let places: Vec<_> = std::iter::from_fn(|| portal.state.passwords.permit()).collect();
    let answer = alice.send_login(&sealed).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "busy"));
    assert_eq!(answer.header("retry-after"), "1");
    drop(places);
    assert_eq!(alice.send_login(&sealed).await.status, StatusCode::OK, "the short_key was not spent");
}
