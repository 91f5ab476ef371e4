//! A copied cookie of a bound session allows reading until it expires, and no lasting change.

use crate::app_tokens::APPS;
use crate::support::{Answer, ClientKey, ORIGIN, PASSWORD, Portal, Visitor};
use domain::encoding::{base64url, sha256};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{Connection, Row, SqliteConnection};
use std::collections::{BTreeMap, BTreeSet};
use store::audit::AuditEvent;
use wire::envelope::EnvelopeKind;
use wire::paths;

/// State-changing operations that take no access token, or end the session of the token, and their answer to a bare
/// access cookie with an empty object as the body.
const EXCEPTIONS: &[(&str, &str)] = &[
    // These take a sealed message: see the tests below.
    (paths::LOGIN, "bad_request"),
    (paths::AUTHENTICATE, "bad_request"),
    (paths::SECOND_FACTOR, "bad_request"),
    (paths::PASSKEY_LOGIN, "bad_request"),
    (paths::SIGNUP, "bad_request"),
    (paths::RESET, "bad_request"),
    (paths::PASSWORD, "bad_request"),
    (paths::ACCOUNT_DELETE, "bad_request"),
    (paths::CONFIRM, "bad_request"),
    // For people who cannot sign in; its answer is the same for every name.
    (paths::FORGOTTEN_PASSWORD, "bad_request"),
    // It takes a client's access token.
    (paths::TERMINAL_LOGIN, "bad_request"),
    // It takes a refresh token.
    (paths::REFRESH, "no_session"),
    // Like sign-out, for a client that does not exist.
    (paths::OAUTH_SIGN_OUT, "bad_request"),
];

/// Returns every row of every table except the given ones.
async fn rows(portal: &Portal, but: &[&str]) -> BTreeMap<String, Vec<String>> {
    let options = SqliteConnectOptions::new().filename(portal.database()).read_only(true);
    let mut database = SqliteConnection::connect_with(&options).await.unwrap();
    let text = |row: &SqliteRow| row.get::<String, _>(0);
    let tables = sqlx::query("SELECT name FROM sqlite_master WHERE type = 'table'");
    let tables: Vec<_> = tables.fetch_all(&mut database).await.unwrap().iter().map(text).collect();
    assert!(
        tables.iter().any(|table| table == "invitations") && but.iter().all(|name| tables.contains(&(*name).into()))
    );
    let mut all = BTreeMap::new();
    for table in tables.into_iter().filter(|table| !but.contains(&table.as_str())) {
        let columns =
            format!("SELECT group_concat('quote(\"' || name || '\")', '||') FROM pragma_table_info('{table}')");
        let columns = text(&sqlx::query(sqlx::AssertSqlSafe(columns)).fetch_one(&mut database).await.unwrap());
        let every = sqlx::AssertSqlSafe(format!("SELECT {columns} FROM \"{table}\" ORDER BY 1"));
        let values = sqlx::query(every).fetch_all(&mut database).await.unwrap().iter().map(text).collect();
        all.insert(table, values);
    }
    all
}

#[derive(Clone)]
struct Operation {
    method: Method,
    path: String,
    body: Option<String>,
}

/// Returns the operations of the document, which is compared with the router elsewhere, with existing ids.
fn operations(ids: &[(&str, &str)]) -> Vec<Operation> {
    let document: Value = serde_json::from_str(server::openapi::document().unwrap()).unwrap();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, about) in item.as_object().unwrap() {
            let id = ids.iter().find(|(below, _)| path.starts_with(below)).map_or("1", |(_, id)| id);
            let path =
                ["{id}", "{kid}", "{name}", "{version}"].iter().fold(path.clone(), |path, name| path.replace(name, id));
            let body = &about["requestBody"]["content"]["application/json"]["example"];
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let body = (!method.is_safe()).then(|| if body.is_null() { "{}".to_owned() } else { body.to_string() });
            found.push(Operation { method, path, body });
        }
    }
    found
}

async fn send(visitor: &Visitor, operation: &Operation) -> Answer {
    visitor.send(operation.method.clone(), &operation.path, operation.body.clone(), &[]).await
}

/// Returns a browser with a copied access cookie and nothing else.
fn copy_of(owner: &Visitor, portal: &Portal, address: &str) -> Visitor {
    let thief = owner.thief(portal, address);
    thief.cookies.lock().unwrap().retain(|name, _| name.ends_with("-access"));
    assert_eq!(thief.cookies.lock().unwrap().len(), 1);
    thief
}

/// Creates an object and returns its id in the list of its kind.
async fn id_of(visitor: &Visitor, path: &str, list: &str, body: &Value) -> String {
    let answer = visitor.post(path, body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    visitor.get(path).await.json()[list][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn nothing_is_changed_by_a_bare_cookie_of_a_bound_session() {
    let portal = Portal::start().await;
    portal.add_administrator("root").await;
    portal.add_administrator("deputy").await;
    let alice = portal.add_user("alice").await;
    let root = portal.browser("198.51.100.1").signed_in("root").await;
    let other = portal.browser("198.51.100.2").signed_in("root").await;
    let ban = json!({"address": "203.0.113.7", "scope": "everything", "for": "2h", "reason": "It scans."});
    let ban = id_of(&root, paths::BANS, "bans", &ban).await;
    let allowed =
        id_of(&root, paths::ALLOWLIST, "allowed", &json!({"network": "192.0.2.0/24", "comment": "office"})).await;
    let invitation = json!({"role": "user", "hours": 1});
    let invitation = id_of(&root, paths::INVITATIONS, "invitations", &invitation).await;
    let group = id_of(&root, paths::GROUPS, "groups", &json!({"name": "family"})).await;
    let client = json!({"id": "wiki", "redirect_uris": ["https://wiki.example.com/"]});
    let client = id_of(&root, paths::CLIENTS, "clients", &client).await;
    let keys = root.get(paths::SERVER_KEYS).await.json();
    // Not the key that signed the tokens of this test.
    let envelope = keys["keys"].as_array().unwrap().iter().find(|key| key["kind"] == "envelope").unwrap();
    let kid = envelope["kid"].as_str().unwrap().to_owned();
    let session = other.get(paths::SESSION).await.json()["id"].as_str().unwrap().to_owned();
    let ids = [
        ("/api/admin/users", alice.as_str()),
        (paths::BANS, &ban),
        (paths::ALLOWLIST, &allowed),
        (paths::INVITATIONS, &invitation),
        (paths::GROUPS, &group),
        (paths::CLIENTS, &client),
        ("/api/admin/keys", &kid),
        (paths::SESSIONS, &session),
    ];
    let mut tried = 0;
    for (number, operation) in operations(&ids).iter().enumerate() {
        // The stream of refusals has no end; sign-out is tested below, with other operations that end the session.
        if [paths::LIVE, paths::LOGOUT].contains(&operation.path.as_str()) {
            continue;
        }
        let what = format!("{} {}", operation.method, operation.path);
        let (bare, keyed) = (format!("203.0.114.{number}"), format!("203.0.115.{number}"));
        let exception = EXCEPTIONS.iter().find(|(path, _)| *path == operation.path);
        let mut operation = operation.clone();
        if exception.is_some() {
            // A forged short_key would block the session's own bucket, and the rest would be refused for that reason.
            operation.body = Some("{}".to_owned());
        }
        // Refusals are recorded, and the proof of another key is used up.
        let but: &[&str] = &["audit", "used_proofs"];
        let before = rows(&portal, but).await;
        for thief in [copy_of(&root, &portal, &bare).bare(), copy_of(&root, &portal, &keyed)] {
            let answer = send(&thief, &operation).await;
            // Clients of the OpenID provider use no cookies.
            let of_client = operation.path.starts_with("/oauth/");
            if !operation.method.is_safe() && operation.path != paths::APP_LOGOUT && !of_client {
                tried += 1;
                assert_eq!(answer.code(), exception.map_or("bad_proof", |(_, code)| code), "{what}: {}", answer.text);
            }
        }
        assert_eq!(rows(&portal, but).await, before, "{what}");
    }
    assert!(tried > 50, "{tried}");
    // The same cookie with its key can do all of it, which shows that the requests were valid.
    let mut done = 0;
    for operation in operations(&ids).iter().filter(|operation| operation.path.starts_with("/api/admin/")) {
        let answer = if operation.method.is_safe() { continue } else { send(&root, operation).await };
        assert_ne!(answer.status, StatusCode::UNAUTHORIZED, "{} {}", operation.method, operation.path);
        done += u32::from(answer.status.is_success());
    }
    assert!(done > 7, "{done}");
}

#[tokio::test]
async fn a_copy_signs_out_its_own_session_at_most() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let (here, there) = (
        portal.browser("203.0.113.1").signed_in("alice").await,
        portal.browser("203.0.113.2").signed_in("alice").await,
    );
    let thief = copy_of(&here, &portal, "203.0.113.3").bare();
    let others = thief.send(Method::DELETE, paths::SESSIONS, Some("{}".to_owned()), &[]).await;
    assert_eq!((others.status, others.code().as_str()), (StatusCode::UNAUTHORIZED, "bad_proof"));
    assert_eq!(thief.post(paths::LOGOUT, &json!({})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(here.get(paths::SESSION).await.code(), "no_session");
    assert_eq!(there.get(paths::SESSION).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_sealed_message_is_of_the_key_of_its_session() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.1").signed_in("alice").await;
    let change = json!({"old": PASSWORD, "new": "another horse battery staple"});
    let keyed = copy_of(&alice, &portal, "203.0.113.3");
    let mut unkeyed = keyed.clone();
    unkeyed.key = None;
    for thief in [keyed, unkeyed] {
        assert_eq!(thief.post_sealed(EnvelopeKind::Password, &change).await.code(), "bad_proof");
        assert_eq!(thief.post_sealed(EnvelopeKind::Deletion, &json!({"password": PASSWORD})).await.code(), "bad_proof");
    }
    assert_eq!(alice.get(paths::SESSION).await.status, StatusCode::OK);
    assert_eq!(alice.post_sealed(EnvelopeKind::Password, &change).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn an_unbound_session_has_no_key_to_prove() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let mut plain = portal.browser("203.0.113.1");
    plain.key = None;
    let plain = plain.signed_in("alice").await;
    assert_eq!(plain.get(paths::SESSION).await.json()["bound"], false);
    let ended = plain.send(Method::DELETE, paths::SESSIONS, Some("{}".to_owned()), &[]).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn the_owner_sees_each_try_once_an_hour() {
    let portal = Portal::start().await;
    let id = portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.1").signed_in("alice").await;
    let tries = async || {
        let entries = portal.store().audit_of(&id.as_str().into(), 100).await.unwrap();
        entries
            .into_iter()
            .filter(|entry| entry.event == AuditEvent::WrongKey)
            .map(|entry| entry.address)
            .collect::<Vec<_>>()
    };
    let thief = alice.thief(&portal, "203.0.113.66");
    for _ in 0..3 {
        assert_eq!(thief.refresh().await.code(), "bad_proof");
        assert_eq!(thief.bare().post(paths::REFRESH, &json!({})).await.code(), "bad_proof");
    }
    assert_eq!(tries().await, ["203.0.113.66"], "each try is the same one");
    let elsewhere = alice.thief(&portal, "203.0.113.67").bare();
    let ended = elsewhere.send(Method::DELETE, paths::SESSIONS, Some("{}".to_owned()), &[]).await;
    assert_eq!(ended.code(), "bad_proof");
    assert_eq!(tries().await.len(), 2, "from elsewhere it is another one");

    // An expired nonce is no failed attempt.
    let stale = alice.key.as_ref().unwrap().prove(&format!("{ORIGIN}{}", paths::REFRESH), "stale");
    let refused = alice.send(Method::POST, paths::REFRESH, Some("{}".to_owned()), &[("dpop", &stale)]).await;
    assert_eq!(refused.code(), "use_dpop_nonce");
    assert_eq!(tries().await.len(), 2);
    let page = alice.get(paths::ACTIVITY_PAGE).await;
    let sentence = "Refused from 203.0.113.0/24: a copy of a session, or a browser that has lost its key";
    assert!(page.text.contains(sentence), "{}", page.text);
    portal.advance(60 * 60_000 + 1).await;
    assert_eq!(thief.refresh().await.code(), "bad_proof");
    assert_eq!(tries().await.len(), 3);
}

#[tokio::test]
async fn the_owner_sees_tries_with_tokens_in_headers_and_at_apps() {
    let portal = Portal::with(APPS).await;
    let id = portal.add_user("alice").await;
    let program = portal.bound_program("203.0.113.1");
    let login = program.login("alice", PASSWORD).await.json();
    let token = login["tokens"]["access_token"].as_str().unwrap().to_owned();
    let browser = portal.browser("203.0.113.1").signed_in("alice").await;
    let for_app = browser.prove_and_post(paths::APP_TOKENS, &json!({"audience": "https://wiki.example"})).await;
    let for_app = for_app.json()["access_token"].as_str().unwrap().to_owned();
    let tries = async || {
        let rows = portal.store().audit_of(&id.as_str().into(), 100).await.unwrap();
        let tries = rows.into_iter().filter(|row| row.event == AuditEvent::WrongKey);
        tries.map(|row| (row.address, row.about)).collect::<BTreeSet<_>>()
    };
    let key = ClientKey::generate();
    let proof = |url: &str, token: &str| {
        let more = json!({"ath": base64url(&sha256(token.as_bytes())), "htm": "GET"});
        key.prove_more(url, "a nonce", &more)
    };
    let thief = |last: u8| portal.program(&format!("203.0.113.{last}"));
    let (bearer, bound) = (format!("Bearer {token}"), format!("DPoP {token}"));
    let mut expected = BTreeSet::new();

    let plain = [("authorization", bearer.as_str())];
    assert_eq!(thief(11).send(Method::GET, paths::SESSION, None, &plain).await.code(), "no_session");
    expected.insert(("203.0.113.11".to_owned(), String::new()));
    assert_eq!(tries().await, expected, "a bound token without a proof");
    let theirs = proof(&format!("{ORIGIN}{}", paths::SESSION), &token);
    let with_proof = [("authorization", bound.as_str()), ("dpop", theirs.as_str())];
    assert_eq!(thief(12).send(Method::GET, paths::SESSION, None, &with_proof).await.code(), "bad_proof");
    expected.insert(("203.0.113.12".to_owned(), String::new()));
    assert_eq!(tries().await, expected, "with another key");
    let sign_out = thief(13).send(Method::POST, paths::LOGOUT, Some("{}".to_owned()), &plain).await;
    assert_eq!(sign_out.code(), "no_session");
    expected.insert(("203.0.113.13".to_owned(), String::new()));
    assert_eq!(tries().await, expected, "at sign-out");

    let page = thief(17).send(Method::GET, paths::DASHBOARD_PAGE, None, &plain).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "the way to sign-in");
    expected.insert(("203.0.113.17".to_owned(), String::new()));
    assert_eq!(tries().await, expected, "on a page");

    let proxy = portal.program("10.0.0.1");
    let ask = async |last: u8, authorization: &str, more: &[(&str, &str)]| {
        let from = format!("203.0.113.{last}");
        let asked = [
            ("authorization", authorization),
            ("x-forwarded-for", from.as_str()),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "wiki.example"),
            ("x-forwarded-uri", "/page"),
            ("x-forwarded-method", "GET"),
        ];
        let asked: Vec<_> = asked.into_iter().chain(more.iter().copied()).collect();
        proxy.send(Method::GET, paths::VERIFY, None, &asked).await
    };
    let refused = ask(14, &format!("Bearer {for_app}"), &[]).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    expected.insert(("203.0.113.14".to_owned(), "wiki".to_owned()));
    assert_eq!(tries().await, expected, "at an app");
    let theirs = proof("https://wiki.example/page", &for_app);
    let refused = ask(15, &format!("DPoP {for_app}"), &[("dpop", &theirs)]).await;
    assert_eq!(refused.code(), "bad_proof");
    expected.insert(("203.0.113.15".to_owned(), "wiki".to_owned()));
    assert_eq!(tries().await, expected, "at an app, with another key");

    // A token that is bound to no key needs no proof, and an expired nonce is no attempt.
    let unbound = portal.program("203.0.113.2").login("alice", PASSWORD).await.json();
    let unbound = format!("Bearer {}", unbound["tokens"]["access_token"].as_str().unwrap());
    let answer = thief(16).send(Method::GET, paths::SESSION, None, &[("authorization", &unbound)]).await;
    assert_eq!(answer.status, StatusCode::OK);
    let more = json!({"ath": base64url(&sha256(token.as_bytes())), "htm": "GET"});
    let stale = program.key.as_ref().unwrap().prove_more(&format!("{ORIGIN}{}", paths::SESSION), "stale", &more);
    let stale = [("authorization", bound.as_str()), ("dpop", stale.as_str())];
    assert_eq!(program.send(Method::GET, paths::SESSION, None, &stale).await.code(), "use_dpop_nonce");
    assert_eq!(tries().await, expected);
    let page = browser.get(paths::ACTIVITY_PAGE).await.text;
    assert!(page.contains("a copy of a token for wiki, or a program that has lost its key"), "{page}");
}
