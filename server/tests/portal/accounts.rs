//! Sign-up, invitations, forgotten passwords, and the removal and administration of accounts.

use crate::support::{PASSWORD, Portal, Visitor};
use domain::account::Role;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use wire::envelope::EnvelopeKind;
use wire::paths;

const NEW: &str = "another correct horse battery staple";

async fn administrator(portal: &Portal) -> Visitor {
    let id = portal.add_user("root").await;
    let entry = portal.entry(store::audit::AuditEvent::MadeAdministrator, &id);
    portal.store().set_role(&id.as_str().into(), Role::Administrator, &entry, portal.state.now()).await.unwrap();
    portal.browser("203.0.113.1").signed_in("root").await
}

async fn send(visitor: &Visitor, method: Method, path: &str, body: Value) -> crate::support::Answer {
    visitor.send(method, path, Some(body.to_string()), &[]).await
}

/// Returns the code of the link in an answer.
fn code(answer: &crate::support::Answer) -> String {
    answer.json()["link"].as_str().unwrap().split_once("#code=").unwrap().1.to_owned()
}

/// Returns what an answer says to the person.
fn says(answer: &crate::support::Answer) -> String {
    answer.json()["detail"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_invitation_that_a_signed_in_person_opens_is_not_thrown_away() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let page = async |path: &str| alice.send(Method::GET, path, None, &[("sec-fetch-mode", "navigate")]).await;
    let signup = page("/signup").await;
    assert_eq!(signup.status, StatusCode::OK);
    assert!(signup.text.contains("You are signed in as") && signup.text.contains(r#"action="/api/logout""#));
    // With a way back, the person wanted to go there.
    let next = page("/signup?next=%2Fdashboard%2Fkeys").await;
    assert_eq!((next.status, next.header("location")), (StatusCode::SEE_OTHER, "/dashboard/keys"));
}

async fn sign_up(portal: &Portal, address: &str, name: &str, code: Option<&str>) -> crate::support::Answer {
    let content = json!({"username": name, "password": PASSWORD, "code": code});
    portal.browser(address).post_sealed(EnvelopeKind::Signup, &content).await
}

#[tokio::test]
async fn an_invitation_makes_one_account_of_its_role() {
    let portal = Portal::start().await;
    let root = administrator(&portal).await;
    assert_eq!(sign_up(&portal, "203.0.113.20", "alice", None).await.code(), "signup_closed");
    let guessed = sign_up(&portal, "203.0.113.21", "alice", Some("guessed")).await;
    assert!(guessed.code() == "signup_closed" && says(&guessed).contains("not complete"), "{}", guessed.text);

    let request = json!({"role": "administrator", "note": "the cook", "hours": 24});
    let made = root.post(paths::INVITATIONS, &request).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let listed = root.get(paths::INVITATIONS).await;
    assert!(listed.text.contains("the cook") && !listed.text.contains(&code(&made)), "{}", listed.text);

    let joined = sign_up(&portal, "203.0.113.22", "alice", Some(&code(&made))).await;
    assert_eq!(joined.status, StatusCode::OK, "{}", joined.text);
    assert_eq!(joined.json()["session"]["roles"], json!(["administrator"]));
    let used = sign_up(&portal, "203.0.113.23", "bob", Some(&code(&made))).await;
    assert!(used.code() == "signup_closed" && says(&used).contains("already used"), "{}", used.text);
    assert_eq!(root.get(paths::INVITATIONS).await.json()["invitations"], json!([]));
}

#[tokio::test]
async fn invitations_run_out_and_are_revoked() {
    let portal = Portal::start().await;
    let root = administrator(&portal).await;
    let short = root.post(paths::INVITATIONS, &json!({"role": "user", "hours": 1})).await;
    let long = root.post(paths::INVITATIONS, &json!({"role": "user", "hours": 720})).await;
    portal.advance(60 * 60_000).await;
    assert_eq!(root.refresh().await.status, StatusCode::OK);
    assert_eq!(root.confirm().await.status, StatusCode::NO_CONTENT);
    let late = sign_up(&portal, "203.0.113.20", "alice", Some(&code(&short))).await;
    assert!(late.code() == "signup_closed" && says(&late).contains("expired"), "{}", late.text);
    let open = root.get(paths::INVITATIONS).await.json();
    let id = open["invitations"][0]["id"].as_str().unwrap();
    let path = format!("{}/{id}", paths::INVITATIONS);
    assert_eq!(root.send(Method::DELETE, &path, None, &[]).await.status, StatusCode::NO_CONTENT);
    assert_eq!(root.send(Method::DELETE, &path, None, &[]).await.status, StatusCode::NOT_FOUND);
    let revoked = sign_up(&portal, "203.0.113.21", "alice", Some(&code(&long))).await;
    assert!(revoked.code() == "signup_closed" && says(&revoked).contains("withdrawn"), "{}", revoked.text);
    for wrong in [json!({"role": "king", "hours": 1}), json!({"role": "user", "hours": 721}), json!({"role": "user"})] {
        assert_eq!(root.post(paths::INVITATIONS, &wrong).await.code(), "bad_request", "{wrong}");
    }
}

#[tokio::test]
async fn only_administrators_administer_and_a_lost_role_is_lost_at_once() {
    let portal = Portal::start().await;
    let root = administrator(&portal).await;
    let id = portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let user = format!("{}/{id}", paths::USERS);
    let all = [
        (Method::GET, paths::USERS.to_owned()),
        (Method::PATCH, user.clone()),
        (Method::DELETE, user.clone()),
        (Method::POST, format!("{user}/reset")),
        (Method::GET, paths::INVITATIONS.to_owned()),
        (Method::POST, paths::INVITATIONS.to_owned()),
        (Method::DELETE, format!("{}/x", paths::INVITATIONS)),
    ];
    let stranger = portal.browser("203.0.113.8");
    for (method, path) in &all {
        assert_eq!(send(&alice, method.clone(), path, json!({})).await.code(), "forbidden", "{method} {path}");
        assert_eq!(send(&stranger, method.clone(), path, json!({})).await.code(), "no_session", "{method} {path}");
    }
    assert_eq!(
        send(&root, Method::PATCH, &user, json!({"role": "administrator"})).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(alice.get(paths::USERS).await.status, StatusCode::OK);
    let users = alice.get(paths::USERS).await.json();
    assert_eq!(users["users"][0]["username"], "alice");
    assert!(!users.to_string().contains("argon2"), "no hash leaves the server");
    assert_eq!(send(&root, Method::PATCH, &user, json!({"role": "user"})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(alice.get(paths::USERS).await.code(), "forbidden");
}

#[tokio::test]
async fn the_list_of_accounts_has_pages() {
    let portal = Portal::start().await;
    let root = administrator(&portal).await;
    for number in 0..150 {
        portal.add_user(&format!("person{number:03}")).await;
    }
    let (mut names, mut after) = (Vec::new(), String::new());
    for expected in [100, 51] {
        let page = root.get(&format!("{}?after={after}", paths::USERS)).await.json();
        let users = page["users"].as_array().unwrap();
        assert_eq!(users.len(), expected);
        names.extend(users.iter().map(|user| user["username"].as_str().unwrap().to_owned()));
        after = page["next"].as_str().unwrap_or_default().to_owned();
    }
    assert!(after.is_empty(), "nothing follows the last page");
    assert!(names.is_sorted() && names.len() == 151);
}

#[tokio::test]
async fn the_last_administrator_cannot_leave() {
    let portal = Portal::start().await;
    let root = administrator(&portal).await;
    let id = root.get(paths::SESSION).await.json()["sub"].as_str().unwrap().to_owned();
    let path = format!("{}/{id}", paths::USERS);
    for request in [json!({"role": "user"}), json!({"disabled": true})] {
        assert_eq!(send(&root, Method::PATCH, &path, request).await.code(), "last_administrator");
    }
    assert_eq!(root.send(Method::DELETE, &path, None, &[]).await.code(), "last_administrator");
    assert_eq!(
        root.post_sealed(EnvelopeKind::Deletion, &json!({"password": PASSWORD})).await.code(),
        "last_administrator"
    );
    assert_eq!(root.get(paths::SESSION).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_disabled_account_is_out_at_once() {
    let portal = Portal::start().await;
    let root = administrator(&portal).await;
    let id = portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let path = format!("{}/{id}", paths::USERS);
    assert_eq!(send(&root, Method::PATCH, &path, json!({"disabled": true})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(alice.get(paths::SESSION).await.code(), "no_session");
    assert_eq!(portal.browser("203.0.113.9").login("alice", PASSWORD).await.code(), "wrong_credentials");
    assert_eq!(send(&root, Method::PATCH, &path, json!({"disabled": false})).await.status, StatusCode::NO_CONTENT);
    portal.clock.advance(60_000);
    assert_eq!(portal.browser("203.0.113.9").login("alice", PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_changed_password_ends_every_other_session() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let here = portal.browser("203.0.113.7").signed_in("alice").await;
    let there = portal.browser("203.0.113.8").signed_in("alice").await;

    let short = here.post_sealed(EnvelopeKind::Password, &json!({"old": PASSWORD, "new": "short"})).await;
    assert_eq!(short.code(), "password_too_short");
    let changed = here.post_sealed(EnvelopeKind::Password, &json!({"old": PASSWORD, "new": NEW})).await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT, "{}", changed.text);
    assert_eq!(here.get(paths::SESSION).await.status, StatusCode::OK);
    assert_eq!(here.refresh().await.status, StatusCode::OK);
    assert_eq!(there.get(paths::SESSION).await.code(), "no_session");
    assert_eq!(there.refresh().await.code(), "session_ended");
    assert_eq!(portal.browser("203.0.113.9").login("alice", PASSWORD).await.code(), "wrong_credentials");
    assert_eq!(portal.browser("203.0.113.10").login("alice", NEW).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_wrong_old_password_counts_like_one_at_sign_in() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let guess = json!({"old": "a guess at the old one", "new": NEW});
    let refused = alice.post_sealed(EnvelopeKind::Password, &guess).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::UNAUTHORIZED, "wrong_credentials"));
    assert!(!refused.header("retry-after").is_empty());
    assert_eq!(alice.get(paths::CHALLENGE).await.code(), "banned", "its own device waits");
    assert_eq!(alice.get(paths::SESSION).await.status, StatusCode::OK, "and stays signed in");
    let stranger = portal.browser("203.0.113.8").post_sealed(EnvelopeKind::Password, &guess).await;
    assert_eq!(stranger.code(), "no_session");
}

#[tokio::test]
async fn an_envelope_of_one_kind_is_none_of_another() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let challenge = alice.challenge().await;
    let (body, headers) = alice.seal(&challenge, EnvelopeKind::Password, &json!({"password": PASSWORD}));
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = alice.send(Method::POST, paths::ACCOUNT_DELETE, Some(body), &headers).await;
    assert_eq!(answer.code(), "bad_envelope");
}

#[tokio::test]
async fn a_reset_link_works_once_within_its_hour() {
    let portal = Portal::start().await;
    let root = administrator(&portal).await;
    let id = portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let path = format!("{}/{id}/reset", paths::USERS);
    let first = code(&root.post(&path, &json!({})).await);
    let second = code(&root.post(&path, &json!({})).await);
    let reset = async |address: &str, code: &str| {
        portal.browser(address).post_sealed(EnvelopeKind::Reset, &json!({"code": code, "password": NEW})).await
    };
    assert_eq!(reset("203.0.113.21", &first).await.status, StatusCode::NO_CONTENT, "the second leaves it valid");
    for code in [&first, &second] {
        assert_eq!(reset("203.0.113.22", code).await.code(), "link_used_up");
    }
    assert_eq!(alice.get(paths::SESSION).await.code(), "no_session", "every session ended");
    assert_eq!(portal.browser("203.0.113.23").login("alice", NEW).await.status, StatusCode::OK);

    let late = code(&root.post(&path, &json!({})).await);
    portal.clock.advance(60 * 60_000);
    assert_eq!(reset("203.0.113.24", &late).await.code(), "link_used_up");
    let page = alice.send(Method::GET, "/reset", None, &[("sec-fetch-mode", "navigate")]).await;
    assert_eq!(page.status, StatusCode::OK);
}

#[tokio::test]
async fn a_deleted_account_leaves_only_an_id() {
    let portal = Portal::start().await;
    administrator(&portal).await;
    let id = portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    assert_eq!(
        alice.post_sealed(EnvelopeKind::Deletion, &json!({"password": "wrong"})).await.code(),
        "wrong_credentials"
    );
    portal.clock.advance(10_000);
    let gone = alice.post_sealed(EnvelopeKind::Deletion, &json!({"password": PASSWORD})).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.text);
    for cookie in ["access", "refresh", "device"] {
        assert_eq!(alice.cookie(cookie), "", "the browser forgets everything");
    }
    assert_eq!(portal.browser("203.0.113.8").login("alice", PASSWORD).await.code(), "wrong_credentials");
    for entry in portal.store().audit_of(&id.as_str().into(), 100).await.unwrap() {
        assert_eq!((entry.address.as_str(), entry.device.as_str()), ("", ""), "{:?}", entry.event);
    }
    assert_ne!(portal.add_user("alice").await, id, "the name is free, the id is not");
}

#[tokio::test]
async fn wrong_codes_are_in_the_audit_log_once_a_minute() {
    let portal = Portal::start().await;
    administrator(&portal).await;
    let rows = async |event| {
        let search = store::audit::AuditSearch { event: Some(event), limit: 100, ..Default::default() };
        let lines = portal.store().search_audit(&search).await.unwrap();
        lines.into_iter().filter(|line| line.entry.outcome == "wrong_code").count()
    };
    let guest = portal.browser("203.0.113.20");
    for _ in 0..3 {
        let answer = guest.post_sealed(EnvelopeKind::Reset, &json!({"code": "guessed", "password": NEW})).await;
        assert_eq!(answer.code(), "link_used_up");
        assert_eq!(sign_up(&portal, "203.0.113.20", "alice", Some("guessed")).await.code(), "signup_closed");
    }
    assert_eq!(rows(store::audit::AuditEvent::PasswordSet).await, 1);
    assert_eq!(rows(store::audit::AuditEvent::UserAdded).await, 1);
    assert_eq!(sign_up(&portal, "203.0.113.21", "alice", Some("guessed")).await.code(), "signup_closed");
    assert_eq!(rows(store::audit::AuditEvent::UserAdded).await, 2, "another address");
    assert_eq!(sign_up(&portal, "203.0.113.22", "alice", None).await.code(), "signup_closed");
    assert_eq!(rows(store::audit::AuditEvent::UserAdded).await, 2, "no code is no wrong one");
}

#[tokio::test]
async fn the_page_of_users_is_light_and_leads_to_everybody() {
    let portal = Portal::start().await;
    let root = administrator(&portal).await;
    for number in 0..120 {
        portal.add_user(&format!("guest{number:03}")).await;
    }
    let mut path = paths::USERS_PAGE.to_owned();
    let mut seen = Vec::new();
    loop {
        let page = root.get(&path).await;
        assert_eq!(page.status, StatusCode::OK);
        let names: Vec<_> = page.text.match_indices("device-name").collect();
        assert!(names.len() <= 50, "{path}: {} accounts", names.len());
        assert!(page.text.len() < 250_000, "{path}: {} bytes", page.text.len());
        seen.extend(
            (0..120).map(|number| format!("guest{number:03}")).filter(|name| page.text.contains(name.as_str())),
        );
        let Some((before, _)) = page.text.split_once("\">More accounts<") else { break };
        path = before.rsplit_once("href=\"").unwrap().1.replace("&amp;", "&");
    }
    assert_eq!(seen.len(), 120, "each once");
    let (mut path, mut seen) = (format!("{}?word=Guest", paths::USERS_PAGE), 0);
    loop {
        let page = root.get(&path).await.text;
        seen += page.matches("device-name").count();
        assert!(!page.contains(" accounts match."), "{path}: matches on other pages are not counted");
        let Some((before, _)) = page.split_once("\">More accounts<") else { break };
        path = before.rsplit_once("href=\"").unwrap().1.replace("&amp;", "&");
        assert!(path.contains("word=Guest"), "{path}");
    }
    assert_eq!(seen, 120, "each once");
    let found = root.get(&format!("{}?word=GUEST11", paths::USERS_PAGE)).await.text;
    assert_eq!(found.matches("device-name").count(), 10);
    assert!(found.contains("10 accounts match."), "{found}");
    assert!(root.get(&format!("{}?word=nobody", paths::USERS_PAGE)).await.text.contains("No account has a name"));
}
