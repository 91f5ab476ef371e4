//! A passkey in addition to the password: when it is required, and how it completes a pending sign-in.

use crate::passkeys::{challenge, person, post, register, sign_in};
use crate::second_factor::Enrolled;
use crate::support::{Answer, Authenticator, PASSWORD, Portal, VERIFIED, Visitor};
use domain::encoding::base64url;
use domain::passkey::challenge as signed_hash;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use store::audit::AuditEvent;
use store::users::{PasswordHash, SetPassword};
use wire::envelope::EnvelopeKind;
use wire::paths;

/// Sets whether the password needs a passkey.
pub(crate) async fn want(visitor: &Visitor, wanted: bool) -> Answer {
    let body = json!({"passkey_after_password": wanted}).to_string();
    visitor.send(Method::PATCH, paths::SECOND_FACTORS, Some(body), &[]).await
}

/// Adds an account whose password needs a passkey.
async fn guarded(portal: &Portal, name: &str) -> (String, Visitor, Authenticator) {
    let (id, visitor, authenticator) = person(portal, name).await;
    let answer = want(&visitor, true).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    (id, visitor, authenticator)
}

pub(crate) async fn finish(visitor: &Visitor, pending: &Value, authenticator: &Authenticator) -> Answer {
    let (challenge, options) = challenge(visitor).await;
    let mut assertion = authenticator.get(&options);
    assertion["pending"] = pending.clone();
    post(visitor, &challenge, &assertion).await
}

async fn pending(visitor: &Visitor, name: &str) -> Value {
    let answer = visitor.login(name, PASSWORD).await;
    assert_eq!(answer.code(), "second_factor_required", "{}", answer.text);
    answer.json()["pending"].clone()
}

/// An added passkey does not prevent sign-in with the password (zitadel#10717, pocket-id#862).
#[tokio::test]
async fn a_password_alone_signs_in_until_its_owner_asks_for_a_passkey_too() {
    let portal = Portal::start().await;
    let (id, visitor, _) = person(&portal, "ada").await;
    let browser = portal.browser("203.0.113.8").signed_in("ada").await;
    assert_eq!(browser.get(paths::SESSION).await.json()["amr"], json!(["pwd"]));
    let facts = visitor.get(paths::SECOND_FACTORS).await.json();
    assert_eq!((&facts["passkeys"], &facts["passkey_after_password"]), (&json!(1), &json!(false)));

    let answer = want(&visitor, true).await;
    let codes = answer.json()["recovery_codes"].as_array().unwrap().clone();
    assert_eq!((answer.status, codes.len()), (StatusCode::OK, 10), "a lost device must not lock the owner out");
    assert_eq!(want(&visitor, true).await.json()["recovery_codes"], json!([]), "it is so already");
    let answer = portal.browser("203.0.113.9").login("ada", PASSWORD).await;
    assert_eq!(answer.json()["proofs"], json!(["passkey", "recovery_code"]));
    let content = json!({"username": "ada", "password": PASSWORD, "code": codes[0]});
    let by_code = portal.browser("198.51.100.7").post_sealed(wire::envelope::EnvelopeKind::Login, &content).await;
    assert_eq!(by_code.status, StatusCode::OK, "{}", by_code.text);
    let rows = portal.store().audit_of(&id.as_str().into(), 100).await.unwrap();
    assert!(rows.iter().any(|row| row.event == AuditEvent::SecondFactorAdded && row.about == "passkey"));
}

#[tokio::test]
async fn a_passkey_finishes_a_pending_sign_in_once_and_for_its_own_account_and_browser() {
    let portal = Portal::start().await;
    let (id, _, mut ada) = guarded(&portal, "ada").await;
    let (_, _, bob) = person(&portal, "bob").await;
    let browser = portal.browser("203.0.113.8");
    let waits = pending(&browser, "ada").await;
    assert!(browser.cookie("access").is_empty());

    let refused = finish(&browser, &waits, &bob).await;
    assert_eq!(refused.code(), "passkey_refused", "another account's passkey");
    assert_eq!(portal.outcomes(&id, "passkey_refused").await, 1, "the owner of the password sees it");
    let forged = Authenticator { id: ada.id.clone(), user_handle: ada.user_handle.clone(), ..Authenticator::new() };
    assert_eq!(finish(&browser, &waits, &forged).await.code(), "passkey_refused");
    ada.flags = 0b001;
    assert_eq!(finish(&browser, &waits, &ada).await.code(), "passkey_refused", "voidauth#363");
    ada.flags = VERIFIED;
    assert_eq!(finish(&portal.browser("203.0.113.8"), &waits, &ada).await.code(), "sign_in_expired", "another key");

    let answer = finish(&browser, &waits, &ada).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let session = &answer.json()["session"];
    let amr = json!(["pwd", "pop", "user", "mfa"]);
    assert_eq!((&session["amr"], &session["acr"]), (&amr, &json!("urn:postern:acr:phr")));
    assert_eq!(finish(&browser, &waits, &ada).await.code(), "sign_in_expired", "it is finished");
    assert_eq!(sign_in(&portal.browser("203.0.113.9"), &ada).await.status, StatusCode::OK, "alone as before");
}

#[tokio::test]
async fn a_copied_passkey_finishes_no_pending_sign_in() {
    let portal = Portal::start().await;
    let (_, _, mut ada) = guarded(&portal, "ada").await;
    ada.sign_count = 3;
    assert_eq!(sign_in(&portal.browser("203.0.113.9"), &ada).await.status, StatusCode::OK);
    let browser = portal.browser("203.0.113.8");
    let waits = pending(&browser, "ada").await;
    assert_eq!(finish(&browser, &waits, &ada).await.code(), "passkey_refused", "its counter does not rise");
    ada.sign_count = 4;
    assert_eq!(finish(&browser, &waits, &ada).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_pending_sign_in_takes_five_assertions_and_ends_with_its_time_and_password() {
    let portal = Portal::start().await;
    let (id, _, ada) = guarded(&portal, "ada").await;
    let forged = Authenticator { id: ada.id.clone(), user_handle: ada.user_handle.clone(), ..Authenticator::new() };
    let browser = portal.browser("203.0.113.8");
    let waits = pending(&browser, "ada").await;
    for _ in 0..5 {
        assert_eq!(finish(&browser, &waits, &forged).await.code(), "passkey_refused");
    }
    assert_eq!(finish(&browser, &waits, &ada).await.code(), "sign_in_expired", "five tries");

    let waits = pending(&browser, "ada").await;
    portal.advance(5 * 60_000).await;
    assert_eq!(finish(&browser, &waits, &ada).await.code(), "sign_in_expired");

    let waits = pending(&browser, "ada").await;
    let set = SetPassword {
        user: id.clone().into(),
        account: String::new(),
        hash: PasswordHash("another".to_owned()),
        audit: portal.entry(AuditEvent::PasswordSet, &id),
        now: portal.state.now(),
    };
    assert!(portal.store().set_password(&set).await.unwrap());
    assert_eq!(finish(&browser, &waits, &ada).await.code(), "passkey_refused", "the password was changed");
}

/// A crowd that guesses passwords cannot block the passkey of a person whose password was right.
#[tokio::test]
async fn guesses_of_others_do_not_delay_the_passkey_after_a_password() {
    let portal = Portal::start().await;
    let (_, _, ada) = guarded(&portal, "ada").await;
    let browser = portal.browser("203.0.113.8");
    let waits = pending(&browser, "ada").await;
    for number in 0..12 {
        portal.browser(&format!("198.51.{number}.7")).login("ada", "wrong wrong wrong wrong").await;
    }
    assert_eq!(portal.browser("192.0.2.7").login("ada", PASSWORD).await.code(), "account_delayed");
    let answer = finish(&browser, &waits, &ada).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}

#[tokio::test]
async fn an_account_with_both_takes_either() {
    let portal = Portal::start().await;
    let (id, _, ada) = person(&portal, "ada").await;
    let codes = Enrolled::of(&portal, id, &[]).await;
    let browser = portal.browser("203.0.113.8");
    let answer = browser.login("ada", PASSWORD).await.json();
    assert_eq!(answer["proofs"], json!(["passkey", "totp"]), "the passkey counts although it is not demanded");
    assert_eq!(finish(&browser, &answer["pending"], &ada).await.status, StatusCode::OK);
    let content = json!({"username": "ada", "password": PASSWORD, "code": codes.code(&portal, 0)});
    let by_code = portal.browser("198.51.100.7").post_sealed(wire::envelope::EnvelopeKind::Login, &content).await;
    assert_eq!(by_code.status, StatusCode::OK, "{}", by_code.text);
}

#[tokio::test]
async fn the_wish_needs_a_passkey_a_fresh_proof_and_ends_with_the_last_passkey() {
    let portal = Portal::start().await;
    portal.add_user("ada").await;
    let visitor = portal.browser("203.0.113.7").signed_in("ada").await;
    assert_eq!(want(&visitor, true).await.code(), "not_found", "there is no passkey");
    let mut key = Authenticator::new();
    register(&visitor, &mut key).await;
    portal.advance(5 * 60_000 + 1).await;
    visitor.refresh().await;
    assert_eq!(want(&visitor, true).await.code(), "insufficient_user_authentication");
    assert_eq!(sign_in(&visitor, &key).await.status, StatusCode::OK);
    assert_eq!(want(&visitor, true).await.status, StatusCode::OK);
    let passkey = visitor.get(paths::PASSKEYS).await.json()["passkeys"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("{}/{passkey}", paths::PASSKEYS);
    assert_eq!(visitor.send(Method::DELETE, &path, None, &[]).await.status, StatusCode::NO_CONTENT);
    let facts = visitor.get(paths::SECOND_FACTORS).await.json();
    assert_eq!((&facts["passkey_after_password"], &facts["recovery_codes"]), (&json!(false), &json!(0)));
    portal.browser("203.0.113.9").signed_in("ada").await;
}

/// If the operator requires a factor, a passkey is one without the owner's setting.
#[tokio::test]
async fn a_passkey_is_asked_for_where_a_factor_is_required() {
    let portal = Portal::start().await;
    let (_, _, ada) = person(&portal, "ada").await;
    portal.add_user("bob").await;
    let strict = portal.another_with("[second_factor]\nusers = 'required'").await;
    let browser = strict.browser("203.0.113.8");
    let waits = pending(&browser, "ada").await;
    let answer = finish(&browser, &waits, &ada).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let without = strict.browser("203.0.113.9").login("bob", PASSWORD).await;
    assert_eq!(without.status, StatusCode::OK, "without a factor, the person sets one up: {}", without.text);
}

#[tokio::test]
async fn a_conditional_registration_needs_no_verified_person_and_is_for_the_first_passkey() {
    let portal = Portal::start().await;
    portal.add_user("ada").await;
    let visitor = portal.browser("203.0.113.7").signed_in("ada").await;
    let begun = visitor.post(paths::PASSKEY_OPTIONS, &json!({"conditional": true})).await;
    assert_eq!(begun.status, StatusCode::OK, "{}", begun.text);
    let begun = begun.json();
    assert_eq!(begun["options"]["authenticatorSelection"]["userVerification"], "preferred");
    let mut made = Authenticator { flags: 0, ..Authenticator::new() };
    let mut request = json!({"short_key": begun["short_key"], "credential": made.create(&begun["options"])});
    assert_eq!(visitor.post(paths::PASSKEYS, &request).await.code(), "short_key_mismatch", "another kind of challenge");
    request["conditional"] = true.into();
    let answer = visitor.post(paths::PASSKEYS, &request).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    assert_eq!(visitor.get(paths::SESSION).await.json()["amr"], json!(["pwd"]), "nobody was verified");
    let second = visitor.post(paths::PASSKEY_OPTIONS, &json!({"conditional": true})).await;
    assert_eq!(second.code(), "full", "the account has one");

    // Every sign-in with it verifies the person.
    let browser = portal.browser("203.0.113.8");
    assert_eq!(sign_in(&browser, &made).await.code(), "passkey_refused");
    made.flags = VERIFIED;
    assert_eq!(sign_in(&browser, &made).await.status, StatusCode::OK);
    // An ordinary challenge requires user verification.
    let ordinary = visitor.post(paths::PASSKEY_OPTIONS, &json!({})).await.json();
    let mut other = Authenticator { flags: 0, ..Authenticator::new() };
    let credential = other.create(&ordinary["options"]);
    let request = json!({"short_key": ordinary["short_key"], "credential": credential, "conditional": true});
    assert_eq!(visitor.post(paths::PASSKEYS, &request).await.code(), "short_key_mismatch");
}

/// Confirms with a passkey that signs the hash of this text, or of the message's `short_key`.
pub(crate) async fn confirm_by_passkey(
    visitor: &Visitor,
    authenticator: &Authenticator,
    signed: Option<&str>,
) -> Answer {
    let challenge = visitor.challenge().await;
    let hash = base64url(&signed_hash(signed.unwrap_or(&challenge.short_key)));
    let assertion = authenticator.get(&json!({"challenge": hash}));
    let (body, headers) = visitor.seal(&challenge, EnvelopeKind::Confirmation, &json!({"passkey": assertion}));
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    visitor.send(Method::POST, paths::CONFIRM, Some(body), &headers).await
}

#[tokio::test]
async fn a_passkey_is_a_fresh_proof_of_its_own_account() {
    let portal = Portal::start().await;
    let (id, ada, mut passkey) = guarded(&portal, "ada").await;
    let (_, bob, others) = person(&portal, "bob").await;
    portal.advance(5 * 60_000 + 1).await;
    ada.refresh().await;
    bob.refresh().await;
    let begun = ada.post(paths::TOTP, &json!({})).await;
    assert_eq!(begun.code(), "insufficient_user_authentication");
    assert_eq!(begun.json()["proofs"], json!(["passkey", "recovery_code"]));

    let (for_a_sign_in, _) = challenge(&ada).await;
    passkey.flags = 1;
    let unverified = confirm_by_passkey(&ada, &passkey, None).await;
    passkey.flags = VERIFIED;
    for (what, answer) in [
        ("of another account", confirm_by_passkey(&ada, &others, None).await),
        ("of a sign-in", confirm_by_passkey(&ada, &passkey, Some(&for_a_sign_in.short_key)).await),
        ("of another message", confirm_by_passkey(&ada, &passkey, Some("another")).await),
        ("without the person", unverified),
    ] {
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "passkey_refused"), "{what}");
    }
    assert_eq!(ada.post(paths::TOTP, &json!({})).await.code(), "insufficient_user_authentication");
    assert!(ada.get(paths::ACTIVITY_PAGE).await.text.contains("A passkey was refused from 203.0.113.0/24"));

    let answer = confirm_by_passkey(&ada, &passkey, None).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
    assert_eq!(ada.post(paths::TOTP, &json!({})).await.status, StatusCode::CREATED);
    assert!(portal.store().passkeys(&id.as_str().into()).await.unwrap()[0].used_at.is_some());
    // The next message is not refused because an attempt is still open.
    passkey.sign_count = 2;
    assert_eq!(confirm_by_passkey(&ada, &passkey, None).await.status, StatusCode::NO_CONTENT);
    let copied = confirm_by_passkey(&ada, &passkey, None).await;
    assert_eq!((copied.status, copied.code().as_str()), (StatusCode::UNAUTHORIZED, "passkey_refused"));
    let rows = portal.store().audit_of(&id.as_str().into(), 100).await.unwrap();
    assert!(rows.iter().any(|row| row.event == AuditEvent::PasskeyChanged && row.outcome == "counter"));

    // A password that is sufficient for a sign-in is what such an account is asked for.
    let answer = confirm_by_passkey(&bob, &others, None).await;
    assert_eq!(answer.json()["proofs"], json!(["password"]));
}
