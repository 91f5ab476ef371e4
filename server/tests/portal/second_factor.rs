//! Sign-in with a second factor: a code in the envelope beside the password, or afterwards in a pending sign-in.

use crate::support::{Answer, PASSWORD, Portal, Visitor};
use domain::recovery_code;
use domain::totp::{code, digits};
use futures::future::join_all;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use store::audit::AuditEvent;
use store::second_factors::ConfirmTotp;
use wire::envelope::EnvelopeKind;
use wire::paths;

const STEP_MS: i64 = 30_000;

/// An account with a code generator.
pub(crate) struct Enrolled {
    pub user: String,
    secret: Vec<u8>,
}

impl Enrolled {
    /// Adds an account, whose generator showed its first code ten minutes ago, with these recovery codes.
    pub(crate) async fn add(portal: &Portal, name: &str, recovery_codes: &[&str]) -> Self {
        let user = portal.add_user(name).await;
        Self::of(portal, user, recovery_codes).await
    }

    pub(crate) async fn of(portal: &Portal, user: String, recovery_codes: &[&str]) -> Self {
        let state = &portal.state;
        let (secret, sealed) =
            server::totp::make(&state.key_encryption, &*state.entropy, &user.as_str().into(), "generator").unwrap();
        let now = state.now();
        portal.store().begin_totp(&user.as_str().into(), "generator", &sealed, now).await.unwrap();
        let row = portal.store().totp(&user.as_str().into(), false).await.unwrap().unwrap();
        let first = code(&secret, now - 4 * STEP_MS).unwrap();
        let code = server::totp::check_first(&state.key_encryption, &row, &first, now).unwrap().unwrap();
        let confirm = ConfirmTotp {
            code: store::given_codes::UsedCode { drift: 0, ..code },
            since: now,
            recovery_codes: recovery_codes.iter().map(|code| recovery_code::hash(code).unwrap()).collect(),
            audit: portal.entry(AuditEvent::SecondFactorAdded, &user),
        };
        assert!(portal.store().confirm_totp(&confirm).await.unwrap());
        Self { user, secret: secret.to_vec() }
    }

    /// Returns the code that the device shows now, or at this many steps from now.
    pub(crate) fn code(&self, portal: &Portal, steps: i64) -> String {
        code(&self.secret, portal.state.now() + steps * STEP_MS).unwrap()
    }

    /// Returns six digits that are no code of these minutes.
    pub(crate) fn wrong_code(&self, portal: &Portal) -> String {
        let near: Vec<_> = (-12..=12).map(|steps| self.code(portal, steps)).collect();
        (0..100).map(|n| format!("{n:06}")).find(|code| !near.contains(code)).unwrap()
    }
}

pub(crate) async fn login_with(visitor: &Visitor, name: &str, password: &str, code: &str) -> Answer {
    let content = json!({"username": name, "password": password, "code": code});
    visitor.post_sealed(EnvelopeKind::Login, &content).await
}

pub(crate) async fn finish(visitor: &Visitor, pending: &Value, code: &str) -> Answer {
    visitor.post_sealed(EnvelopeKind::SecondFactor, &json!({"pending": pending, "code": code})).await
}

#[tokio::test]
async fn a_code_in_the_envelope_signs_in_with_two_factors() {
    let portal = Portal::start().await;
    let alice = Enrolled::add(&portal, "alice", &[]).await;
    let browser = portal.browser("203.0.113.7");
    let answer = login_with(&browser, "alice", PASSWORD, &alice.code(&portal, 0)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let session = &answer.json()["session"];
    assert_eq!((&session["amr"], &session["acr"]), (&json!(["pwd", "otp", "mfa"]), &json!("urn:postern:acr:2")));
    assert_eq!(digits("123 456").as_deref(), Some("123456"), "people type a space");
}

#[tokio::test]
async fn without_a_factor_a_code_changes_nothing() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let answer = login_with(&portal.browser("203.0.113.7"), "alice", PASSWORD, "123456").await;
    assert_eq!((answer.status, &answer.json()["session"]["amr"]), (StatusCode::OK, &json!(["pwd"])));
}

/// One answer for both: a wrong code beside the right password looks like a wrong password.
#[tokio::test]
async fn a_wrong_code_in_the_envelope_says_nothing_about_the_password() {
    let portal = Portal::start().await;
    let alice = Enrolled::add(&portal, "alice", &[]).await;
    let (right, wrong) = (alice.code(&portal, 0), alice.wrong_code(&portal));
    let mut seen = Vec::new();
    for (number, (password, code)) in
        [(PASSWORD, &wrong), ("another password", &right), ("another password", &wrong)].into_iter().enumerate()
    {
        let browser = portal.browser(&format!("203.0.{number}.7"));
        let answer = login_with(&browser, "alice", password, code).await;
        seen.push((answer.status, answer.json()));
    }
    assert_eq!(seen[0].1["code"], "wrong_credentials");
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
    assert_eq!(portal.outcomes(&alice.user, "wrong_second_factor").await, 1, "the owner sees it");
}

/// ASVS 6.5.1: a code works once, for any sender.
#[tokio::test]
async fn a_code_signs_in_once() {
    let portal = Portal::start().await;
    let alice = Enrolled::add(&portal, "alice", &[]).await;
    let code = alice.code(&portal, 0);
    let browsers: Vec<_> = (0..20).map(|n| portal.browser(&format!("203.0.{n}.7"))).collect();
    let answers = join_all(browsers.iter().map(|browser| login_with(browser, "alice", PASSWORD, &code))).await;
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == StatusCode::OK).count(), 1, "{statuses:?}");
    let older = alice.code(&portal, -1);
    let again = login_with(&portal.browser("198.51.100.7"), "alice", PASSWORD, &older).await;
    assert_ne!(again.status, StatusCode::OK, "an older code than the last one");
}

/// ASVS 6.5.5: a code is valid in its own step and the next one.
#[tokio::test]
async fn a_code_of_two_steps_ago_is_wrong() {
    let portal = Portal::start().await;
    let alice = Enrolled::add(&portal, "alice", &[]).await;
    let old = login_with(&portal.browser("203.0.113.7"), "alice", PASSWORD, &alice.code(&portal, -2)).await;
    assert_eq!(old.code(), "wrong_credentials");
    let last = login_with(&portal.browser("198.51.100.7"), "alice", PASSWORD, &alice.code(&portal, -1)).await;
    assert_eq!(last.status, StatusCode::OK, "{}", last.text);
}

#[tokio::test]
async fn a_sign_in_without_a_code_waits_and_is_finished_by_its_own_key() {
    let portal = Portal::start().await;
    let alice = Enrolled::add(&portal, "alice", &["1111-1111-0000-0000-ZZZZ-ZZZZ"]).await;
    let browser = portal.browser("203.0.113.7");
    let answer = browser.login("alice", PASSWORD).await;
    let problem = answer.json();
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "second_factor_required"));
    assert_eq!(problem["proofs"], json!(["totp", "recovery_code"]));
    assert!(browser.cookie("access").is_empty() && browser.cookie("refresh").is_empty());

    let thief = portal.browser("203.0.113.7");
    let stolen = finish(&thief, &problem["pending"], &alice.code(&portal, 0)).await;
    assert_eq!(stolen.code(), "sign_in_expired", "another key");
    let answer = finish(&browser, &problem["pending"], &alice.code(&portal, 0)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(browser.get(paths::SESSION).await.json()["acr"], "urn:postern:acr:2");
    let again = finish(&browser, &problem["pending"], &alice.code(&portal, 1)).await;
    assert_eq!(again.code(), "sign_in_expired", "it is finished");
}

#[tokio::test]
async fn a_pending_sign_in_ends_with_its_time_and_with_the_password() {
    let portal = Portal::start().await;
    let alice = Enrolled::add(&portal, "alice", &[]).await;
    let browser = portal.browser("203.0.113.7");
    let pending = browser.login("alice", PASSWORD).await.json()["pending"].clone();
    portal.advance(5 * 60_000).await;
    assert_eq!(finish(&browser, &pending, &alice.code(&portal, 0)).await.code(), "sign_in_expired");

    let pending = browser.login("alice", PASSWORD).await.json()["pending"].clone();
    let set = store::users::SetPassword {
        user: alice.user.clone().into(),
        account: String::new(),
        hash: store::users::PasswordHash("another".to_owned()),
        audit: portal.entry(AuditEvent::PasswordSet, &alice.user),
        now: portal.state.now(),
    };
    assert!(portal.store().set_password(&set).await.unwrap());
    assert_eq!(finish(&browser, &pending, &alice.code(&portal, 0)).await.code(), "wrong_credentials");
}

/// ASVS 6.3.1: guessing codes with the right password is limited for each sign-in, client and account.
#[tokio::test]
async fn guessing_codes_ends_after_five_and_slows_the_account() {
    let portal = Portal::start().await;
    let alice = Enrolled::add(&portal, "alice", &[]).await;
    let wrong = alice.wrong_code(&portal);
    let browser = portal.browser("203.0.113.7");
    let pending = browser.login("alice", PASSWORD).await.json()["pending"].clone();
    for number in 1..=4 {
        let answer = finish(&browser, &pending, &wrong).await;
        assert_eq!(answer.code(), "wrong_code", "{number}: {}", answer.text);
        assert_eq!(answer.json()["retry_after"], Value::Null, "a typo costs nothing");
    }
    let fifth = finish(&browser, &pending, &wrong).await;
    assert_eq!((fifth.code().as_str(), fifth.json()["retry_after"].as_u64().is_some()), ("wrong_code", true));
    portal.advance(3_600_000).await;
    assert_eq!(portal.outcomes(&alice.user, "wrong_second_factor").await, 5, "the owner sees each of them");

    // With one attempt from each of many addresses, the account itself is delayed.
    let mut codes = Vec::new();
    for number in 0..12 {
        let browser = portal.browser(&format!("198.51.{number}.7"));
        codes.push(login_with(&browser, "alice", PASSWORD, &wrong).await.code());
    }
    assert!(codes.iter().any(|code| code == "account_delayed"), "{codes:?}");
    assert!(!codes.iter().any(String::is_empty), "{codes:?}");
}

#[tokio::test]
async fn a_recovery_code_signs_in_once_and_the_owner_sees_it() {
    let portal = Portal::start().await;
    let codes = ["1111-1111-0000-0000-ZZZZ-ZZZZ", "2222-1111-0000-0000-ZZZZ-ZZZZ"];
    let alice = Enrolled::add(&portal, "alice", &codes).await;
    let answer = login_with(&portal.browser("203.0.113.7"), "alice", PASSWORD, "1111 1111 oooo 0000 zzzz zzzz").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(portal.store().factors(&alice.user.as_str().into(), None).await.unwrap().recovery_codes, 1);
    let again = login_with(&portal.browser("198.51.100.7"), "alice", PASSWORD, codes[0]).await;
    assert_eq!(again.code(), "wrong_credentials");
    let rows = portal.store().audit_of(&alice.user.as_str().into(), 50).await.unwrap();
    assert_eq!(rows.iter().filter(|row| row.event == AuditEvent::RecoveryCodeUsed).count(), 1);
}

/// Registers a generator in a signed-in browser, and returns the secret and the recovery codes.
pub(crate) async fn register(portal: &Portal, browser: &Visitor) -> (Vec<u8>, Vec<String>) {
    let begun = browser.post(paths::TOTP, &json!({})).await;
    assert_eq!(begun.status, StatusCode::CREATED, "{}", begun.text);
    let begun = begun.json();
    let secret = base32(begun["secret"].as_str().unwrap());
    let now = portal.state.now();
    assert!(begun["uri"].as_str().unwrap().starts_with("otpauth://totp/"));
    assert!(begun["qr"].as_str().unwrap().starts_with("<svg"));
    let wrong = json!({"id": begun["id"], "code": "12345"});
    assert_eq!(browser.post(paths::CONFIRM_TOTP, &wrong).await.code(), "wrong_code");
    let right = json!({"id": begun["id"], "code": code(&secret, now - STEP_MS).unwrap()});
    let answer = browser.post(paths::CONFIRM_TOTP, &right).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let codes = answer.json()["recovery_codes"].as_array().unwrap().clone();
    (secret, codes.into_iter().map(|code| code.as_str().unwrap().to_owned()).collect())
}

/// Decodes base32 (RFC 4648, section 6).
pub(crate) fn base32(text: &str) -> Vec<u8> {
    let bits: String = text
        .bytes()
        .map(|c| if c.is_ascii_digit() { c - b'2' + 26 } else { c - b'A' })
        .flat_map(|five| (0..5).rev().map(move |bit| if five >> bit & 1 == 1 { '1' } else { '0' }))
        .collect();
    let bytes = bits.as_bytes().chunks_exact(8);
    bytes.map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap()).collect()
}

pub(crate) async fn confirm(visitor: &Visitor, content: &Value) -> Answer {
    visitor.post_sealed(EnvelopeKind::Confirmation, content).await
}

#[tokio::test]
async fn registration_ends_with_recovery_codes_and_each_signs_in_once() {
    let portal = Portal::start().await;
    let user = portal.add_user("alice").await;
    let browser = portal.browser("203.0.113.7").signed_in("alice").await;
    let (secret, codes) = register(&portal, &browser).await;
    assert_eq!(codes.len(), 10);
    assert_eq!(browser.get(paths::SECOND_FACTORS).await.json()["recovery_codes"], 10);
    let elsewhere = portal.browser("198.51.100.7");
    assert_eq!(login_with(&elsewhere, "alice", PASSWORD, &codes[0]).await.status, StatusCode::OK);
    assert_ne!(login_with(&portal.browser("192.0.2.7"), "alice", PASSWORD, &codes[0]).await.status, StatusCode::OK);
    let another = portal.browser("192.0.3.7");
    let code = code(&secret, portal.state.now()).unwrap();
    assert_eq!(login_with(&another, "alice", PASSWORD, &code).await.status, StatusCode::OK);

    // A new set invalidates the old one.
    let made = browser.post(paths::RECOVERY_CODES, &json!({})).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    assert_ne!(login_with(&portal.browser("192.0.4.7"), "alice", PASSWORD, &codes[1]).await.status, StatusCode::OK);
    let events: Vec<_> =
        portal.store().audit_of(&user.as_str().into(), 50).await.unwrap().into_iter().map(|row| row.event).collect();
    for event in [AuditEvent::SecondFactorAdded, AuditEvent::RecoveryCodeUsed, AuditEvent::RecoveryCodesMade] {
        assert!(events.contains(&event), "{event:?}");
    }
}

#[tokio::test]
async fn the_page_counts_recovery_codes_and_asks_for_new_ones_at_two() {
    let portal = Portal::start().await;
    let codes = ["1111-1111-0000-0000-ZZZZ-ZZZZ", "2222-1111-0000-0000-ZZZZ-ZZZZ", "3333-1111-0000-0000-ZZZZ-ZZZZ"];
    let alice = Enrolled::add(&portal, "alice", &codes).await;
    let browser = portal.browser("203.0.113.7");
    assert_eq!(login_with(&browser, "alice", PASSWORD, &alice.code(&portal, 0)).await.status, StatusCode::OK);
    let page = async || browser.get("/dashboard/account").await.text;
    assert!(page().await.contains("3 recovery codes are left.") && !page().await.contains("Only 3"));
    for (code, text) in [(codes[0], "Only 2 recovery codes are left."), (codes[1], "Only 1 recovery code is left.")] {
        assert_eq!(confirm(&browser, &json!({"code": code})).await.status, StatusCode::NO_CONTENT);
        assert!(page().await.contains(text), "{text}");
    }
    let made = browser.post(paths::RECOVERY_CODES, &json!({})).await.json();
    assert!(page().await.contains("10 recovery codes are left."));
    let first = made["recovery_codes"][0].as_str().unwrap();
    assert!(!page().await.contains(first) && !browser.get(paths::SECOND_FACTORS).await.text.contains(first));
    assert_eq!(confirm(&browser, &json!({"code": codes[2]})).await.code(), "wrong_code", "the old set is void");
}

/// RFC 9470: after five minutes a change needs a fresh proof, and on an account with a factor the password alone is not
/// one.
#[tokio::test]
async fn changes_of_factors_need_a_fresh_proof() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let browser = portal.browser("203.0.113.7").signed_in("alice").await;
    portal.advance(5 * 60_000 + 1).await;
    browser.refresh().await;
    let refused = browser.post(paths::TOTP, &json!({})).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (StatusCode::UNAUTHORIZED, "insufficient_user_authentication")
    );
    assert!(refused.header("www-authenticate").contains("error=\"insufficient_user_authentication\", max_age=300"));
    assert_eq!(refused.json()["proofs"], json!(["password"]));
    assert_eq!(confirm(&browser, &json!({"password": "wrong"})).await.code(), "wrong_credentials");
    portal.advance(60_000).await;
    let confirmed = confirm(&browser, &json!({"password": PASSWORD})).await;
    assert_eq!(confirmed.status, StatusCode::NO_CONTENT, "{}", confirmed.text);
    let (secret, _) = register(&portal, &browser).await;

    portal.advance(5 * 60_000 + 1).await;
    browser.refresh().await;
    let refused = browser.send(Method::DELETE, paths::TOTP, None, &[]).await;
    assert_eq!(refused.json()["proofs"], json!(["totp", "recovery_code"]));
    let by_password = confirm(&browser, &json!({"password": PASSWORD})).await;
    assert_eq!(by_password.code(), "insufficient_user_authentication", "the factor is needed");
    let code = code(&secret, portal.state.now()).unwrap();
    assert_eq!(confirm(&browser, &json!({"code": code})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(browser.send(Method::DELETE, paths::TOTP, None, &[]).await.status, StatusCode::NO_CONTENT);
    portal.browser("198.51.100.7").signed_in("alice").await;
}

#[tokio::test]
async fn an_administrator_writes_only_after_a_fresh_proof() {
    let portal = Portal::start().await;
    portal.add_administrator("root").await;
    let root = portal.browser("203.0.113.7").signed_in("root").await;
    let invitation = json!({"role": "user", "hours": 1});
    assert_eq!(root.post(paths::INVITATIONS, &invitation).await.status, StatusCode::CREATED);
    portal.advance(5 * 60_000 + 1).await;
    root.refresh().await;
    assert_eq!(root.get(paths::INVITATIONS).await.status, StatusCode::OK, "reading needs none");
    assert_eq!(root.post(paths::INVITATIONS, &invitation).await.code(), "insufficient_user_authentication");
    assert_eq!(confirm(&root, &json!({"password": PASSWORD})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(root.post(paths::INVITATIONS, &invitation).await.status, StatusCode::CREATED);
}

/// ASVS 6.4.3, 6.4.4: a link for the password keeps the factor, and its removal is an event that the owner sees.
#[tokio::test]
async fn an_administrator_removes_a_lost_factor_and_the_owner_sees_it() {
    let portal = Portal::start().await;
    portal.add_administrator("root").await;
    let root = portal.browser("203.0.113.7").signed_in("root").await;
    let alice = Enrolled::add(&portal, "alice", &[]).await;
    let path = format!("{}/{}/second-factors", paths::USERS, alice.user);
    assert_eq!(root.send(Method::DELETE, &path, None, &[]).await.status, StatusCode::NO_CONTENT);
    assert_eq!(root.send(Method::DELETE, &path, None, &[]).await.status, StatusCode::NOT_FOUND);
    let browser = portal.browser("198.51.100.7").signed_in("alice").await;
    let page = browser.get(paths::ACTIVITY_PAGE).await.text;
    assert!(page.contains("An administrator removed second factors: all of them"), "{page}");
}

/// ASVS 6.4.3: a link sets the password, and the second factor remains.
#[tokio::test]
async fn a_reset_link_leaves_the_second_factor() {
    let portal = Portal::start().await;
    portal.add_administrator("root").await;
    let root = portal.browser("203.0.113.7").signed_in("root").await;
    let alice = Enrolled::add(&portal, "alice", &[]).await;
    let made = root.post(&format!("{}/{}/reset", paths::USERS, alice.user), &json!({})).await.json();
    let link_code = made["link"].as_str().unwrap().split("#code=").nth(1).unwrap().to_owned();
    let password = "entirely different words";
    let browser = portal.browser("198.51.100.7");
    let reset = browser.post_sealed(EnvelopeKind::Reset, &json!({"code": link_code, "password": password})).await;
    assert_eq!(reset.status, StatusCode::NO_CONTENT, "{}", reset.text);
    assert_eq!(browser.login("alice", password).await.code(), "second_factor_required");
    let signed_in = login_with(&browser, "alice", password, &alice.code(&portal, 0)).await;
    assert_eq!(signed_in.status, StatusCode::OK, "{}", signed_in.text);
}
