//! Sessions at apps: their ends and their lifetimes.

use crate::support::Portal;
use crate::support::apps::{APPS, AppBrowser, SHOP, WIKI, app_path, open_at_app, verify, verify_with};
use domain::account::Role;
use http::{Method, StatusCode};
use serde_json::json;
use store::audit::AuditEvent;
use wire::paths;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

#[tokio::test]
async fn an_app_s_session_lives_and_dies_with_its_parent() {
    let portal = Portal::with(APPS).await;
    let id = portal.add_user("alice").await;
    let laptop = AppBrowser::signed_in(&portal, "alice").await;
    let phone = AppBrowser::signed_in(&portal, "alice").await;
    for person in [&laptop, &phone] {
        person.enter(&person.wiki, WIKI, "/").await;
    }
    let status = async |who: &AppBrowser| verify(&who.wiki, WIKI, "/").await.status.as_u16();
    // Longer than any access token's lifetime, without a visit to the portal.
    let first = verify(&laptop.wiki, WIKI, "/").await.header("authorization").to_owned();
    assert_eq!(verify(&laptop.wiki, WIKI, "/").await.header("authorization"), first, "signed once");
    portal.advance(4 * MINUTE).await;
    let second = verify(&laptop.wiki, WIKI, "/").await;
    assert_ne!(second.header("authorization"), first, "never one that runs out on the way");
    portal.advance(DAY).await;
    assert_eq!((status(&laptop).await, status(&phone).await), (200, 200));

    // End one.
    phone.portal.refresh().await;
    let device = laptop.portal.refresh().await.json()["session"]["id"].as_str().unwrap().to_owned();
    phone.portal.send(Method::DELETE, &format!("{}/{device}", paths::SESSIONS), None, &[]).await;
    assert_eq!((status(&laptop).await, status(&phone).await), (401, 200));
    // Log out.
    phone.portal.post(paths::LOGOUT, &json!({})).await;
    assert_eq!(status(&phone).await, 401);
    // End all others.
    let (kept, ended) = (AppBrowser::signed_in(&portal, "alice").await, AppBrowser::signed_in(&portal, "alice").await);
    for person in [&kept, &ended] {
        person.enter(&person.wiki, WIKI, "/").await;
    }
    kept.portal.send(Method::DELETE, paths::SESSIONS, None, &[]).await;
    assert_eq!((status(&kept).await, status(&ended).await), (200, 401));
    // Disabled on another node.
    let other = portal.another().await;
    let third = AppBrowser::signed_in(&portal, "alice").await;
    third.enter(&third.wiki, WIKI, "/").await;
    assert_eq!(status(&third).await, 200);
    other
        .store()
        .set_disabled(&id.as_str().into(), true, &portal.entry(AuditEvent::UserDisabled, &id), portal.state.now())
        .await
        .unwrap();
    portal.advance(1000).await;
    assert_eq!(status(&third).await, 401);
}

#[tokio::test]
async fn use_of_an_app_alone_keeps_the_session_alive() {
    let portal = Portal::with(APPS).await;
    portal.add_user("alice").await;
    let alice = AppBrowser::signed_in(&portal, "alice").await;
    alice.enter(&alice.wiki, WIKI, "/").await;
    portal.advance(16 * DAY).await;
    assert_eq!(verify_with(&alice.wiki, WIKI, "/", &[("sec-fetch-mode", "cors")]).await.status, StatusCode::OK);
    let due = verify(&alice.wiki, WIKI, "/page").await;
    assert_eq!(due.header("location"), "https://wiki.example/.postern/start?next=/page");
    alice.portal.refresh().await;
    assert_eq!(app_path(&alice.enter(&alice.wiki, WIKI, "/page").await, WIKI), "/page");
    assert_eq!(verify(&alice.wiki, WIKI, "/page").await.status, StatusCode::OK);
    portal.advance(15 * DAY - MINUTE).await;
    assert_eq!(verify(&alice.wiki, WIKI, "/").await.status, StatusCode::OK, "31 days later");
    portal.advance(15 * DAY + MINUTE).await;
    assert_eq!(verify(&alice.wiki, WIKI, "/").await.status, StatusCode::UNAUTHORIZED, "nobody came");
}

#[tokio::test]
async fn signing_out_at_an_app_signs_out_everywhere_and_only_by_a_button() {
    let portal = Portal::with(APPS).await;
    portal.add_user("alice").await;
    let alice = AppBrowser::signed_in(&portal, "alice").await;
    alice.enter(&alice.wiki, WIKI, "/").await;
    alice.enter(&alice.shop, SHOP, "/").await;
    let asked = open_at_app(&alice.wiki, WIKI, paths::APP_LOGOUT).await;
    assert!(asked.text.contains("<form method=\"post\">"), "{}", asked.text);
    assert!(asked.header("content-security-policy").contains("form-action 'self' http://localhost:3000"));
    let press = async |site: &str, mode: &str| {
        let extra = [("host", "wiki.example"), ("sec-fetch-site", site), ("sec-fetch-mode", mode), ("origin", "null")];
        alice.wiki.send(Method::POST, paths::APP_LOGOUT, None, &extra).await
    };
    for site in ["cross-site", "same-site", "none"] {
        assert_eq!(press(site, "cors").await.code(), "cross_site", "{site}");
        let page = press(site, "navigate").await;
        assert!(page.status == StatusCode::FORBIDDEN && page.text.starts_with("<!DOCTYPE"), "{site}: {}", page.text);
    }
    assert_eq!(verify(&alice.wiki, WIKI, "/").await.status, StatusCode::OK);
    let kept = alice.wiki.cookie("app");
    let out = press("same-origin", "navigate").await;
    assert_eq!(out.header("location"), "http://localhost:3000/login?why=signed_out");
    assert_eq!(alice.wiki.cookie("app"), "");
    alice.wiki.set_cookie("app", &kept);
    assert_eq!(verify(&alice.wiki, WIKI, "/").await.status, StatusCode::UNAUTHORIZED, "a copy is no better");
    assert_eq!(verify(&alice.shop, SHOP, "/").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(alice.portal.get(paths::SESSION).await.code(), "no_session");
    assert_eq!(press("same-origin", "cors").await.status, StatusCode::NO_CONTENT, "twice is no error");
}

#[tokio::test]
async fn on_plain_http_the_button_tells_its_origin_and_a_person_is_answered_with_a_page() {
    let plain = "allow_insecure_http = true\npublic_url = 'http://portal.lan'\n\
         [[apps]]\nname = 'wiki'\norigin = 'http://wiki.lan'\n";
    let portal = Portal::with(&format!("trusted_proxies = ['10.0.0.1']\n{plain}")).await;
    let jar = portal.browser("203.0.113.7");
    let html = ("accept", "text/html,*/*;q=0.8");
    let bare = [("sec-fetch-site", ""), ("host", "wiki.lan"), html];
    let page = portal.program("203.0.113.7").send(Method::GET, paths::APP_LOGOUT, None, &bare[1..]).await;
    assert_eq!(page.header("referrer-policy"), "same-origin", "with no-referrer a form's origin is null");
    let program = portal.program("203.0.113.7");
    let press = async |origin: &str| {
        let extra = [("host", "wiki.lan"), html, ("origin", origin)];
        program.send(Method::POST, paths::APP_LOGOUT, None, &extra).await
    };
    let out = press("http://wiki.lan").await;
    assert_eq!(out.header("location"), "http://portal.lan/login?why=signed_out");
    for origin in ["null", "http://evil.lan"] {
        let refused = press(origin).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert!(refused.header("content-type").starts_with("text/html"), "{}", refused.text);
        assert!(refused.text.contains("href=\"/.postern/logout\""), "{}", refused.text);
    }
    drop(jar);
    let unknown = [("host", "wiki.lan"), html];
    let nowhere = program.send(Method::GET, "/.postern/nothing", None, &unknown).await;
    assert_eq!((nowhere.status, nowhere.code().as_str()), (StatusCode::NOT_FOUND, ""), "{}", nowhere.text);
}

#[tokio::test]
async fn a_role_that_is_taken_away_is_gone_at_once() {
    let portal = Portal::with(APPS).await;
    portal.add_administrator("root").await;
    let id = portal.add_administrator("bob").await;
    let (root, bob) = (AppBrowser::signed_in(&portal, "root").await, AppBrowser::signed_in(&portal, "bob").await);
    bob.enter(&bob.wiki, WIKI, "/").await;
    assert_eq!(verify(&bob.wiki, WIKI, "/admin").await.status, StatusCode::OK);
    let change = Some(json!({"role": "user"}).to_string());
    let changed = root.portal.send(Method::PATCH, &format!("{}/{id}", paths::USERS), change, &[]).await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT, "{}", changed.text);
    assert_eq!(verify(&bob.wiki, WIKI, "/admin").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_role_that_a_command_takes_away_is_gone_when_its_change_is_read() {
    let portal = Portal::with(APPS).await;
    portal.add_administrator("root").await;
    let id = portal.add_administrator("bob").await;
    let bob = AppBrowser::signed_in(&portal, "bob").await;
    bob.enter(&bob.wiki, WIKI, "/").await;
    assert_eq!(verify(&bob.wiki, WIKI, "/admin").await.status, StatusCode::OK);
    // Changes the store as a command does, which notifies no server.
    let audit = portal.entry(AuditEvent::MadeUser, &id);
    let set = portal.store().set_role(&id.as_str().into(), Role::User, &audit, portal.state.now()).await.unwrap();
    assert!(set.is_done());
    portal.advance(1000).await;
    assert_eq!(verify(&bob.wiki, WIKI, "/admin").await.status, StatusCode::FORBIDDEN);
    let page = verify(&bob.wiki, WIKI, "/").await;
    assert_eq!((page.status, page.header("remote-roles")), (StatusCode::OK, "user"), "the session stays");
}
