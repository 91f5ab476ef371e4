//! `POST /api/login`

use crate::support::{ClientKey, PASSWORD, Portal, Visitor};
use domain::UnixMs;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use store::audit::AuditEvent;
use wire::envelope::EnvelopeKind;
use wire::paths;

#[tokio::test]
async fn the_right_password_signs_in_with_host_cookies() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7");
    let answer = alice.login("Alice", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.json()["session"]["bound"], true);
    assert_eq!(answer.json()["tokens"], Value::Null);
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().map(|c| c.to_str().unwrap()).collect();
    for (name, same_site) in [("__Host-postern-access", "SameSite=Lax"), ("__Host-postern-refresh", "SameSite=Strict")]
    {
        let cookie = cookies.iter().find(|cookie| cookie.starts_with(name)).expect(name);
        for part in ["HttpOnly", "Secure", "Path=/", same_site, "Max-Age=2592000"] {
            assert!(cookie.contains(part), "{cookie} lacks {part}");
        }
        assert!(!cookie.contains("Domain"), "{cookie}");
        assert!(cookie.len() < 4096);
    }
    let session = alice.get(paths::SESSION).await;
    assert_eq!(session.status, StatusCode::OK);
    assert_eq!(session.json()["username"], "alice");
}

#[tokio::test]
async fn the_sign_in_page_sets_the_cookie_that_its_challenges_share() {
    let portal = Portal::start().await;
    let browser = portal.browser("203.0.113.7");
    let page = browser.get(paths::LOGIN_PAGE).await;
    let cookie = page.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-postern-login=") && cookie.contains("SameSite=Strict"), "{cookie}");
    for path in [paths::CHALLENGE, paths::PASSKEY_CHALLENGE] {
        assert!(browser.get(path).await.headers.get("set-cookie").is_none(), "{path}");
    }
}

#[tokio::test]
async fn programs_have_a_path_of_their_own_that_sets_no_cookie() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let browser = portal.browser("203.0.113.7");
    let challenge = browser.challenge().await;
    let content = json!({"username": "alice", "password": PASSWORD});
    let (body, _) = browser.seal(&challenge, EnvelopeKind::Login, &content);
    let url = format!("http://localhost:3000{}", paths::AUTHENTICATE);
    let proof = browser.key.as_ref().unwrap().prove(&url, &challenge.short_key);
    let answer = browser.send(Method::POST, paths::AUTHENTICATE, Some(body), &[("dpop", &proof)]).await;
    assert_eq!((answer.status, answer.json()["session"]["bound"].clone()), (StatusCode::OK, json!(true)));
    assert!(answer.json()["tokens"]["access_token"].is_string());
    assert!(answer.headers.get("set-cookie").is_none());
    let counted =
        Visitor::new(server::ops_listener::listener::router(portal.state.clone()), "127.0.0.1".parse().unwrap())
            .get("/metrics")
            .await;
    assert!(counted.text.contains("postern_logins_total{outcome=\"ok\"} 1\n"), "{}", counted.text);

    // A proof for one path is none for another.
    let (body, headers) = browser.sealed("alice", PASSWORD).await;
    let answer = browser.send(Method::POST, paths::AUTHENTICATE, Some(body), &[(headers[0].0, &headers[0].1)]).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "bad_proof"));
}

#[tokio::test]
async fn unknown_wrong_disabled_and_blocked_look_the_same() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let disabled = portal.add_user("bob").await;
    let entry = portal.entry(AuditEvent::UserDisabled, &disabled);
    portal.store().set_disabled(&disabled.as_str().into(), true, &entry, UnixMs::EPOCH).await.unwrap();
    let mut answers = Vec::new();
    for (address, name, password) in [
        ("203.0.113.1", "alice", "wrong"),
        ("203.0.113.2", "nobody", PASSWORD),
        ("203.0.113.3", "bob", PASSWORD),
        ("203.0.113.4", "no such/name\u{0}", PASSWORD),
    ] {
        let mut answer = portal.browser(address).login(name, password).await;
        assert!(answer.headers.remove("x-request-id").is_some(), "each has its own");
        let mut headers: Vec<_> = answer.headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
        headers.sort();
        answers.push((answer.status, answer.text, headers));
    }
    assert_eq!(answers[0].0, StatusCode::UNAUTHORIZED);
    assert!(answers[0].1.contains("wrong_credentials"));
    for answer in &answers[1..] {
        assert_eq!(*answer, answers[0]);
    }
}

#[tokio::test]
async fn the_failures_reason_is_in_the_audit_trail_only() {
    let portal = Portal::start().await;
    let id = portal.add_user("alice").await;
    portal.browser("203.0.113.1").login("alice", "wrong").await;
    assert_eq!(portal.outcomes(&id, "wrong_password").await, 1);
}

#[tokio::test]
async fn a_resent_body_is_answered_once_and_then_it_is_a_replay() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7");
    let sealed = alice.sealed("alice", PASSWORD).await;
    let cookies = alice.cookies.lock().unwrap().clone();
    assert_eq!(alice.send_login(&sealed).await.status, StatusCode::OK);
    *alice.cookies.lock().unwrap() = cookies;
    let resent = alice.send_login(&sealed).await;
    assert_eq!((resent.status, resent.code().as_str()), (StatusCode::CONFLICT, "already_received"));
    let replayed = alice.send_login(&sealed).await;
    assert_eq!((replayed.status, replayed.code().as_str()), (StatusCode::FORBIDDEN, "short_key_replayed"));
    assert_eq!(alice.get("/login").await.code(), "banned");
}

#[tokio::test]
async fn a_body_from_elsewhere_or_later_is_a_replay_at_once() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    for (address, later) in [("203.0.113.9", 0), ("203.0.113.7", 10_001)] {
        let alice = portal.browser("203.0.113.7");
        let sealed = alice.sealed("alice", PASSWORD).await;
        let cookies = alice.cookies.lock().unwrap().clone();
        assert_eq!(alice.send_login(&sealed).await.status, StatusCode::OK);
        portal.advance(later).await;
        let other = portal.browser(address);
        *other.cookies.lock().unwrap() = cookies;
        assert_eq!(other.send_login(&sealed).await.code(), "short_key_replayed");
    }
}

#[tokio::test]
async fn errors_of_honest_short_keys_are_no_offence() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7");
    for time in 0..5 {
        let sealed = alice.sealed("alice", PASSWORD).await;
        portal.advance(150_000).await;
        let answer = alice.send_login(&sealed).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "short_key_expired"));
        let sealed = alice.sealed("alice", PASSWORD).await;
        alice.set_cookie("login", &format!("another-{time}"));
        assert_eq!(alice.send_login(&sealed).await.code(), "short_key_mismatch");
    }
    assert_eq!(alice.login("alice", PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_envelope_is_good_for_its_request_alone() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let alice = |address: &str| portal.browser(address);
    let content = json!({"username": "alice", "password": PASSWORD});

    // Sealed with another short_key than the one in the body.
    let visitor = alice("203.0.113.1");
    let (first, second) = (visitor.challenge().await, visitor.challenge().await);
    let (body, headers) = visitor.seal(&first, EnvelopeKind::Login, &content);
    let swapped = body
        .replace(&format!("\"short_key\":\"{}\"", first.short_key), &format!("\"short_key\":\"{}\"", second.short_key));
    assert_ne!(swapped, body);
    assert_eq!(visitor.send_login(&(swapped, headers)).await.code(), "bad_envelope");

    // The envelope of a sign-up, sent to the login.
    let visitor = alice("203.0.113.2");
    let challenge = visitor.challenge().await;
    let sealed = visitor.seal(&challenge, EnvelopeKind::Signup, &content);
    assert_eq!(visitor.send_login(&sealed).await.code(), "bad_envelope");

    // Another client's proof, and no proof.
    let visitor = alice("203.0.113.3");
    let (body, _) = visitor.sealed("alice", PASSWORD).await;
    let short_key = serde_json::from_str::<Value>(&body).unwrap()["short_key"].as_str().unwrap().to_owned();
    let foreign = ClientKey::generate().prove("http://localhost:3000/api/login", &short_key);
    assert_eq!(visitor.send_login(&(body, vec![("dpop", foreign)])).await.code(), "bad_proof");
    let (body, _) = visitor.sealed("alice", PASSWORD).await;
    assert_eq!(visitor.send_login(&(body, vec![])).await.code(), "bad_proof");
}

#[tokio::test]
async fn three_bad_envelopes_close_sign_in() {
    let portal = Portal::start().await;
    let visitor = portal.browser("203.0.113.7");
    for expected in ["", "", "60"] {
        let (body, headers) = visitor.sealed("alice", "x").await;
        let broken = body.replacen("\"encrypted_username_password\":\"ey", "\"encrypted_username_password\":\"eY", 1);
        let answer = visitor.send_login(&(broken, headers)).await;
        assert_eq!(answer.code(), "bad_envelope");
        assert!(answer.header("retry-after").starts_with(expected.get(..1).unwrap_or("")), "{expected}");
    }
    assert_eq!(visitor.get(paths::CHALLENGE).await.code(), "banned");
    assert_eq!(visitor.get("/login").await.status, StatusCode::OK, "only sign-in is closed");
}

const MANY_AT_ONCE: &str = "[ban.limits]\nsign_in_at_once = 1000\nsign_in_per_minute = 10000";

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_posts_of_one_envelope_one_is_judged() {
    let portal = Portal::with(MANY_AT_ONCE).await;
    let id = portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7");
    let sealed = alice.sealed("alice", PASSWORD).await;
    let cookies = alice.cookies.lock().unwrap().clone();
    let posts = (0..100).map(|_| {
        let (visitor, sealed) = (portal.browser("203.0.113.7"), sealed.clone());
        *visitor.cookies.lock().unwrap() = cookies.clone();
        tokio::spawn(async move { visitor.send_login(&sealed).await })
    });
    let mut codes = Vec::new();
    for post in posts.collect::<Vec<_>>() {
        codes.push(post.await.unwrap().code());
    }
    let count = |code: &str| codes.iter().filter(|other| *other == code).count();
    assert_eq!(count(""), 1, "{codes:?}");
    assert_eq!(count("already_received"), 1);
    assert_eq!(count("short_key_replayed"), 1, "the first replay closes the address to the rest");
    assert_eq!(count("banned"), 97);
    assert_eq!(portal.outcomes(&id, "ok").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_guesses_at_once_get_one_try_on_two_nodes() {
    let portal = Portal::with(MANY_AT_ONCE).await;
    let id = portal.add_user("alice").await;
    let other = portal.another().await;
    let mut guesses = Vec::new();
    for number in 0..200 {
        let node = if number % 2 == 0 { &portal } else { &other };
        let visitor = node.browser("203.0.113.7");
        let sealed = visitor.sealed("alice", &format!("guess {number}")).await;
        guesses.push((visitor, sealed));
    }
    let tasks: Vec<_> = guesses
        .into_iter()
        .map(|(visitor, sealed)| tokio::spawn(async move { visitor.send_login(&sealed).await.code() }))
        .collect();
    for task in tasks {
        let code = task.await.unwrap();
        assert!(["wrong_credentials", "banned", "busy"].contains(&code.as_str()), "{code}");
    }
    assert_eq!(portal.outcomes(&id, "wrong_password").await, 1);
}

#[tokio::test]
async fn programs_get_tokens_in_the_body_and_no_cookies() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let program = portal.program("203.0.113.7");
    let answer = program.login("alice", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert!(answer.headers.get("set-cookie").is_none());
    let token = answer.json()["tokens"]["access_token"].as_str().unwrap().to_owned();
    let session =
        program.send(http::Method::GET, paths::SESSION, None, &[("authorization", &format!("Bearer {token}"))]).await;
    assert_eq!(session.json()["username"], "alice");
    assert_eq!(session.json()["bound"], false);
}

#[tokio::test]
async fn a_programs_short_key_sets_no_cookies_in_a_browser() {
    let portal = Portal::start().await;
    portal.add_user("mallory").await;
    let mallory = portal.program("203.0.113.8");
    let (body, _) = mallory.sealed("mallory", PASSWORD).await;
    let body = body.replace("\"delivery\":\"body\",", "").replace(",\"delivery\":\"body\"", "");
    let victim = portal.browser("203.0.113.7");
    victim.challenge().await;
    let answer = victim.send_login(&(body, vec![])).await;
    assert_eq!(answer.code(), "short_key_mismatch");
}

#[tokio::test]
async fn many_addresses_at_one_account_are_slowed_and_then_stopped() {
    let portal = Portal::start().await;
    let id = portal.add_user("alice").await;
    let visitor = |number: u32| portal.browser(&format!("198.51.{}.{}", number / 250, number % 250 + 1));
    let mut delayed = 0;
    let mut number = 0;
    while portal.outcomes(&id, "wrong_password").await < 100 {
        number += 1;
        let answer = visitor(number).login("alice", "wrong").await;
        if answer.code() == "account_delayed" {
            delayed += 1;
            portal.advance(300_000).await;
        }
        assert!(number < 400, "the account never got there");
    }
    assert!(delayed > 80, "{delayed} delays");
    assert_eq!(portal.outcomes(&id, "account_delayed").await, delayed, "each from another address");
    portal.advance(24 * 60 * 60_000).await;
    assert_eq!(visitor(401).login("alice", PASSWORD).await.code(), "wrong_credentials");
    assert_eq!(portal.outcomes(&id, "too_many_failures").await, 1);
}

#[tokio::test]
async fn a_login_that_hangs_up_is_counted_all_the_same() {
    let portal = Portal::start().await;
    let id = portal.add_user("alice").await;
    let visitor = portal.browser("203.0.113.7");
    let sealed = visitor.sealed("alice", "wrong").await;
    let mut pending = Box::pin(visitor.send_login(&sealed));
    // One poll starts the request; then the client disconnects.
    assert!(futures::poll!(&mut pending).is_pending());
    drop(pending);
    let started = std::time::Instant::now();
    while portal.state.defence.bans.is_empty() {
        assert!(started.elapsed().as_secs() < 10, "the failure was never counted");
        tokio::task::yield_now().await;
    }
    assert_eq!(portal.outcomes(&id, "wrong_password").await, 1);
    assert_eq!(visitor.get(paths::CHALLENGE).await.code(), "banned");
}

#[tokio::test]
async fn bodies_that_are_no_login_are_bad_requests() {
    let portal = Portal::start().await;
    let visitor = portal.browser("203.0.113.7");
    for body in [
        "",
        "{}",
        "[]",
        r#"{"encrypted_username_password":"a","short_key":"b","password":"c"}"#,
        "\u{0}",
        r#"{"short_key":"a","short_key":"b","encrypted_username_password":"c"}"#,
    ] {
        let answer = visitor.send(http::Method::POST, paths::LOGIN, Some(body.to_owned()), &[]).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "bad_request"), "{body}");
    }
}

#[tokio::test]
async fn a_signed_in_person_is_led_to_pages_only() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    for (next, lands) in [
        ("/api/logout", paths::DASHBOARD_PAGE),
        ("/%61pi/logout", paths::DASHBOARD_PAGE),
        ("/dashboard/%252e%252e/api/logout", paths::DASHBOARD_PAGE),
        ("/dashboard/devices", "/dashboard/devices"),
        ("/oauth/authorize?client_id=a", "/oauth/authorize?client_id=a"),
        ("/device", "/device"),
    ] {
        for page in [paths::LOGIN_PAGE, paths::RESUME_PAGE, paths::SIGNUP_PAGE] {
            let answer = alice.get(&format!("{page}?next={next}")).await;
            assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, lands), "{page} {next}");
        }
    }
}

#[tokio::test]
async fn a_slash_after_a_page_leads_to_the_page() {
    let portal = Portal::start().await;
    let stranger = portal.browser("203.0.113.7");
    for (path, lands) in [
        ("/login/", "/login"),
        ("/login/?next=/dashboard/keys&why=ended", "/login?next=/dashboard/keys&why=ended"),
        ("/signup/", "/signup"),
        ("/dashboard/", "/dashboard"),
        ("/dashboard/users/", "/dashboard/users"),
        ("/dashboard/users/person/?id=a", "/dashboard/users/person?id=a"),
        ("/device/?user_code=a", "/device?user_code=a"),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let answer = stranger.send(method, path, None, &[]).await;
            assert_eq!(answer.status, StatusCode::PERMANENT_REDIRECT, "{path}");
            assert_eq!(answer.header("location"), lands);
        }
    }
    for other in ["//login/", "/login//", "/nothing/", "/api/session/", "/oauth/authorize/"] {
        let answer = stranger.get(other).await;
        assert!(!answer.status.is_redirection(), "{other}: {}", answer.status);
    }
    assert_eq!(stranger.send(Method::POST, "/login/", None, &[]).await.status, StatusCode::METHOD_NOT_ALLOWED);
}
