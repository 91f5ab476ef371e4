//! Accounts whose only factor is a passkey, where policies, apps and clients count on it.

use crate::passkeys::{person, register, sign_in};
use crate::second_factor::{Enrolled, confirm, login_with};
use crate::support::apps::verify;
use crate::support::{Answer, Authenticator, PASSWORD, Portal, Visitor};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use store::audit::AuditEvent;
use store::passkeys::{NewPasskey, Passkey};
use wire::paths;

const APP: &str = "trusted_proxies = ['10.0.0.1']\n[[apps]]\nname = 'wiki'\norigin = 'https://wiki.example'\n\
     [[apps.rules]]\npath = '/vault/*'\nallow = 'signed-in'\nsecond_factor = 'passkey'\n";
const CLIENT: &str = "[[clients]]\nid = 'app'\nredirect_uris = ['https://app.example/']\nsecond_factor = 'required'\n";
const ADMINISTRATORS: &str = "[second_factor]\nadministrators = 'passkey'";

fn needs(answer: &Answer, proofs: &Value) {
    let refused = (answer.status, answer.code());
    assert_eq!(refused, (StatusCode::UNAUTHORIZED, "insufficient_user_authentication".to_owned()), "{}", answer.text);
    assert_eq!(answer.json()["proofs"], *proofs);
}

/// Adds a passkey that was made before the site moved to its present host.
async fn with_passkey_of_another_host(portal: &Portal, user: &str) {
    let store = portal.store();
    store.ensure_passkey_handle(&user.into(), &domain::encoding::base64url(user.as_bytes())).await.unwrap();
    let new = NewPasskey {
        passkey: Passkey {
            id: format!("passkey of {user}"),
            credential_id: format!("credential of {user}"),
            user: user.into(),
            relying_party: "old.example".to_owned(),
            public_key: "pQECAyYg".to_owned(),
            aaguid: String::new(),
            transports: String::new(),
            user_verified: true,
            state: domain::passkey::PasskeyState { backup_eligible: false, backed_up: false, sign_count: 0 },
            label: "Old".to_owned(),
            created_at: portal.state.now(),
            used_at: None,
        },
        short_key: format!("challenge of {user}"),
        short_key_expires_at: portal.state.now() + 60_000,
        most: 10,
        recovery_codes: Vec::new(),
        audit: portal.entry(AuditEvent::PasskeyAdded, user),
    };
    assert_eq!(store.add_passkey(&new).await.unwrap(), store::passkeys::AddPasskeyOutcome::Added);
}

/// Every change that would make a thief's password two factors.
async fn changes_nothing(thief: &Visitor, passkey: &str, proofs: &Value) {
    needs(&thief.post(paths::PASSKEY_OPTIONS, &json!({})).await, proofs);
    needs(&thief.post(paths::TOTP, &json!({})).await, proofs);
    needs(&thief.post(paths::RECOVERY_CODES, &json!({})).await, proofs);
    needs(&thief.send(Method::DELETE, &format!("{}/{passkey}", paths::PASSKEYS), None, &[]).await, proofs);
    needs(&confirm(thief, &json!({"password": PASSWORD})).await, proofs);
    let facts = thief.get(paths::SECOND_FACTORS).await.json();
    assert_eq!((&facts["fresh_until"], &facts["proofs"]), (&Value::Null, proofs));
}

#[tokio::test]
async fn a_password_adds_no_factor_where_an_app_or_a_client_counts_on_factors() {
    for (settings, codes) in [(APP, 10), (CLIENT, 10), ("", 0)] {
        let portal = Portal::with(settings).await;
        portal.add_user("ada").await;
        let owner = portal.browser("203.0.113.7").signed_in("ada").await;
        let mut authenticator = Authenticator::new();
        let added = register(&owner, &mut authenticator).await;
        assert_eq!(
            added.status,
            StatusCode::CREATED,
            "an account without a factor sets up its first one: {}",
            added.text
        );
        let made = added.json()["recovery_codes"].as_array().map_or(0, Vec::len);
        assert_eq!(made, codes, "a lost passkey must not lock the owner out");
        let id = added.json()["id"].as_str().unwrap().to_owned();
        let thief = portal.browser("198.51.100.7").signed_in("ada").await;
        if codes == 0 {
            let begun = thief.post(paths::PASSKEY_OPTIONS, &json!({})).await;
            assert_eq!(begun.status, StatusCode::OK, "nothing counts on the passkey: {}", begun.text);
            continue;
        }
        changes_nothing(&thief, &id, &json!(["passkey", "recovery_code"])).await;
        // The owner proves the passkey, and later a recovery code.
        let owner = portal.browser("203.0.113.8");
        assert_eq!(sign_in(&owner, &authenticator).await.status, StatusCode::OK);
        assert_eq!(owner.post(paths::PASSKEY_OPTIONS, &json!({})).await.status, StatusCode::OK);
        portal.advance(5 * 60_000 + 1).await;
        owner.refresh().await;
        needs(&confirm(&owner, &json!({"password": PASSWORD})).await, &json!(["passkey", "recovery_code"]));
        let confirmed = confirm(&owner, &json!({"code": added.json()["recovery_codes"][0]})).await;
        assert_eq!(confirmed.status, StatusCode::NO_CONTENT, "{}", confirmed.text);
        assert_eq!(owner.post(paths::TOTP, &json!({})).await.status, StatusCode::CREATED);
    }
}

/// The policy was set after the thief's sign-in, which is a session of the password alone.
#[tokio::test]
async fn a_session_from_before_the_policy_adds_no_factor_by_the_password() {
    let portal = Portal::start().await;
    let (user, _, _) = person(&portal, "ada").await;
    let thief = portal.browser("198.51.100.7").signed_in("ada").await;
    let strict = portal.another_with("[second_factor]\nusers = 'required'").await;
    let passkey = portal.store().passkeys(&user.as_str().into()).await.unwrap().remove(0).id;
    changes_nothing(&thief.at(&strict), &passkey, &json!(["passkey"])).await;
}

#[tokio::test]
async fn an_administrator_with_a_passkey_confirms_with_it_and_not_with_the_password() {
    let portal = Portal::with(ADMINISTRATORS).await;
    portal.add_administrator("root").await;
    let root = portal.browser("203.0.113.7").signed_in("root").await;
    let mut authenticator = Authenticator::new();
    let added = register(&root, &mut authenticator).await;
    let codes = added.json()["recovery_codes"].clone();
    assert_eq!((added.status, codes.as_array().map(Vec::len)), (StatusCode::CREATED, Some(10)), "{}", added.text);
    let group = json!({"name": "staff"});
    assert_eq!(root.post(paths::GROUPS, &group).await.status, StatusCode::CREATED);
    portal.advance(5 * 60_000 + 1).await;
    root.refresh().await;
    let proofs = json!(["passkey", "recovery_code"]);
    needs(&root.post(paths::GROUPS, &group).await, &proofs);
    needs(&confirm(&root, &json!({"password": PASSWORD})).await, &proofs);
    needs(&root.prove_and_post(paths::USER_KEYS, &json!({})).await, &proofs);
    assert_eq!(sign_in(&root, &authenticator).await.status, StatusCode::OK);
    assert_eq!(root.post(paths::GROUPS, &group).await.code(), "name_taken");
}

/// Recovery codes replace a lost passkey, and the codes of one last as long as any factor.
#[tokio::test]
async fn a_lost_passkey_is_replaced_by_a_recovery_code() {
    let portal = Portal::with("[second_factor]\nadministrators = 'required'").await;
    portal.add_administrator("root").await;
    let root = portal.browser("203.0.113.7").signed_in("root").await;
    let added = register(&root, &mut Authenticator::new()).await.json();
    let code = added["recovery_codes"][0].as_str().unwrap().to_owned();
    assert_eq!(register(&root, &mut Authenticator::new()).await.json()["recovery_codes"], Value::Null, "it has some");
    let made = root.post(paths::RECOVERY_CODES, &json!({})).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    assert_ne!(login_with(&portal.browser("198.51.100.1"), "root", PASSWORD, &code).await.status, StatusCode::OK);
    let code = made.json()["recovery_codes"][0].as_str().unwrap().to_owned();

    // One-time codes come and go; the passkeys keep the recovery codes.
    crate::second_factor::register(&portal, &root).await;
    let removed = root.send(Method::DELETE, paths::TOTP, None, &[]).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT, "{}", removed.text);
    assert_eq!(root.get(paths::SECOND_FACTORS).await.json()["recovery_codes"], 10);
    let elsewhere = portal.browser("203.0.113.9");
    assert_eq!(elsewhere.login("root", PASSWORD).await.json()["proofs"], json!(["passkey", "recovery_code"]));
    let by_code = login_with(&elsewhere, "root", PASSWORD, &code).await;
    assert_eq!(by_code.status, StatusCode::OK, "{}", by_code.text);
    assert_eq!(elsewhere.get(paths::USERS).await.status, StatusCode::OK);
}

/// A person whose passkey is lost signs in with a code, and adds another passkey instead of going to and fro.
#[tokio::test]
async fn two_factors_without_the_passkey_lead_to_the_page_that_adds_one() {
    let portal = Portal::with("[second_factor]\nusers = 'passkey'").await;
    let (user, _, authenticator) = person(&portal, "ada").await;
    let codes = Enrolled::of(&portal, user, &[]).await;
    let browser = portal.browser("203.0.113.8");
    assert_eq!(login_with(&browser, "ada", PASSWORD, &codes.code(&portal, 0)).await.status, StatusCode::OK);
    let answer = browser.get("/dashboard").await;
    assert_eq!(answer.header("location"), "/dashboard/second-factor?next=/dashboard&factor=passkey");
    let page = browser.get(answer.header("location")).await;
    assert_eq!(page.status, StatusCode::OK);
    for part in ["sign in with it", "/login?next=/dashboard&amp;why=factor", "Add a passkey"] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    assert_eq!(register(&browser, &mut Authenticator::new()).await.status, StatusCode::CREATED);
    assert_eq!(browser.get("/dashboard").await.status, StatusCode::OK);
    // With the password alone, the passkey is proven first.
    let other = portal.browser("203.0.113.9");
    assert_eq!(sign_in(&other, &authenticator).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_passkey_of_another_host_locks_nobody_out() {
    for policy in ["required", "passkey"] {
        let settings = format!("{APP}[second_factor]\nadministrators = '{policy}'");
        let portal = Portal::with(&settings).await;
        let id = portal.add_administrator("root").await;
        with_passkey_of_another_host(&portal, &id).await;
        let held = async || portal.store().administrators(Some("localhost")).await.unwrap()[0].factors.held();
        assert!(!held().await);
        let root = portal.browser("203.0.113.7");
        let answer = root.login("root", PASSWORD).await;
        assert_eq!(answer.status, StatusCode::OK, "no passkey could finish it: {}", answer.text);
        let page = root.get("/dashboard").await;
        let enrol = format!("/dashboard/second-factor?next=/dashboard&factor={policy}");
        assert_eq!(page.header("location"), enrol, "{}", page.text);
        assert_eq!(register(&root, &mut Authenticator::new()).await.status, StatusCode::CREATED);
        assert_eq!(root.get("/dashboard").await.status, StatusCode::OK);
        assert_eq!(verify(&root.elsewhere(), "https://wiki.example", "/vault/").await.status, StatusCode::UNAUTHORIZED);
        assert!(held().await);
    }
}

/// The owner is warned before, and adds another passkey at the next sign-in.
#[tokio::test]
async fn without_the_last_passkey_a_policy_of_passkeys_leads_to_the_page_that_adds_one() {
    let group = "[[second_factor.groups]]\nname = 'staff'\nrequire = 'passkey'";
    for settings in ["[second_factor]\nusers = 'passkey'", group, APP] {
        let portal = Portal::with(settings).await;
        let root = portal.administrator().await;
        let (id, ada, _) = person(&portal, "ada").await;
        if settings == group {
            assert_eq!(root.post(paths::GROUPS, &json!({"name": "staff"})).await.status, StatusCode::CREATED);
            let change = json!({"groups": ["staff"]}).to_string();
            let answer = root.send(Method::PATCH, &format!("{}/{id}", paths::USERS), Some(change), &[]).await;
            assert!(answer.status.is_success(), "{}", answer.text);
        }
        let page = ada.get("/dashboard/account").await;
        assert!(page.text.contains("It is your last one."), "{settings}: {}", page.text);
        let passkey = ada.get(paths::PASSKEYS).await.json()["passkeys"][0]["id"].as_str().unwrap().to_owned();
        let removed = ada.send(Method::DELETE, &format!("{}/{passkey}", paths::PASSKEYS), None, &[]).await;
        assert_eq!(removed.status, StatusCode::NO_CONTENT, "{settings}: {}", removed.text);

        let browser = portal.browser("203.0.113.9");
        let answer = browser.login("ada", PASSWORD).await;
        assert_eq!(answer.status, StatusCode::OK, "{settings}: {}", answer.text);
        if settings == APP {
            let refused = verify(&browser.elsewhere(), "https://wiki.example", "/vault/").await;
            assert_ne!(refused.status, StatusCode::OK);
        } else {
            let enrol = "/dashboard/second-factor?next=/dashboard&factor=passkey";
            assert_eq!(browser.get("/dashboard").await.header("location"), enrol, "{settings}");
        }
        let added = register(&browser, &mut Authenticator::new()).await;
        assert_eq!(added.status, StatusCode::CREATED, "{settings}: {}", added.text);
        assert_eq!(browser.get("/dashboard").await.status, StatusCode::OK, "{settings}");
    }
}
