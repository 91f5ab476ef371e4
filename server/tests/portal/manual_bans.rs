//! Bans and allow-list entries that administrators make.

use crate::operators::{ban, delete};
use crate::support::{PASSWORD, Portal, forged_login};
use http::StatusCode;
use serde_json::{Value, json};
use wire::paths;

#[tokio::test]
async fn a_ban_by_hand_closes_here_and_elsewhere_until_it_is_lifted() {
    let portal = Portal::start().await;
    let root = portal.administrator().await;
    let other = portal.another().await;
    let visitor = portal.browser("203.0.113.7");
    portal.advance(1).await;
    let made = root.post(paths::BANS, &ban("203.0.113.7")).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let (made, id) = (made.json(), made.json()["id"].as_str().unwrap().to_owned());
    assert_eq!((made["made_by"].as_str(), made["trigger"].as_str()), (Some("root"), Some("manual")));
    assert_eq!(made["until"].as_i64().unwrap() - made["since"].as_i64().unwrap(), 2 * 60 * 60_000);
    assert_eq!(visitor.get("/login").await.code(), "banned");
    other.advance(1).await;
    assert_eq!(visitor.at(&other).get("/login").await.code(), "banned");

    for word in ["203.0.113.7", made["incident"].as_str().unwrap(), ""] {
        let found = root.get(&format!("{}?state=active&word={word}", paths::BANS)).await.json();
        assert_eq!(found["bans"][0]["id"].as_str(), Some(id.as_str()), "{word}");
    }
    for wrong in ["?state=none", "?trigger=none"] {
        assert_eq!(root.get(&format!("{}{wrong}", paths::BANS)).await.status, StatusCode::BAD_REQUEST);
    }
    portal.advance(1).await;
    let path = format!("/api/admin/bans/{id}");
    assert_eq!(delete(&root, &path, &json!({"reason": ""})).await, StatusCode::BAD_REQUEST);
    assert_eq!(visitor.get("/login").await.code(), "banned");
    assert_eq!(delete(&root, &path, &json!({"reason": "It was us."})).await, StatusCode::NO_CONTENT);
    assert_eq!(delete(&root, &path, &json!({"reason": "Again."})).await, StatusCode::NOT_FOUND);
    assert_eq!(visitor.get("/login").await.status, StatusCode::OK);
    other.advance(1).await;
    assert_eq!(visitor.at(&other).get("/login").await.status, StatusCode::OK);

    let over = root.get(&format!("{}?state=over", paths::BANS)).await.json()["bans"][0].clone();
    assert_eq!((over["lifted_by"].as_str(), over["lift_reason"].as_str()), (Some("root"), Some("It was us.")));
    let audit = root.get(&format!("{}?user=root", paths::AUDIT)).await.json();
    let done: Vec<_> =
        audit["entries"].as_array().unwrap().iter().map(|entry| (&entry["event"], &entry["about"])).collect();
    assert_eq!(done[0], (&json!("ban_lifted"), &json!("203.0.113.7")));
    assert_eq!(done[1], (&json!("ban_made"), &json!("203.0.113.7")));
}

#[tokio::test]
async fn nobody_locks_the_operator_out_by_accident() {
    let portal = Portal::with("trusted_proxies = ['10.0.0.0/8', '2001:db8:1::/48']").await;
    let root = portal.administrator().await;
    for address in ["198.51.100.1", "::ffff:198.51.100.1", "127.0.0.1", "::1", "10.1.2.3", "2001:db8:1:7::9"] {
        let refused = root.post(paths::BANS, &ban(address)).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::CONFLICT, "would_lock_out"), "{address}");
    }
    assert_eq!(root.get(paths::SESSION).await.status, StatusCode::OK);
    let mut meant = ban("198.51.100.1");
    meant["force"] = true.into();
    assert_eq!(root.post(paths::BANS, &meant).await.status, StatusCode::CREATED);
    assert_eq!(root.get(paths::SESSION).await.code(), "banned");
    meant["address"] = "127.0.0.1".into();
    let other = root.moved("198.51.100.2");
    let here = other.post(paths::BANS, &meant).await.json();
    assert_eq!(here["until"].as_i64().unwrap() - here["since"].as_i64().unwrap(), 60_000, "loopback: a minute");
}

#[tokio::test]
async fn invalid_input_is_refused_with_a_sentence() {
    let portal = Portal::start().await;
    let root = portal.administrator().await;
    let with = |name: &str, value: &str| {
        let mut ban = ban("203.0.113.7");
        ban[name] = value.into();
        ban
    };
    for (body, part) in [
        (with("address", "nonsense"), "write 203.0.113.7"),
        (with("address", "203.0.113.0/24"), "write 203.0.113.7"),
        (with("address", "2001:db8::/32"), "/64"),
        (with("scope", "all"), "everything"),
        (with("for", "forever"), "15m"),
        (with("for", "0s"), "15m"),
        (with("for", "100000d"), "15m"),
        (with("reason", " "), "200 characters"),
        (with("reason", "two\nlines"), "200 characters"),
    ] {
        let answer = root.post(paths::BANS, &body).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "bad_request"), "{body}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(part), "{}", answer.text);
    }
    for (network, part) in [("0.0.0.0/0", "every address"), ("::/0", "every address"), ("office", "203.0.113.0/24")] {
        let answer = root.post(paths::ALLOWLIST, &json!({"network": network, "comment": "x"})).await;
        assert!(answer.json()["detail"].as_str().unwrap().contains(part), "{}", answer.text);
    }
    for path in [paths::BANS, paths::ALLOWLIST] {
        assert_eq!(root.post(path, &json!([1])).await.code(), "bad_request");
    }
    for query in ["?event=none", "?since=yesterday", "?before=x", "?format=xml"] {
        assert_eq!(root.get(&format!("{}{query}", paths::AUDIT)).await.code(), "bad_request", "{query}");
    }
}

#[tokio::test]
async fn an_allowed_address_is_never_banned_and_still_refused() {
    let portal = Portal::start().await;
    let root = portal.administrator().await;
    let other = portal.another().await;
    portal.add_user("alice").await;
    let visitor = portal.browser("203.0.113.7");
    assert_eq!(visitor.post(paths::LOGIN, &forged_login()).await.code(), "short_key_forged");
    assert_eq!(visitor.get("/login").await.code(), "banned");

    let network = json!({"network": "::ffff:203.0.113.9/120", "comment": "the office", "for": "1h"});
    assert_eq!(root.post(paths::ALLOWLIST, &network).await.status, StatusCode::CREATED);
    let listed = root.get(paths::ALLOWLIST).await.json()["allowed"][0].clone();
    assert_eq!((listed["network"].as_str(), listed["comment"].as_str()), (Some("203.0.113.0/24"), Some("the office")));
    other.advance(1).await;
    for at in [&portal, &other] {
        let visitor = portal.browser("203.0.113.7").at(at);
        assert_eq!(visitor.get("/login").await.status, StatusCode::OK, "an older ban does not close it");
        for _ in 0..2 {
            assert_eq!(visitor.post(paths::LOGIN, &forged_login()).await.code(), "short_key_forged");
            assert_eq!(visitor.login("alice", "wrong").await.code(), "wrong_credentials");
        }
        assert_eq!(visitor.login("alice", PASSWORD).await.status, StatusCode::OK);
    }
    let explained = root.get(&format!("{}?address=203.0.113.7", paths::EXPLAIN)).await.json();
    assert_eq!(explained["allowed"][0]["comment"], "the office");
    assert_eq!((&explained["everything_closed_until"], explained["bans"].as_array().unwrap().len()), (&Value::Null, 1));

    // A ban without an effect is refused, so that nobody relies on it.
    let mut useless = ban("203.0.113.200");
    let refused = root.post(paths::BANS, &useless).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::CONFLICT, "ban_without_effect"));
    assert!(refused.json()["detail"].as_str().unwrap().contains("203.0.113.0/24 is on the allowlist (the office)"));
    useless["force"] = true.into();
    assert_eq!(root.post(paths::BANS, &useless).await.status, StatusCode::CREATED);
    assert_eq!(portal.browser("203.0.113.200").get("/login").await.status, StatusCode::OK);

    let path = format!("/api/admin/allow/{}", listed["id"].as_str().unwrap());
    assert_eq!(delete(&root, &path, &json!({})).await, StatusCode::NO_CONTENT);
    assert_eq!(delete(&root, &path, &json!({})).await, StatusCode::NOT_FOUND);
    assert_eq!(visitor.get("/login").await.code(), "banned", "the older ban is in force again");
    // An entry also expires by itself.
    root.post(paths::ALLOWLIST, &network).await;
    assert_eq!(visitor.get("/login").await.status, StatusCode::OK);
    let short = json!({"network": "203.0.113.0/24", "comment": "the office", "for": "5m"});
    root.post(paths::ALLOWLIST, &short).await;
    portal.advance(5 * 60_000 - 1).await;
    assert_eq!(visitor.get("/login").await.status, StatusCode::OK);
    portal.advance(1).await;
    assert_eq!(visitor.get("/login").await.code(), "banned");
}

#[tokio::test]
async fn explaining_says_what_is_and_what_would_be() {
    let portal = Portal::start().await;
    let root = portal.administrator().await;
    portal.add_user("alice").await;
    let visitor = portal.browser("203.0.113.7");
    let explain = async || root.get(&format!("{}?address=203.0.113.7", paths::EXPLAIN)).await.json();
    let rule = |explained: &Value, name: &str| {
        explained["rules"].as_array().unwrap().iter().find(|rule| rule["trigger"] == name).unwrap().clone()
    };
    let open = explain().await;
    assert_eq!((&open["sign_in_closed_until"], &open["everything_closed_until"]), (&Value::Null, &Value::Null));
    assert_eq!(rule(&open, "invalid_credentials")["next_seconds"], 2);
    visitor.login("alice", "wrong").await;
    let closed = explain().await;
    assert_eq!(closed["sign_in_closed_until"].as_i64().unwrap() - portal.state.now().as_millis(), 2_000);
    assert_eq!(closed["everything_closed_until"], Value::Null);
    let wrong = rule(&closed, "invalid_credentials");
    assert_eq!((&wrong["strikes"], &wrong["next_seconds"]), (&json!(1), &json!(5)));
    assert_eq!(root.get(&format!("{}?address=x", paths::EXPLAIN)).await.code(), "bad_request");
}
