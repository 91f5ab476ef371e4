//! Operations of administrators, and that nobody else may do them.

use crate::support::{Portal, Visitor, forged_login};
use axum::body::{Body, BodyDataStream};
use axum::extract::ConnectInfo;
use domain::UnixMs;
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

pub(crate) fn ban(address: &str) -> Value {
    json!({"address": address, "scope": "everything", "for": "2h", "reason": "It scans our ports."})
}

pub(crate) async fn delete(visitor: &Visitor, path: &str, body: &Value) -> StatusCode {
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
    assert!(portal.store().active_bans(UnixMs::EPOCH).await.unwrap().is_empty());
    assert!(portal.store().allowlist().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_lost_role_is_lost_at_once() {
    let portal = Portal::start().await;
    let root = portal.administrator().await;
    assert_eq!(root.get(paths::BANS).await.status, StatusCode::OK);
    let id = root.get(paths::SESSION).await.json()["sub"].as_str().unwrap().to_owned();
    let audit = portal.entry(store::audit::AuditEvent::MadeUser, &id);
    portal.add_administrator("other").await;
    assert!(
        portal.store().set_role(&id.as_str().into(), Role::User, &audit, portal.state.now()).await.unwrap().is_done()
    );
    assert_eq!(root.get(paths::BANS).await.code(), "forbidden");
    assert_eq!(root.get(paths::BANS_PAGE).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_last_hours_are_counted_by_trigger() {
    let portal = Portal::start().await;
    let root = portal.administrator().await;
    portal.add_user("alice").await;
    portal.browser("203.0.113.7").login("alice", "wrong").await;
    portal.browser("203.0.113.8").login("alice", "wrong").await;
    portal.advance(60 * 60_000).await;
    portal.browser("203.0.113.9").post(paths::LOGIN, &forged_login()).await;
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
    let root = portal.administrator().await;
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
    let root = portal.administrator().await;
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
    let root = portal.administrator().await;
    let mut stream = watched(&portal, &root).await;
    portal.browser("203.0.113.7").post(paths::LOGIN, &forged_login()).await;
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
    portal.browser("203.0.113.8").post(paths::LOGIN, &forged_login()).await;
    while let Some(rest) = stream.next().await {
        assert!(!String::from_utf8_lossy(&rest.unwrap()).contains("203.0.113.8"), "after the session has ended");
    }
}

#[tokio::test]
async fn a_live_stream_ends_with_the_access_token_that_opened_it() {
    let portal = Portal::start().await;
    let root = portal.administrator().await;
    let mut stream = watched(&portal, &root).await;
    portal.clock.advance(6 * 60_000);
    portal.browser("203.0.113.8").post(paths::LOGIN, &forged_login()).await;
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
    let root = portal.administrator().await;
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
        let root = portal.administrator().await;
        let eve_id = portal.add_administrator("eve").await;
        let ada = portal.add_user("ada").await;
        let eve = portal.browser("198.51.100.2").signed_in("eve").await;
        let mut headers = http::HeaderMap::new();
        let cookie = format!("__Host-postern-access={}", eve.cookie("access"));
        headers.insert(http::header::COOKIE, cookie.parse().unwrap());
        let session = SignedIn::find(&portal.state, None, &headers).await.unwrap().unwrap();
        let administrator = Administrator::find(&portal.state, session).await.unwrap().unwrap();

        let path = format!("{}/{eve_id}", paths::USERS);
        let lost = root.send(Method::PATCH, &path, Some(demotion.to_string()), &[]).await;
        assert_eq!(lost.status, StatusCode::NO_CONTENT, "{}", lost.text);

        let client = Client::new("198.51.100.2".parse().unwrap(), 64, &headers);
        let actor = Actor::administrator(&portal.state, &client, &administrator);
        let invited = invitations::invite(&actor, Role::Administrator, "", 24).await.unwrap_err();
        assert_eq!(ApiError::from(invited).code(), Code::Forbidden);
        let linked = reset::link(&actor, &ada.as_str().into()).await.unwrap_err();
        assert_eq!(ApiError::from(linked).code(), Code::Forbidden);
        let key = rotate(&actor, &portal.state.key_encryption, KeyKind::Signing, None).await.unwrap_err();
        assert_eq!(ApiError::from(key).code(), Code::Forbidden);
        assert_eq!(portal.store().invitations().await.unwrap(), []);
    }
}
