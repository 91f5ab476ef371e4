//! People who share an address with an attacker, with a crowd, or with a slow server stay signed in.

use crate::support::{ORIGIN, PASSWORD, Portal, Visitor, forged_login};
use domain::UnixMs;
use futures::future::join_all;
use http::{Method, StatusCode};
use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Executor};
use std::time::Duration;
use wire::paths;

const SHARED: &str = "198.51.100.1";
const APP: &str = "trusted_proxies = ['10.0.0.1']
[[apps]]
name = 'wiki'
origin = 'https://wiki.example.com'
[[apps.rules]]
path = '/assets/*'
allow = 'public'
";

async fn closes(portal: &Portal) {
    let attacker = portal.browser(SHARED);
    assert_eq!(attacker.post(paths::LOGIN, &forged_login()).await.code(), "short_key_forged");
    assert_eq!(attacker.get("/login").await.code(), "banned", "strangers wait");
}

#[tokio::test]
async fn a_strangers_ban_leaves_sessions_and_known_devices_in() {
    let portal = Portal::start().await;
    for name in ["alice", "bob", "carol"] {
        portal.add_user(name).await;
    }
    let alice = portal.browser(SHARED).signed_in("alice").await;
    let bob = portal.browser(SHARED).signed_in("bob").await;
    assert_eq!(bob.post(paths::LOGOUT, &json!({})).await.status, StatusCode::NO_CONTENT);
    let carol = portal.bound_program(SHARED);
    let tokens = carol.login("carol", PASSWORD).await.json();
    closes(&portal).await;

    assert_eq!(alice.get(paths::SESSION).await.status, StatusCode::OK);
    let nonce = alice.moved("192.0.2.1").nonce().await;
    let proof = alice.key.as_ref().unwrap().prove(&format!("{ORIGIN}{}", paths::REFRESH), &nonce);
    let refreshed = alice.send(Method::POST, paths::REFRESH, Some("{}".to_owned()), &[("dpop", &proof)]).await;
    assert_eq!(refreshed.status, StatusCode::OK, "{}", refreshed.text);
    assert_eq!(alice.get("/dashboard").await.status, StatusCode::OK);
    assert_eq!(bob.get("/login").await.status, StatusCode::OK, "a known device");
    assert_eq!(bob.login("bob", PASSWORD).await.status, StatusCode::OK);
    // After a link from another site the browser sends no strict cookie: only the session.
    let access = format!("__Host-postern-access={}", alice.cookie("access"));
    let link = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("cookie", access.as_str())];
    assert_eq!(alice.send(Method::GET, "/dashboard", None, &link).await.status, StatusCode::OK);

    let token = tokens["tokens"]["access_token"].as_str().unwrap();
    let shown = [("authorization", format!("DPoP {token}"))];
    let shown: Vec<_> = shown.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = carol.send(Method::GET, paths::SESSION, None, &shown).await;
    assert_ne!(answer.code(), "banned", "a program: {}", answer.text);
    for stranger in [portal.browser(SHARED), portal.program(SHARED)] {
        assert_eq!(stranger.get(paths::SESSION).await.code(), "banned");
    }
    portal.advance(6 * 60_000).await;
    assert_ne!(alice.get(paths::SESSION).await.code(), "banned", "an access token that has run out is refreshed");
    let body = json!({"refresh_token": tokens["tokens"]["refresh_token"]}).to_string();
    let answer = carol.send(Method::POST, paths::REFRESH, Some(body), &shown).await;
    assert_ne!(answer.code(), "banned", "a program that shows its expired token: {}", answer.text);
    assert_eq!(alice.post(paths::LOGOUT, &json!({})).await.code(), "");
    let signed_out = portal.browser(SHARED);
    signed_out.set_cookie("access", access.split_once('=').unwrap().1);
    assert_eq!(signed_out.get(paths::SESSION).await.code(), "banned", "a session that has ended proves nothing");
}

#[tokio::test]
async fn an_own_bucket_is_banned_for_its_own_offences_and_an_operators_ban_spares_nobody() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let alice = portal.browser(SHARED).signed_in("alice").await;
    let (key, short_key) = (alice.key.as_ref().unwrap(), forged_login()["short_key"].as_str().unwrap().to_owned());
    let proof = key.prove(&format!("{ORIGIN}{}", paths::PASSWORD), &short_key);
    let proven = alice.send(Method::POST, paths::PASSWORD, Some(forged_login().to_string()), &[("dpop", &proof)]).await;
    assert_eq!(proven.code(), "short_key_forged");
    assert_eq!(alice.get("/login").await.code(), "banned", "wherever it goes");
    assert_eq!(alice.moved("192.0.2.9").get("/login").await.code(), "banned");
    assert_eq!(portal.browser(SHARED).get("/login").await.status, StatusCode::OK, "and nobody else");

    portal.add_user("bob").await;
    let bob = portal.browser("192.0.2.7").signed_in("bob").await;
    let ban = store::bans::Ban {
        id: portal.state.ulid().into(),
        incident: "7F3K-2Q".to_owned(),
        client_key: "192.0.2.7".parse().unwrap(),
        scope: domain::ban::Scope::Everything,
        trigger: domain::ban::Trigger::Manual,
        reason: "A test.".to_owned(),
        evidence: String::new(),
        since: portal.state.now(),
        until: portal.state.now() + 60_000,
        made_by: "a test".to_owned(),
        lifted_at: None,
        lifted_by: None,
        lift_reason: None,
    };
    portal.state.defence.bans.apply(&[ban]);
    assert_eq!(bob.get(paths::SESSION).await.code(), "banned");
}

/// Returns a browser that holds one copied cookie, without the owner's key.
fn copy_of(owner: &Visitor, portal: &Portal, part: &str, address: &str) -> Visitor {
    let thief = owner.thief(portal, address);
    thief.cookies.lock().unwrap().retain(|name, _| name.ends_with(part));
    assert_eq!(thief.cookies.lock().unwrap().len(), 1);
    thief.bare()
}

#[tokio::test]
async fn offences_with_a_copied_cookie_close_the_address_and_never_the_owner() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let forged_with = async |part: &str, path: &'static str, address: &str| {
        let thief = copy_of(&alice, &portal, part, address);
        assert_eq!(thief.post(path, &forged_login()).await.code(), "short_key_forged", "{part} {path}");
    };
    let replayed_with = async |part: &str, path: &'static str, address: &str| {
        let thief = copy_of(&alice, &portal, part, address);
        let challenge = thief.challenge().await;
        for envelope in ["a.b.c.d.e", "b.b.c.d.e"] {
            let body = json!({"encrypted_username_password": envelope, "short_key": challenge.short_key});
            thief.post(path, &body).await;
        }
    };
    for (number, part) in ["-access", "-device"].into_iter().enumerate() {
        for (more, path) in [paths::LOGIN, paths::PASSWORD, paths::SIGNUP, paths::RESET].into_iter().enumerate() {
            if part == "-device" && path == paths::PASSWORD {
                continue;
            }
            for (which, address) in
                [format!("198.51.{number}.{more}"), format!("198.52.{number}.{more}")].iter().enumerate()
            {
                if which == 0 {
                    forged_with(part, path, address).await;
                } else {
                    replayed_with(part, path, address).await;
                }
                assert_eq!(
                    portal.browser(address).get("/login").await.code(),
                    "banned",
                    "{part} {path}: a stranger there"
                );
                for alice in [&alice, &alice.moved(address)] {
                    for path in [paths::SESSION, "/dashboard", paths::CHALLENGE] {
                        let answer = alice.get(path).await;
                        assert_eq!(answer.status, StatusCode::OK, "{part} {path}: {}", answer.text);
                    }
                }
            }
        }
    }
    // Sign-in is blocked for strangers at the thief's address, and not longer than for a stranger.
    let address = "198.51.100.9";
    let thief = copy_of(&alice, &portal, "-device", address);
    for _ in 0..9 {
        let body = json!({"encrypted_username_password": "a.b.c.d.e", "short_key": thief.challenge().await.short_key});
        assert_eq!(thief.post(paths::LOGIN, &body).await.code(), "bad_envelope");
    }
    let closed = portal.browser(address).get(paths::CHALLENGE).await;
    assert_eq!(closed.code(), "banned");
    assert!(closed.header("retry-after").parse::<u32>().unwrap() <= 75, "{}", closed.header("retry-after"));
    assert_eq!(alice.moved(address).login("alice", PASSWORD).await.status, StatusCode::OK);
    assert_eq!(alice.moved(address).refresh().await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_flood_with_a_copied_cookie_makes_its_owner_neither_wait_nor_banned() {
    let portal = Portal::with("[ban.limits]\nat_once = 20\nper_minute = 60\nrefused_per_minute = 5").await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    for part in ["-access", "-device"] {
        let thief = copy_of(&alice, &portal, part, SHARED);
        let mut codes = Vec::new();
        for _ in 0..40 {
            codes.push(thief.get("/login").await.code());
        }
        assert!(codes.contains(&"busy".to_owned()) && codes.last().unwrap() == "banned", "{codes:?}");
        assert_eq!(portal.browser(SHARED).get("/login").await.code(), "banned", "a stranger there");
        assert_eq!(alice.get("/dashboard").await.status, StatusCode::OK, "{part}");
    }
}

#[tokio::test]
async fn with_the_strict_preset_a_closed_address_is_closed_to_everybody() {
    let portal = Portal::with("ban.preset = 'strict'").await;
    portal.add_user("alice").await;
    let alice = portal.browser(SHARED).signed_in("alice").await;
    closes(&portal).await;
    assert_eq!(alice.get(paths::SESSION).await.code(), "banned");
}

#[tokio::test]
async fn forged_tokens_get_nobody_in_and_only_so_many_are_looked_at() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let alice = portal.browser("192.0.2.1").signed_in("alice").await;
    closes(&portal).await;
    let good = alice.cookie("access");
    let (head, signature) = good.rsplit_once('.').unwrap();
    let misses = || portal.state.tokens.cache().misses.get();
    let before = misses();
    for n in 0..1000 {
        let thief = portal.browser(SHARED);
        let forged = format!("{head}.{}{n:04}", &signature[..signature.len() - 4]);
        thief.set_cookie("access", &forged);
        assert_eq!(thief.get(paths::SESSION).await.code(), "banned");
    }
    assert!(misses() - before <= 200, "{}", misses() - before);
}

#[tokio::test]
async fn apps_stay_open_to_those_with_a_session_there_when_strangers_are_shut_out() {
    let portal = Portal::with(APP).await;
    portal.add_user("alice").await;
    let alice = portal.browser("10.0.0.1");
    let session = {
        let mut from_there = portal.browser(SHARED);
        from_there = from_there.signed_in("alice").await;
        from_there.get(paths::SESSION).await.json()["id"].as_str().unwrap().to_owned()
    };
    let of = domain::app_session::AppSession::of(&session.as_str().into(), portal.state.now()).unwrap();
    let cookie =
        of.reveal(&portal.state.keyring.macs(portal.state.now()).unwrap().app_session, "https://wiki.example.com");
    closes(&portal).await;
    let asked = async |path: &str, cookie: Option<&str>| {
        let cookie = cookie.map(|cookie| format!("__Host-postern-app={cookie}"));
        let mut headers = vec![
            ("x-forwarded-for", SHARED),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "wiki.example.com"),
            ("x-forwarded-method", "GET"),
            ("x-forwarded-uri", path),
        ];
        headers.extend(cookie.as_deref().map(|cookie| ("cookie", cookie)));
        alice.send(Method::GET, paths::VERIFY, None, &headers).await
    };
    for path in ["/", "/assets/logo.svg"] {
        assert_eq!(asked(path, Some(&cookie)).await.status, StatusCode::OK, "{path}");
        let behind = format!("junk; __Host-postern-app={cookie}");
        assert_eq!(asked(path, Some(&behind)).await.status, StatusCode::OK, "{path}");
        assert_eq!(asked(path, None).await.code(), "banned", "{path}");
    }
}

#[tokio::test]
async fn a_thousand_cold_questions_of_proxies_are_answered() {
    let warm = Portal::with(APP).await;
    warm.add_user("alice").await;
    let session = warm.browser(SHARED).signed_in("alice").await.get(paths::SESSION).await.json()["id"].clone();
    let of = domain::app_session::AppSession::of(&session.as_str().unwrap().into(), warm.state.now()).unwrap();
    let cookie = of.reveal(&warm.state.keyring.macs(warm.state.now()).unwrap().app_session, "https://wiki.example.com");
    let cookie = format!("__Host-postern-app={cookie}");
    let cold = warm.another().await;
    let proxy = cold.browser("10.0.0.1");
    let ask = async |_| {
        let headers = [
            ("x-forwarded-for", SHARED),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "wiki.example.com"),
            ("x-forwarded-method", "GET"),
            ("x-forwarded-uri", "/"),
            ("cookie", cookie.as_str()),
        ];
        proxy.send(Method::GET, paths::VERIFY, None, &headers).await.status
    };
    let answers = join_all((0..1000).map(ask)).await;
    assert!(answers.iter().all(|status| *status == StatusCode::OK));
    assert!(cold.state.defence.bans.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_stalls_is_nobodys_offence() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::in_folder(folder.path(), None).await;
    for n in 0..40 {
        portal.add_user(&format!("person{n}")).await;
    }
    let mut sealed = Vec::new();
    for n in 0..40 {
        let visitor = portal.browser(SHARED);
        let message = visitor.sealed(&format!("person{n}"), PASSWORD).await;
        sealed.push((visitor, message));
    }
    let options = SqliteConnectOptions::new().filename(folder.path().join("postern.db"));
    let mut stall = options.connect().await.unwrap();
    stall.execute("BEGIN IMMEDIATE").await.unwrap();
    let send = async |(visitor, message): &(Visitor, _)| visitor.send_login(message).await.status;
    let all = join_all(sealed.iter().map(send));
    let release = async {
        // All of them have arrived and wait for the database.
        while portal.state.defence.rate_limiter.waiting(SHARED.parse().unwrap()) < 40 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        stall.execute("COMMIT").await.unwrap();
    };
    let (answers, ()) = tokio::join!(all, release);
    assert!(answers.iter().all(|status| *status == StatusCode::OK), "{answers:?}");
    assert!(portal.state.defence.bans.is_empty());
}

#[tokio::test]
async fn on_plain_http_a_page_of_pictures_costs_its_visitor_nothing() {
    let settings = "public_url = 'http://portal.lan'\nallow_insecure_http = true\n[ban.limits]\nat_once = 40\n\
                    refused_per_minute = 5\nsign_in_per_minute = 5";
    for preset in ["default", "strict"] {
        let portal = Portal::with(&format!("ban.preset = '{preset}'\n{settings}")).await;
        let person = portal.program("203.0.113.7");
        let picture = [("user-agent", "Mozilla/5.0"), ("accept", "image/avif,*/*"), ("host", "portal.lan")];
        for path in [paths::CHALLENGE, "/login", "/apps/return?app=x", "/.postern/start", paths::SESSION, paths::JWKS] {
            for _ in 0..100 {
                person.send(Method::GET, path, None, &picture).await;
            }
        }
        assert!(portal.state.defence.bans.is_empty(), "{preset}");
        let own = [("user-agent", "Mozilla/5.0"), ("postern-page", "1"), ("host", "portal.lan")];
        assert_eq!(person.send(Method::GET, paths::CHALLENGE, None, &own).await.status, StatusCode::OK, "{preset}");
    }
}

#[tokio::test]
async fn on_plain_http_forms_and_preflights_of_another_page_cost_its_visitor_nothing() {
    let settings = "public_url = 'http://portal.lan'\nallow_insecure_http = true\n[ban.limits]\nat_once = 40\n\
                    refused_per_minute = 5\nsign_in_per_minute = 5";
    for preset in ["default", "strict"] {
        let portal = Portal::with(&format!("ban.preset = '{preset}'\n{settings}")).await;
        let person = portal.program("203.0.113.7");
        let browser = [("user-agent", "Mozilla/5.0"), ("host", "portal.lan")];
        let form = forged_login().to_string();
        for origin in ["http://evil.lan", "null"] {
            for path in [paths::LOGIN, paths::SIGNUP, paths::REFRESH, paths::SESSION, paths::OAUTH_TOKEN, "/login"] {
                let preflight =
                    [&browser[..], &[("origin", origin), ("access-control-request-method", "POST")]].concat();
                for _ in 0..25 {
                    for kind in ["text/plain", "application/x-www-form-urlencoded"] {
                        let headers = [&browser[..], &[("origin", origin), ("content-type", kind)]].concat();
                        person.send(Method::POST, path, Some(form.clone()), &headers).await;
                    }
                    person.send(Method::OPTIONS, path, None, &preflight).await;
                    // A picture: browsers send no origin with it.
                    person.send(Method::GET, path, None, &browser).await;
                }
            }
        }
        assert!(portal.state.defence.bans.is_empty(), "{preset}");
        // The person's own page still may try to sign in: this message is refused for its form alone.
        let own = [&browser[..], &[("origin", "http://portal.lan"), ("postern-page", "1")]].concat();
        let answer = person.send(Method::POST, paths::LOGIN, Some("{".to_owned()), &own).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{preset}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_trusted_proxy_is_never_banned_and_one_that_cannot_be_read_is_refused() {
    let portal = Portal::with("trusted_proxies = ['10.0.0.1']").await;
    let proxy = portal.program("10.0.0.1");
    for odd in ["unknown", "_hidden", "nonsense", "203.0.113.7:80:80"] {
        let headers = [("x-forwarded-for", odd), ("content-type", "application/json")];
        let answer = proxy.send(Method::POST, paths::LOGIN, Some(forged_login().to_string()), &headers).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "bad_request"), "{odd}");
    }
    assert_eq!(proxy.post(paths::LOGIN, &forged_login()).await.code(), "short_key_forged", "the proxy's own");
    assert!(portal.state.defence.bans.is_empty());
    for good in ["203.0.113.7,", "\"203.0.113.7\"", "fe80::1%eth0", "[2001:db8::1]:4711"] {
        let answer = proxy.send(Method::GET, "/login", None, &[("x-forwarded-for", good)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{good}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_devices_of_one_account_do_not_take_every_place() {
    let portal = Portal::with("[password]\nqueue = 4\nthreads = 1").await;
    portal.add_user("mallory").await;
    portal.add_user("alice").await;
    let mut devices = Vec::new();
    for n in 0..40 {
        devices.push(portal.browser(&format!("203.0.113.{n}")).signed_in("mallory").await.moved(SHARED));
    }
    let mut sealed = Vec::new();
    for device in &devices {
        sealed.push(device.sealed("mallory", "not the password").await);
    }
    let attack = join_all(devices.iter().zip(&sealed).map(|(device, message)| device.send_login(message)));
    let alice = portal.browser("192.0.2.1");
    let (attacks, answer) = tokio::join!(attack, alice.login("alice", PASSWORD));
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert!(attacks.iter().any(|attack| attack.code() == "busy"), "most of them are told to wait");
}

#[tokio::test]
async fn a_known_device_guesses_no_more_for_standing_at_an_allowed_address() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let allowed = store::allowlist::AllowedNetwork {
        id: portal.state.ulid(),
        network: format!("{SHARED}/32").parse().unwrap(),
        comment: String::new(),
        expires_at: None,
        made_by: String::new(),
        created_at: UnixMs::EPOCH,
    };
    let audit = portal.entry(store::audit::AuditEvent::AllowAdded, "somebody");
    portal.store().allow(&allowed, &audit).await.unwrap();
    portal.state.defence.allowlist.reload(portal.store()).await.unwrap();
    let alice = portal.browser(SHARED).signed_in("alice").await;
    let mut guesses = 0;
    // A day, with an attempt each minute.
    for _ in 0..24 * 60 {
        if alice.get(paths::CHALLENGE).await.status == StatusCode::OK {
            let answer = alice.login("alice", "a guess at the password").await;
            guesses += u32::from(answer.code() == "wrong_credentials");
        }
        portal.clock.advance(60_000);
    }
    assert!((5..=10).contains(&guesses), "{guesses}");
}
