//! MAC keys that are replaced and revoked: what becomes invalid with one, and what does not.

use crate::oidc::Provider;
use crate::support::{Answer, PASSWORD, Portal, Program, Visitor, forged_login, output_text, postern};
use domain::app_session::AppSession;
use domain::encoding::{from_base64url, hmac_sha256};
use domain::known_device::KnownDevice;
use domain::refresh_token::RefreshToken;
use domain::server_key::RotationRules;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use server::clock::{Clock, SystemClock};
use server::flows::actor::Actor;
use server::flows::server_keys::{revoke_all, rotate_due};
use server::key_encryption::Cipher;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use std::path::Path;
use std::time::{Duration, Instant};
use store::audit::{AuditEvent, AuditSearch};
use store::keys::{KeyKind, StoredKey};
use wire::paths;

const WIKI: &str = "https://wiki.example";
const APPS: &str = "trusted_proxies = ['127.0.0.1']\n[[apps]]\nname = 'wiki'\norigin = 'https://wiki.example'\n";
const DAY: i64 = 24 * 60 * 60_000;
const LEAD: i64 = RotationRules::SIGNING.lead_ms;

/// The data of an attacker who has the database and its key.
struct Leak {
    mac: [u8; 32],
    session: String,
}

impl Leak {
    async fn of(folder: &Path) -> Self {
        let file = std::fs::read_to_string(folder.join("data/key-encryption.key")).unwrap();
        let cipher = Cipher::parse(file.lines().next().unwrap()).unwrap();
        let mut database =
            SqliteConnectOptions::new().filename(folder.join("data/postern.db")).connect().await.unwrap();
        let (kid, sealed): (String, String) =
            sqlx::query_as("SELECT kid, sealed FROM keys WHERE kind = 'mac' ORDER BY used_from DESC")
                .fetch_one(&mut database)
                .await
                .unwrap();
        let opened = cipher.open(&format!("keys/mac/{kid}"), sealed.split_once('.').unwrap().1).unwrap();
        let (session,): (String,) = sqlx::query_as("SELECT id FROM sessions").fetch_one(&mut database).await.unwrap();
        Self { mac: opened.as_slice().try_into().unwrap(), session }
    }

    /// Makes a cookie of the app, as the server does.
    fn forged(&self) -> String {
        let key = hmac_sha256(&self.mac, &[b"app session"]);
        let session = AppSession::of(&self.session.as_str().into(), SystemClock.now()).unwrap();
        format!("__Host-postern-app={}", session.reveal(&key, WIKI))
    }
}

async fn verify(proxy: &Visitor, cookie: &str) -> Answer {
    let headers = [
        ("x-forwarded-for", "203.0.113.66"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "wiki.example"),
        ("x-forwarded-method", "GET"),
        ("x-forwarded-uri", "/admin"),
        ("cookie", cookie),
    ];
    proxy.send(Method::GET, paths::VERIFY, None, &headers).await
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_leak_one_command_ends_what_a_thief_can_forge() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("postern.toml"), APPS).unwrap();
    let run = |arguments: &[&str], input: &str| output_text(&postern(folder, arguments, input));
    run(&["user", "add", "root", "--role", "administrator"], &format!("{PASSWORD}\n"));
    let program = Program::start(folder, &[]);
    let root = program.browser().signed_in("root").await;
    let leak = Leak::of(folder).await;
    let proxy = program.program();
    let opened = verify(&proxy, &leak.forged()).await;
    assert_eq!((opened.status, opened.header("remote-user")), (StatusCode::OK, "root"), "{}", opened.text);

    let done = run(&["key", "revoke", "--all"], "");
    assert_eq!(done.matches("is revoked").count(), 4, "{done}");
    assert!(done.contains("Refresh tokens of OpenID Connect apps are invalid"), "{done}");
    let help = run(&["key", "revoke", "--help"], "").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("Sessions continue. A MAC key ends the refresh tokens of OpenID Connect apps too"), "{help}");
    let began = Instant::now();
    while verify(&proxy, &leak.forged()).await.status != StatusCode::UNAUTHORIZED {
        assert!(began.elapsed() < Duration::from_secs(30), "the forged cookie still opens");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Another key is in use now, and nobody has to sign in again.
    assert_ne!(Leak::of(folder).await.mac, leak.mac);
    let refreshed = root.refresh().await;
    assert_eq!(refreshed.status, StatusCode::OK, "{}", refreshed.text);
    assert_eq!(root.get(paths::SESSION).await.status, StatusCode::OK);
    assert_eq!(verify(&proxy, &Leak::of(folder).await.forged()).await.status, StatusCode::OK, "as after any leak");
    let states: Value = serde_json::from_slice(&postern(folder, &["key", "list", "--json"], "").stdout).unwrap();
    let macs: Vec<_> = states.as_array().unwrap().iter().filter(|key| key["kind"] == "mac").collect();
    assert_eq!((macs.len(), &macs[0]["state"], &macs[1]["state"]), (2, &json!("current"), &json!("revoked")));
    program.end();
}

async fn rotate(portal: &Portal) {
    let root = portal.browser("198.51.100.1").signed_in("root").await;
    let next = root.post(paths::ROTATE_SERVER_KEY, &json!({"kind": "mac"})).await;
    assert_eq!((next.status, &next.json()["state"]), (StatusCode::CREATED, &json!("next")), "{}", next.text);
    assert_eq!(next.json()["alg"], "HS256");
}

async fn revoke(portal: &Portal) {
    let state = &portal.state;
    let operator = Actor::command_line(portal.store(), &state.config, &*state.entropy, state.now());
    assert!(!revoke_all(&operator, &state.key_encryption, Some(KeyKind::Mac)).await.unwrap().is_empty());
    portal.advance(1).await;
}

fn current(portal: &Portal) -> [u8; 32] {
    *portal.state.keyring.macs(portal.state.now()).unwrap().refresh
}

async fn macs(portal: &Portal) -> Vec<StoredKey> {
    let keys = portal.store().keys().await.unwrap();
    keys.into_iter().filter(|key| key.kind == KeyKind::Mac).collect()
}

async fn portal_with_people() -> Portal {
    let portal = Portal::with("[keys]\nmac_rotation = 'off'").await;
    portal.add_administrator("root").await;
    portal.add_user("alice").await;
    portal
}

/// Returns session, generation and secret of the visitor's refresh token, without the MAC.
fn secret(visitor: &Visitor) -> Vec<u8> {
    from_base64url(&visitor.cookie("refresh")).unwrap()[..53].to_vec()
}

#[tokio::test]
async fn a_rotated_key_ends_nothing_of_a_session() {
    let portal = portal_with_people().await;
    let other = portal.another().await;
    let (alice, idle) = (portal.browser("203.0.113.7"), portal.browser("203.0.113.8"));
    let (alice, idle) = (alice.signed_in("alice").await, idle.signed_in("alice").await);
    let old = current(&portal);
    rotate(&portal).await;
    let form = alice.sealed("alice", PASSWORD).await;
    portal.advance(LEAD - 1).await;
    other.advance(0).await;
    assert_eq!((current(&portal), current(&other)), (old, old), "not before every node knows it");
    portal.advance(1).await;
    assert_ne!(current(&portal), old);
    assert_eq!(current(&portal), current(&other), "all at the same time");

    assert!(matches!(alice.send_login(&form).await.code().as_str(), "short_key_expired"), "by its age alone");
    for node in [&other, &portal] {
        assert_eq!(alice.at(node).refresh().await.status, StatusCode::OK);
    }
    portal.advance(29 * DAY).await;
    assert_eq!(idle.refresh().await.status, StatusCode::OK, "a token of the old key");
    assert!(portal.state.defence.bans.is_empty());
    // Its last value expires when no session of its time can exist any more.
    portal.advance(91 * DAY).await;
    rotate_due(&portal.state).await.unwrap();
    assert!(macs(&portal).await[0].sealed.is_empty(), "a day later it is erased");
    assert_eq!(portal.another().await.browser("203.0.113.9").login("alice", PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_spent_token_of_a_replaced_key_is_still_reuse() {
    let portal = portal_with_people().await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let mut thief = alice.thief(&portal, "203.0.113.7");
    thief.key.clone_from(&alice.key);
    rotate(&portal).await;
    portal.advance(LEAD).await;
    alice.refresh().await;
    alice.refresh().await;
    assert_eq!(thief.refresh().await.code(), "session_ended");
    assert_eq!(alice.refresh().await.code(), "session_ended", "the family has ended");
}

#[tokio::test]
async fn a_lost_answer_is_given_again_across_a_rotation_and_a_revocation() {
    let portal = portal_with_people().await;
    let other = portal.another().await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    for revoked in [false, true] {
        let before = alice.cookies.lock().unwrap().clone();
        assert_eq!(alice.refresh().await.status, StatusCode::OK);
        let answered = secret(&alice);
        if revoked {
            revoke(&portal).await;
        } else {
            rotate(&portal).await;
            portal.advance(LEAD).await;
        }
        for node in [&portal, &other] {
            *alice.cookies.lock().unwrap() = before.clone();
            let answer = alice.at(node).refresh().await;
            // A nonce of the other node, which does not know the new key yet.
            if answer.code() == "use_dpop_nonce" {
                continue;
            }
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
            assert_eq!(secret(&alice), answered);
        }
    }
    assert_eq!(alice.refresh().await.status, StatusCode::OK);
}

#[tokio::test]
async fn values_of_a_revoked_key_are_refused_and_no_forgery() {
    let portal = portal_with_people().await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let (stranger, leaked) = (portal.browser("203.0.113.9"), current(&portal));
    let form = stranger.sealed("alice", PASSWORD).await;
    let nonce = alice.nonce().await;
    revoke(&portal).await;

    assert_eq!(stranger.send_login(&form).await.code(), "short_key_mismatch", "it is sealed again");
    assert!(portal.state.defence.bans.is_empty(), "and it is no offence");
    assert_eq!(stranger.login("alice", PASSWORD).await.status, StatusCode::OK);
    let proof = alice.key.as_ref().unwrap().prove("http://localhost:3000/api/refresh", &nonce);
    let refused = alice.send(Method::POST, paths::REFRESH, Some("{}".to_owned()), &[("dpop", &proof)]).await;
    assert_eq!(refused.code(), "use_dpop_nonce");

    let mut touched = alice.cookie("refresh");
    touched.replace_range(90..91, if touched.as_bytes()[90] == b'A' { "B" } else { "A" });
    let program = portal.program("198.51.100.66");
    assert_eq!(program.post(paths::REFRESH, &json!({"refresh_token": touched})).await.code(), "no_session");

    // With the key, a thief makes tokens of any session; they are not accepted, end no session, and sign nobody out.
    let id: [u8; 16] =
        from_base64url(alice.get(paths::SESSION).await.json()["id"].as_str().unwrap()).unwrap().try_into().unwrap();
    let forged = RefreshToken::first(id, [1; 32]).reveal(&leaked);
    assert_eq!(program.post(paths::REFRESH, &json!({"refresh_token": forged})).await.code(), "no_session");
    program.post(paths::LOGOUT, &json!({"refresh_token": forged})).await;
    assert_eq!(alice.get(paths::SESSION).await.status, StatusCode::OK);
    assert_eq!(alice.refresh().await.status, StatusCode::OK);
    let search = AuditSearch { event: Some(AuditEvent::TokenReused), limit: 9, ..AuditSearch::default() };
    assert!(portal.store().search_audit(&search).await.unwrap().is_empty());

    // The device is unknown until it signs in.
    let known = |visitor: &Visitor| {
        let macs = portal.state.keyring.macs(portal.state.now()).unwrap();
        KnownDevice::read(&macs.device, &visitor.cookie("device"), portal.state.now()).is_some()
    };
    assert!(!known(&alice));
    assert_eq!(alice.login("alice", PASSWORD).await.status, StatusCode::OK);
    assert!(known(&alice));
}

#[tokio::test]
async fn a_node_behind_takes_nobody_for_a_forger() {
    let portal = portal_with_people().await;
    let other = portal.another().await;
    revoke(&portal).await;
    let visitor = portal.browser("203.0.113.9");
    let form = visitor.sealed("alice", PASSWORD).await;
    let answer = visitor.at(&other).send_login(&form).await;
    assert_ne!(answer.code(), "short_key_forged", "{}", answer.text);
    assert!(other.state.defence.bans.is_empty());
    assert_eq!(visitor.at(&other).login("alice", PASSWORD).await.status, StatusCode::OK);
    assert_eq!(current(&portal), current(&other));
    // A real forgery is recognized.
    assert_eq!(portal.browser("203.0.113.10").post(paths::LOGIN, &forged_login()).await.code(), "short_key_forged");
}

#[tokio::test]
async fn the_schedule_makes_one_mac_key_on_two_nodes() {
    let portal = Portal::with("[keys]\nmac_rotation = '90d'\nsigning_rotation = 'off'").await;
    let other = portal.another().await;
    rotate_due(&portal.state).await.unwrap();
    assert_eq!(macs(&portal).await.len(), 1);
    portal.clock.advance(90 * DAY - LEAD);
    let (here, there) = tokio::join!(rotate_due(&portal.state), rotate_due(&other.state));
    here.unwrap();
    there.unwrap();
    assert_eq!(macs(&portal).await.len(), 2);
    let old = current(&portal);
    portal.advance(LEAD).await;
    other.advance(0).await;
    assert_ne!(current(&portal), old);
    assert_eq!(current(&portal), current(&other));
}

/// A database of an earlier version: one key of the name "mac", which made the digests too.
#[tokio::test]
async fn the_one_key_of_an_old_database_becomes_the_first_of_its_line() {
    let portal = portal_with_people().await;
    let now = portal.state.now();
    let secret = [9; 32];
    let sealed = portal.state.key_encryption.seal(&*portal.state.entropy, "keys/mac/mac", &secret).unwrap();
    portal.state.store.close().await;
    let mut database = SqliteConnectOptions::new().filename(portal.database()).connect().await.unwrap();
    sqlx::query("DELETE FROM keys WHERE kind IN ('mac', 'digest')").execute(&mut database).await.unwrap();
    sqlx::query(
        "INSERT INTO keys (kid, kind, alg, sealed, created_at, used_from) VALUES ('mac', 'mac', '', $1, $2, $2)",
    )
    .bind(&sealed)
    .bind((now - 400 * DAY).as_millis())
    .execute(&mut database)
    .await
    .unwrap();
    drop(database);

    let portal = portal.another().await;
    let key = |purpose: &str| hmac_sha256(&secret, &[purpose.as_bytes()]);
    assert_eq!(current(&portal), key("refresh token"), "what is in browsers is good");
    let before = domain::account::AccountDigest::of(&key("account digest"), "alice");
    assert_eq!(portal.state.keyring.digests.account("alice"), before, "and what failed is counted on");
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    rotate(&portal).await;
    portal.advance(LEAD).await;
    assert_ne!(current(&portal), key("refresh token"));
    assert_eq!(portal.state.keyring.digests.account("alice"), before);
    assert_eq!(alice.refresh().await.status, StatusCode::OK);
    assert_eq!(portal.another().await.state.keyring.digests.account("alice"), before);
}

#[tokio::test]
async fn a_revoked_mac_key_ends_refresh_tokens_of_apps_and_no_session() {
    let provider = Provider::start().await;
    let portal = &provider.portal;
    portal.add_administrator("root").await;
    let root = portal.browser("203.0.113.2").signed_in("root").await;
    let tokens = provider.tokens().await;
    let keys = root.get(paths::SERVER_KEYS).await.json();
    let mac = keys["keys"].as_array().unwrap().iter().find(|key| key["kind"] == "mac").unwrap();
    let kid = mac["kid"].as_str().unwrap().to_owned();
    let page = root.get(paths::SERVER_KEYS_PAGE).await.text;
    assert!(page.contains("refresh tokens of OpenID Connect end too"), "{page}");
    let revoked = root.send(Method::DELETE, &format!("{}/{kid}", paths::SERVER_KEYS), None, &[]).await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT, "{}", revoked.text);

    let refused = provider.refresh(tokens["refresh_token"].as_str().unwrap(), &[]).await;
    assert_eq!(refused.json()["error"], "invalid_grant");
    assert_eq!(provider.browser.refresh().await.status, StatusCode::OK, "the session continues");
    // The app sends the person through the portal, which asks nothing.
    let tokens = provider.tokens().await;
    let again = provider.refresh(tokens["refresh_token"].as_str().unwrap(), &[]).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.text);

    let search = AuditSearch { event: Some(AuditEvent::ServerKeyRevoked), limit: 9, ..AuditSearch::default() };
    let trail = portal.store().search_audit(&search).await.unwrap();
    assert_eq!(trail[0].entry.about, format!("mac {kid}, refresh tokens of OpenID Connect apps"));
}
