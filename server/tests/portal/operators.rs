//! Operations of administrators, and that nobody else may do them.

use crate::support::{PASSWORD, Portal, Visitor};
use axum::body::{Body, BodyDataStream};
use axum::extract::ConnectInfo;
use domain::account::Role;
use futures::StreamExt;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use server::api_error::ApiError;
use server::client::Client;
use server::flows::actor::Actor;
use server::flows::server_keys::rotate;
use server::flows::{invitations, reset};
use server::guards::administrator::Administrator;
use server::guards::signed_in::SignedIn;
use std::net::SocketAddr;
use store::keys::KeyKind;
use tower::ServiceExt;
use wire::paths;
use wire::problem::Code;

const ODD: [&str; 5] =
    ["'; DROP TABLE bans; --", "<script>alert(1)</script>", "\" onload=\"x", "=HYPERLINK(\"http://x\")", "../../etc"];

async fn office(portal: &Portal) -> Visitor {
    portal.add_administrator("root").await;
    portal.browser("198.51.100.1").signed_in("root").await
}

fn ban(address: &str) -> Value {
    json!({"address": address, "scope": "everything", "for": "2h", "reason": "It scans our ports."})
}

fn forged() -> Value {
    json!({"encrypted_username_password": "a.b.c.d.e", "short_key": "A".repeat(204)})
}

async fn delete(visitor: &Visitor, path: &str, body: &Value) -> StatusCode {
    visitor.send(Method::DELETE, path, Some(body.to_string()), &[]).await.status
}

#[tokio::test]
async fn nobody_else_may_ask_or_act() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let (stranger, alice) = (portal.browser("203.0.113.1"), portal.browser("203.0.113.2").signed_in("alice").await);
    let explain = format!("{}?address=203.0.113.7", paths::EXPLAIN);
    let reads = [paths::BANS, &explain, paths::ALLOWLIST, paths::AUDIT, paths::REFUSALS, paths::LIVE];
    for path in reads {
        assert_eq!(stranger.get(path).await.status, StatusCode::UNAUTHORIZED, "{path}");
        let refused = alice.get(path).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "forbidden"), "{path}");
    }
    assert_eq!(alice.post(paths::BANS, &ban("203.0.113.7")).await.code(), "forbidden");
    let network = json!({"network": "203.0.113.0/24", "comment": "mine"});
    assert_eq!(alice.post(paths::ALLOWLIST, &network).await.code(), "forbidden");
    for path in ["/api/admin/bans/x", "/api/admin/allow/x"] {
        assert_eq!(delete(&alice, path, &json!({"reason": "mine"})).await, StatusCode::FORBIDDEN);
    }
    assert!(portal.store().active_bans(0).await.unwrap().is_empty());
    assert!(portal.store().allowlist().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_lost_role_is_lost_at_once() {
    let portal = Portal::start().await;
    let root = office(&portal).await;
    assert_eq!(root.get(paths::BANS).await.status, StatusCode::OK);
    let id = root.get(paths::SESSION).await.json()["sub"].as_str().unwrap().to_owned();
    let audit = portal.entry(store::audit::AuditEvent::MadeUser, &id);
    portal.add_administrator("other").await;
    assert!(portal.store().set_role(&id, Role::User, &audit, portal.state.now()).await.unwrap().is_done());
    assert_eq!(root.get(paths::BANS).await.code(), "forbidden");
    assert_eq!(root.get(paths::BANS_PAGE).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_ban_by_hand_closes_here_and_elsewhere_until_it_is_lifted() {
    let portal = Portal::start().await;
    let root = office(&portal).await;
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
    let root = office(&portal).await;
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
async fn what_does_not_fit_is_refused_with_a_sentence() {
    let portal = Portal::start().await;
    let root = office(&portal).await;
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
async fn whoever_is_allowed_is_never_closed_and_still_refused() {
    let portal = Portal::start().await;
    let root = office(&portal).await;
    let other = portal.another().await;
    portal.add_user("alice").await;
    let visitor = portal.browser("203.0.113.7");
    assert_eq!(visitor.post(paths::LOGIN, &forged()).await.code(), "short_key_forged");
    assert_eq!(visitor.get("/login").await.code(), "banned");

    let network = json!({"network": "203.0.113.9/24", "comment": "the office", "for": "1h"});
    assert_eq!(root.post(paths::ALLOWLIST, &network).await.status, StatusCode::CREATED);
    let listed = root.get(paths::ALLOWLIST).await.json()["allowed"][0].clone();
    assert_eq!((listed["network"].as_str(), listed["comment"].as_str()), (Some("203.0.113.0/24"), Some("the office")));
    other.advance(1).await;
    for at in [&portal, &other] {
        let visitor = portal.browser("203.0.113.7").at(at);
        assert_eq!(visitor.get("/login").await.status, StatusCode::OK, "an older ban does not close it");
        for _ in 0..2 {
            assert_eq!(visitor.post(paths::LOGIN, &forged()).await.code(), "short_key_forged");
            assert_eq!(visitor.login("alice", "wrong").await.code(), "wrong_credentials");
        }
        assert_eq!(visitor.login("alice", PASSWORD).await.status, StatusCode::OK);
    }
    let explained = root.get(&format!("{}?address=203.0.113.7", paths::EXPLAIN)).await.json();
    assert_eq!(explained["allowed"][0]["comment"], "the office");
    assert_eq!((&explained["everything_closed_until"], explained["bans"].as_array().unwrap().len()), (&Value::Null, 1));

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
    let root = office(&portal).await;
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
    assert_eq!(closed["sign_in_closed_until"].as_i64().unwrap() - portal.state.now(), 2_000);
    assert_eq!(closed["everything_closed_until"], Value::Null);
    let wrong = rule(&closed, "invalid_credentials");
    assert_eq!((&wrong["strikes"], &wrong["next_seconds"]), (&json!(1), &json!(5)));
    assert_eq!(root.get(&format!("{}?address=x", paths::EXPLAIN)).await.code(), "bad_request");
}

#[tokio::test]
async fn the_last_hours_are_counted_by_trigger() {
    let portal = Portal::start().await;
    let root = office(&portal).await;
    portal.add_user("alice").await;
    portal.browser("203.0.113.7").login("alice", "wrong").await;
    portal.browser("203.0.113.8").login("alice", "wrong").await;
    portal.advance(60 * 60_000).await;
    portal.browser("203.0.113.9").post(paths::LOGIN, &forged()).await;
    root.refresh().await;
    let hours = root.get(paths::REFUSALS).await.json();
    let of =
        |name: &str| hours["triggers"].as_array().unwrap().iter().find(|row| row["trigger"] == name).unwrap().clone();
    let wrong = of("invalid_credentials");
    assert_eq!((&wrong["total"], &wrong["hours"][22], &wrong["hours"][23]), (&json!(2), &json!(2), &json!(0)));
    assert_eq!(of("forged_short_key")["hours"][23], 1);
    assert_eq!(wrong["hours"].as_array().unwrap().len(), 24);
}

#[tokio::test]
async fn injected_text_comes_back_as_text() {
    let portal = Portal::start().await;
    let root = office(&portal).await;
    for (n, odd) in ODD.into_iter().enumerate() {
        let address = format!("203.0.113.{n}");
        let mut wanted = ban(&address);
        wanted["reason"] = odd.into();
        assert_eq!(root.post(paths::BANS, &wanted).await.json()["reason"], odd);
        let network = json!({"network": address, "comment": odd});
        assert_eq!(root.post(paths::ALLOWLIST, &network).await.status, StatusCode::CREATED);
        let query = odd.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
        assert_eq!(root.get(&format!("{}?word={query}", paths::BANS)).await.json()["bans"], json!([]));
        assert_eq!(root.get(&format!("{}?user={query}", paths::AUDIT)).await.json()["entries"], json!([]));
        assert_eq!(root.get(&format!("{}?outcome={query}", paths::AUDIT)).await.json()["entries"], json!([]));
        assert_eq!(root.get(&format!("{}?address={query}", paths::EXPLAIN)).await.code(), "bad_request");
        for path in [paths::BANS_PAGE, paths::AUDIT_PAGE] {
            let page = root.get(&format!("{path}?word={query}&user={query}&explain={query}&outcome={query}")).await;
            assert_eq!(page.status, StatusCode::OK, "{path} {odd}");
            assert!(!page.text.contains("<script>alert"), "{path} {odd}");
            assert!(!page.text.contains("\"\" onload="), "no attribute ends early: {path} {odd}");
        }
        let path = format!("/api/admin/bans/{query}");
        assert_eq!(delete(&root, &path, &json!({"reason": odd})).await, StatusCode::NOT_FOUND, "{odd}");
    }
}

#[tokio::test]
async fn the_trail_is_exported_whole_and_inert() {
    let portal = Portal::start().await;
    let root = office(&portal).await;
    let mut program = portal.browser("203.0.113.7");
    program.headers.push(("user-agent", "=cmd|'/c calc'!A1".to_owned()));
    portal.add_user("alice").await;
    program.login("alice", "wrong").await;
    for _ in 0..520 {
        let entry = portal.entry(store::audit::AuditEvent::Logout, "somebody");
        portal.store().append(&entry).await.unwrap();
    }
    let all = root.get(&format!("{}?format=ndjson", paths::AUDIT)).await;
    assert_eq!(all.header("content-type"), "application/x-ndjson");
    let lines: Vec<Value> = all.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() > 520, "{} lines", lines.len());
    let mut ids: Vec<_> = lines.iter().map(|line| line["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), lines.len(), "each once");

    let table = root.get(&format!("{}?format=csv&event=login", paths::AUDIT)).await;
    assert!(table.header("content-disposition").contains("audit.csv"));
    assert!(
        table.text.starts_with("time,event,outcome,user,user_id,by,by_id,about,address,device\r\n"),
        "{}",
        table.text
    );
    for cell in table.text.lines().flat_map(|line| line.split(',')) {
        assert!(!cell.starts_with(['=', '+', '@']) && !cell.starts_with("\"="), "{cell}");
    }

    let first = root.get(paths::AUDIT).await.json();
    let next = first["next"].as_str().unwrap();
    let second = root.get(&format!("{}?before={next}", paths::AUDIT)).await.json();
    assert_eq!(first["entries"].as_array().unwrap().len(), 100);
    assert_ne!(first["entries"][99]["id"], second["entries"][0]["id"]);
}

#[tokio::test]
async fn refusals_are_seen_live_until_the_session_ends() {
    let portal = Portal::start().await;
    let root = office(&portal).await;
    let mut stream = watched(&portal, &root).await;
    portal.browser("203.0.113.7").post(paths::LOGIN, &forged()).await;
    let event = loop {
        let text = String::from_utf8(stream.next().await.unwrap().unwrap().to_vec()).unwrap();
        if text.starts_with("event: refusal") {
            break text;
        }
    };
    let data: Value = serde_json::from_str(event.lines().nth(1).unwrap().strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!((&data["address"], &data["trigger"]), (&json!("203.0.113.7"), &json!("forged_short_key")));
    assert_eq!((&data["scope"], data["incident"].as_str().unwrap().len()), (&json!("everything"), 7));

    root.post(paths::LOGOUT, &json!({})).await;
    portal.browser("203.0.113.8").post(paths::LOGIN, &forged()).await;
    while let Some(rest) = stream.next().await {
        assert!(!String::from_utf8_lossy(&rest.unwrap()).contains("203.0.113.8"), "after the session has ended");
    }
}

#[tokio::test]
async fn a_live_stream_ends_with_the_access_token_that_opened_it() {
    let portal = Portal::start().await;
    let root = office(&portal).await;
    let mut stream = watched(&portal, &root).await;
    portal.clock.advance(6 * 60_000);
    portal.browser("203.0.113.8").post(paths::LOGIN, &forged()).await;
    while let Some(rest) = stream.next().await {
        assert!(!String::from_utf8_lossy(&rest.unwrap()).contains("203.0.113.8"), "after the token has expired");
    }
}

/// Opens the stream of refusals.
async fn watched(portal: &Portal, root: &Visitor) -> BodyDataStream {
    let cookies: Vec<_> = root.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
    let request = Request::get(paths::LIVE).header("host", "localhost:3000").header("sec-fetch-site", "same-origin");
    let mut request = request.header("cookie", cookies.join("; ")).body(Body::empty()).unwrap();
    request.extensions_mut().insert(ConnectInfo(SocketAddr::new("198.51.100.1".parse().unwrap(), 40_000)));
    let response = portal.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    response.into_body().into_data_stream()
}

#[tokio::test]
async fn pages_are_for_administrators() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let (stranger, alice) = (portal.browser("203.0.113.1"), portal.browser("203.0.113.2").signed_in("alice").await);
    let root = office(&portal).await;
    for path in [paths::BANS_PAGE, paths::TOLL_PAGE, paths::AUDIT_PAGE, paths::AUDIT_FILE, paths::HELP_PAGE] {
        assert_eq!(stranger.get(path).await.status, StatusCode::SEE_OTHER, "{path}");
        assert_eq!(alice.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(root.get(path).await.status, StatusCode::OK, "{path}");
    }
    assert!(!alice.get(paths::DASHBOARD_PAGE).await.text.contains(paths::BANS_PAGE));
    assert!(root.get(paths::DASHBOARD_PAGE).await.text.contains(paths::BANS_PAGE));
}

#[tokio::test]
async fn a_request_that_was_under_way_when_the_role_was_lost_changes_nothing() {
    for demotion in [json!({"role": "user"}), json!({"disabled": true})] {
        let portal = Portal::start().await;
        let root = office(&portal).await;
        let eve_id = portal.add_administrator("eve").await;
        let ada = portal.add_user("ada").await;
        let eve = portal.browser("198.51.100.2").signed_in("eve").await;
        let mut headers = http::HeaderMap::new();
        let cookie = format!("__Host-postern-access={}", eve.cookie("access"));
        headers.insert(http::header::COOKIE, cookie.parse().unwrap());
        let session = SignedIn::find(&portal.state, &headers).await.unwrap().unwrap();
        let administrator = Administrator::find(&portal.state, session).await.unwrap().unwrap();

        let path = format!("{}/{eve_id}", paths::USERS);
        let lost = root.send(Method::PATCH, &path, Some(demotion.to_string()), &[]).await;
        assert_eq!(lost.status, StatusCode::NO_CONTENT, "{}", lost.text);

        let client = Client::new("198.51.100.2".parse().unwrap(), 64, &headers);
        let actor = Actor::administrator(&portal.state, &client, &administrator);
        let invited = invitations::invite(&actor, Role::Administrator, "", 24).await.unwrap_err();
        assert_eq!(ApiError::from(invited).code(), Code::Forbidden);
        let linked = reset::link(&actor, &ada).await.unwrap_err();
        assert_eq!(ApiError::from(linked).code(), Code::Forbidden);
        let key = rotate(&actor, &portal.state.key_encryption, KeyKind::Signing, None).await.unwrap_err();
        assert_eq!(ApiError::from(key).code(), Code::Forbidden);
        assert_eq!(portal.store().invitations().await.unwrap(), []);
    }
}
