//! Passkeys: registration, sign-in, and everything that must be refused with the same answer.

use crate::support::{Answer, Authenticator, PASSWORD, Portal, VERIFIED, Visitor};
use domain::account::AccountName;
use futures::future::join_all;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use store::audit::AuditEvent;
use store::users::RenameOutcome;
use wire::challenge::Challenge;
use wire::envelope::EnvelopeKind;
use wire::paths;

const MINUTE: i64 = 60_000;
pub(crate) const BACKED_UP: u8 = 0b1_1000;

/// Registers a passkey of this authenticator.
pub(crate) async fn register(visitor: &Visitor, authenticator: &mut Authenticator) -> Answer {
    let begun = visitor.post(paths::PASSKEY_OPTIONS, &json!({})).await;
    assert_eq!(begun.status, StatusCode::OK, "{}", begun.text);
    let credential = authenticator.create(&begun.json()["options"]);
    visitor.post(paths::PASSKEYS, &json!({"short_key": begun.json()["short_key"], "credential": credential})).await
}

/// Adds an account with a passkey.
pub(crate) async fn person(portal: &Portal, name: &str) -> (String, Visitor, Authenticator) {
    let id = portal.add_user(name).await;
    let visitor = portal.browser("203.0.113.7").signed_in(name).await;
    let mut authenticator = Authenticator::new();
    let answer = register(&visitor, &mut authenticator).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    (id, visitor, authenticator)
}

/// Requests a challenge, and returns it with the options.
pub(crate) async fn challenge(visitor: &Visitor) -> (Challenge, Value) {
    let answer = visitor.get(paths::PASSKEY_CHALLENGE).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let options = answer.json()["options"].clone();
    (serde_json::from_str(&answer.text).unwrap(), options)
}

pub(crate) async fn post(visitor: &Visitor, challenge: &Challenge, assertion: &Value) -> Answer {
    let (body, headers) = visitor.seal(challenge, EnvelopeKind::Passkey, assertion);
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    visitor.send(Method::POST, paths::PASSKEY_LOGIN, Some(body), &headers).await
}

pub(crate) async fn sign_in(visitor: &Visitor, authenticator: &Authenticator) -> Answer {
    let (challenge, options) = challenge(visitor).await;
    post(visitor, &challenge, &authenticator.get(&options)).await
}

/// The whole body of a refusal.
fn refused() -> Value {
    json!({"status": 401, "code": "passkey_refused", "title": "This passkey was not accepted."})
}

#[tokio::test]
async fn a_passkey_signs_in_to_a_session_that_is_bound_like_any_other() {
    let portal = Portal::start().await;
    let (id, _, authenticator) = person(&portal, "ada").await;
    let visitor = portal.browser("203.0.113.8");
    let answer = sign_in(&visitor, &authenticator).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let session = &answer.json()["session"];
    assert_eq!((&session["username"], &session["bound"]), (&json!("ada"), &json!(true)));
    assert_eq!((&session["amr"], &session["acr"]), (&json!(["pop", "user", "mfa"]), &json!("urn:postern:acr:phr")));
    assert_eq!(visitor.get(paths::SESSION).await.status, StatusCode::OK);
    assert_eq!(visitor.refresh().await.status, StatusCode::OK);
    // Another browser with the same cookies has no key.
    let thief = visitor.thief(&portal, "203.0.113.9");
    assert_eq!(thief.post(paths::PASSKEY_OPTIONS, &json!({})).await.code(), "bad_proof");
    let list = visitor.get(paths::PASSKEYS).await.json();
    assert_eq!(list["passkeys"][0]["used_at"], json!(portal.clock_now()));
    assert_eq!(list["user_id"], json!(authenticator.user_handle));
    let handle = domain::encoding::from_base64url(&authenticator.user_handle).unwrap();
    assert!(handle.len() == 64 && !authenticator.user_handle.contains(&id), "the handle says nothing");
    let logins = portal.store().audit_of(&id.as_str().into(), 100).await.unwrap();
    assert!(logins.iter().any(|row| row.event == AuditEvent::Login && row.about == "Passkey"));
}

#[tokio::test]
async fn keycloak_32816_a_registration_asks_for_a_discoverable_verified_credential() {
    let portal = Portal::start().await;
    let (_, visitor, authenticator) = person(&portal, "ada").await;
    let options = visitor.post(paths::PASSKEY_OPTIONS, &json!({})).await.json()["options"].clone();
    let wanted = json!({"residentKey": "required", "requireResidentKey": true, "userVerification": "required"});
    assert_eq!((&options["authenticatorSelection"], &options["attestation"]), (&wanted, &json!("none")));
    assert_eq!(options["rp"]["id"], json!("localhost"));
    let excluded = &options["excludeCredentials"];
    assert_eq!(excluded[0]["id"], json!(domain::encoding::base64url(&authenticator.id)));
    assert_eq!(excluded[0]["transports"], json!(["internal"]), "unknown transports are not kept");
    // Before a first factor, no answer names the passkeys of an account.
    let (_, request) = challenge(&portal.browser("203.0.113.8")).await;
    assert!(request.get("allowCredentials").is_none() && request["userVerification"] == json!("required"));
}

#[tokio::test]
async fn every_refusal_is_one_answer() {
    let portal = Portal::start().await;
    let (_, _, mut ada) = person(&portal, "ada").await;
    let (_, _, bob) = person(&portal, "bob").await;
    let visitor = portal.browser("203.0.113.8");
    let mut answers = Vec::new();

    let unknown = Authenticator { user_handle: ada.user_handle.clone(), ..Authenticator::new() };
    answers.push(("unknown id", sign_in(&visitor, &unknown).await));
    let forged = Authenticator { id: ada.id.clone(), user_handle: ada.user_handle.clone(), ..Authenticator::new() };
    answers.push(("forged signature", sign_in(&visitor, &forged).await));
    let handle = std::mem::replace(&mut ada.user_handle, bob.user_handle.clone());
    answers.push(("another account's handle", sign_in(&visitor, &ada).await));
    ada.user_handle = String::new();
    answers.push(("no handle", sign_in(&visitor, &ada).await));
    ada.user_handle = handle;
    for (what, flags) in [("missing UV", 0b001), ("missing UP", 0b100), ("a copy that may not be", 0b1_0101)] {
        ada.flags = flags;
        answers.push((what, sign_in(&visitor, &ada).await));
    }
    ada.flags = VERIFIED;
    for origin in
        ["http://localhost:3001", "https://localhost:3000", "http://evil.localhost:3000", "http://localhost:3000/"]
    {
        ada.origin = origin.to_owned();
        answers.push(("wrong origin", sign_in(&visitor, &ada).await));
    }
    crate::support::ORIGIN.clone_into(&mut ada.origin);
    ada.host = "evil.example".to_owned();
    answers.push(("wrong rpId", sign_in(&visitor, &ada).await));
    ada.host = "localhost".to_owned();
    let (fresh, _) = challenge(&visitor).await;
    let (_, other) = challenge(&visitor).await;
    answers.push(("another challenge", post(&visitor, &fresh, &ada.get(&other)).await));

    for (what, answer) in &answers {
        assert_eq!((answer.status.as_u16(), answer.json()), (401, refused()), "{what}");
    }
    assert_eq!(sign_in(&visitor, &ada).await.status, StatusCode::OK, "and none of it stands in the owner's way");
}

#[tokio::test]
async fn a_challenge_serves_once_for_ten_minutes_and_this_browser() {
    let portal = Portal::start().await;
    let (_, _, ada) = person(&portal, "ada").await;
    let visitor = portal.browser("203.0.113.8");
    let (first, options) = challenge(&visitor).await;
    portal.advance(9 * MINUTE).await;
    assert_eq!(post(&visitor, &first, &ada.get(&options)).await.status, StatusCode::OK, "autofill waits with the page");
    let other = portal.browser("203.0.113.9");
    let (late, options) = challenge(&other).await;
    portal.advance(11 * MINUTE).await;
    assert_eq!(post(&other, &late, &ada.get(&options)).await.code(), "short_key_expired");
    let (stolen, options) = challenge(&other).await;
    assert_eq!(post(&portal.browser("203.0.113.10"), &stolen, &ada.get(&options)).await.code(), "short_key_mismatch");
    // A challenge for a password is not valid for a passkey, and the reverse.
    let plain = other.challenge().await;
    assert_eq!(post(&other, &plain, &ada.get(&options)).await.code(), "short_key_mismatch");
    let login = other.seal(&stolen, EnvelopeKind::Login, &json!({"username": "ada", "password": PASSWORD}));
    assert_eq!(other.send_login(&login).await.code(), "short_key_mismatch");
}

#[tokio::test]
async fn a_replayed_challenge_is_refused_and_counts_as_an_attack() {
    let portal = Portal::start().await;
    let (_, _, ada) = person(&portal, "ada").await;
    let visitor = portal.browser("203.0.113.8");
    let (used, options) = challenge(&visitor).await;
    let cookies = visitor.cookies.lock().unwrap().clone();
    assert_eq!(post(&visitor, &used, &ada.get(&options)).await.status, StatusCode::OK);
    *visitor.cookies.lock().unwrap() = cookies;
    let again = post(&visitor, &used, &ada.get(&options)).await;
    assert_eq!((again.status, again.code().as_str()), (StatusCode::UNAUTHORIZED, "passkey_refused"), "{}", again.text);
    assert_eq!(again.json()["title"], refused()["title"]);
    assert_eq!(visitor.get(paths::PASSKEY_CHALLENGE).await.code(), "banned");
}

#[tokio::test]
async fn a_wrong_signature_is_no_guess_at_a_password() {
    let portal = Portal::start().await;
    let (_, _, ada) = person(&portal, "ada").await;
    let visitor = portal.browser("203.0.113.8");
    let forged = Authenticator { id: ada.id.clone(), user_handle: ada.user_handle.clone(), ..Authenticator::new() };
    for _ in 0..20 {
        assert_eq!(sign_in(&visitor, &forged).await.code(), "passkey_refused");
    }
    assert_eq!(visitor.login("ada", PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_owner_enters_while_others_guess_at_the_password() {
    let portal = Portal::start().await;
    let (id, _, ada) = person(&portal, "ada").await;
    // A hundred wrong passwords from anywhere block the account for passwords.
    for number in 0..100 {
        let stranger = portal.browser(&format!("198.51.100.{number}"));
        stranger.login("ada", "wrong wrong wrong wrong").await;
        portal.advance(20 * MINUTE).await;
    }
    let visitor = portal.browser("203.0.113.8");
    assert_ne!(visitor.login("ada", PASSWORD).await.status, StatusCode::OK, "the password alone is not enough");
    // That attempt has banned the address from sign-in.
    assert_eq!(visitor.get(paths::CHALLENGE).await.code(), "banned");
    let answer = sign_in(&visitor, &ada).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert!(portal.outcomes(&id, "ok").await + portal.outcomes(&id, "new_device").await >= 2);
}

#[tokio::test]
async fn bans_by_hand_and_on_everything_hold_for_passkeys_too() {
    let portal = Portal::start().await;
    let root = portal.administrator().await;
    for (number, scope) in ["sign-in", "everything"].into_iter().enumerate() {
        let address = format!("203.0.113.{}", 20 + number);
        let ban = json!({"address": address, "scope": scope, "for": "2h", "reason": "It scans."});
        assert_eq!(root.post(paths::BANS, &ban).await.status, StatusCode::CREATED);
        assert_eq!(portal.browser(&address).get(paths::PASSKEY_CHALLENGE).await.code(), "banned", "{scope}");
    }
}

#[tokio::test]
async fn exactly_exa_1037_synced_passkeys_count_nothing() {
    let portal = Portal::start().await;
    let (id, _, ada) = person(&portal, "ada").await;
    for _ in 0..3 {
        assert_eq!(sign_in(&portal.browser("203.0.113.8"), &ada).await.status, StatusCode::OK);
    }
    assert_eq!(changes(&portal, &id).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_counter_that_does_not_rise_is_refused_and_shown_to_the_owner() {
    let portal = Portal::start().await;
    let (id, visitor, mut ada) = person(&portal, "ada").await;
    let forged = Authenticator { id: ada.id.clone(), user_handle: ada.user_handle.clone(), ..Authenticator::new() };
    assert_eq!(sign_in(&portal.browser("203.0.113.9"), &forged).await.json(), refused());
    // Each address is noted once a minute.
    for (address, (count, noted)) in (20..).zip([(5, 0), (6, 0), (6, 1), (2, 2), (0, 3), (7, 3)]) {
        ada.sign_count = count;
        let answer = sign_in(&portal.browser(&format!("203.0.113.{address}")), &ada).await;
        let stored = portal.store().passkeys(&id.as_str().into()).await.unwrap()[0].state.sign_count;
        assert_eq!(changes(&portal, &id).await, vec!["counter"; noted], "{count}");
        if answer.status == StatusCode::OK {
            assert_eq!(stored, count);
        } else {
            assert_eq!((answer.json(), stored), (refused(), 6), "{count}");
        }
    }
    assert_eq!(portal.outcomes(&id, "passkey_refused").await, 4, "the forged one and three copies");
    let page = visitor.get(paths::ACTIVITY_PAGE).await.text;
    assert!(page.contains("was refused, because it may have been copied. Remove it"), "{page}");
    assert_eq!(portal.browser("203.0.113.8").login("ada", PASSWORD).await.status, StatusCode::OK, "the way back in");
}

#[tokio::test]
async fn of_uses_with_one_counter_at_the_same_time_one_signs_in() {
    let portal = Portal::start().await;
    let (id, _, mut ada) = person(&portal, "ada").await;
    ada.sign_count = 9;
    let browsers: Vec<_> = (0..8).map(|number| portal.browser(&format!("203.0.113.{}", 20 + number))).collect();
    let answers = join_all(browsers.iter().map(|browser| sign_in(browser, &ada))).await;
    let accepted = answers.iter().filter(|answer| answer.status == StatusCode::OK).count();
    let refused = answers.iter().filter(|answer| answer.code() == "passkey_refused").count();
    assert_eq!((accepted, refused), (1, 7), "{:?}", answers.iter().map(|answer| &answer.text).collect::<Vec<_>>());
    assert_eq!(changes(&portal, &id).await, vec!["counter"; 7]);
}

#[tokio::test]
async fn supabase_auth_2732_keepassxc_13239_and_pocket_id_397_backup_eligibility_may_change_in_both_directions() {
    let portal = Portal::start().await;
    let (id, visitor, mut ada) = person(&portal, "ada").await;
    let synced = async || visitor.get(paths::PASSKEYS).await.json()["passkeys"][0]["synced"].clone();
    assert_eq!(synced().await, json!(false));
    for (flags, noted) in [(VERIFIED | BACKED_UP, 1), (VERIFIED | BACKED_UP, 1), (VERIFIED, 2)] {
        ada.flags = flags;
        assert_eq!(sign_in(&portal.browser("203.0.113.8"), &ada).await.status, StatusCode::OK);
        assert_eq!(synced().await, json!(flags != VERIFIED));
        assert_eq!(changes(&portal, &id).await, vec!["backup_eligibility"; noted]);
    }
}

/// A stranger does not learn whether a passkey is known here. Managers learn of a removal from the list of a signed-in
/// person.
#[tokio::test]
async fn a_removed_passkey_is_refused_like_a_known_one_and_managers_get_the_list() {
    let portal = Portal::start().await;
    let (id, ada, mut passkey) = person(&portal, "ada").await;
    let stranger = portal.browser("203.0.113.8");
    passkey.flags = 0b001;
    assert_eq!(sign_in(&stranger, &passkey).await.json(), refused(), "it is known");
    passkey.flags = VERIFIED;
    let removed = portal.entry(AuditEvent::SecondFactorRemoved, &id);
    assert!(portal.store().remove_factors(&id.as_str().into(), &removed).await.unwrap());
    assert_eq!(sign_in(&stranger, &passkey).await.json(), refused());
    let list = ada.get(paths::PASSKEYS).await.json();
    assert_eq!(list["passkeys"], json!([]), "{list}");
    assert_eq!((&list["username"], &list["display_name"]), (&json!("ada"), &json!("ada")), "{list}");
    let change = json!({"display_name": "Ada Lovelace"}).to_string();
    assert_eq!(ada.send(Method::PATCH, paths::PROFILE, Some(change), &[]).await.status, StatusCode::OK);
    assert_eq!(ada.get(paths::PASSKEYS).await.json()["display_name"], "Ada Lovelace");
}

#[tokio::test]
async fn voidauth_363_a_key_without_verification_is_not_registered() {
    let portal = Portal::start().await;
    portal.add_user("ada").await;
    let visitor = portal.browser("203.0.113.7").signed_in("ada").await;
    for flags in [0b001, 0b100] {
        let mut authenticator = Authenticator { flags, ..Authenticator::new() };
        assert_eq!(register(&visitor, &mut authenticator).await.code(), "passkey_refused", "{flags:b}");
    }
    assert_eq!(visitor.get(paths::PASSKEYS).await.json()["passkeys"], json!([]));
}

#[tokio::test]
async fn a_registration_is_of_one_session_one_challenge_and_one_account() {
    let portal = Portal::start().await;
    let (_, ada, mut key) = person(&portal, "ada").await;
    portal.add_user("bob").await;
    let bob = portal.browser("203.0.113.9").signed_in("bob").await;
    assert_eq!(register(&bob, &mut key).await.code(), "passkey_refused", "another account has it");
    let begun = ada.post(paths::PASSKEY_OPTIONS, &json!({})).await.json();
    let mut new = Authenticator::new();
    let request =
        json!({"short_key": begun["short_key"], "credential": new.create(&begun["options"]), "label": " My key "});
    assert_eq!(bob.post(paths::PASSKEYS, &request).await.code(), "short_key_mismatch", "another session");
    let mut wrong = request.clone();
    wrong["label"] = json!("two\nlines");
    assert_eq!(ada.post(paths::PASSKEYS, &wrong).await.code(), "bad_request");
    assert_eq!(ada.post(paths::PASSKEYS, &request).await.json()["label"], json!("My key"));
    let mut replayed = request.clone();
    replayed["credential"] = Authenticator::new().create(&begun["options"]);
    assert_eq!(ada.post(paths::PASSKEYS, &replayed).await.code(), "passkey_refused", "the challenge was used");
    assert_eq!(ada.get(paths::PASSKEYS).await.json()["passkeys"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn passkeys_are_renamed_and_removed_by_their_owner() {
    let portal = Portal::start().await;
    let (id, ada, key) = person(&portal, "ada").await;
    portal.add_user("bob").await;
    let bob = portal.browser("203.0.113.9").signed_in("bob").await;
    let passkey = ada.get(paths::PASSKEYS).await.json()["passkeys"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("{}/{passkey}", paths::PASSKEYS);
    let label = Some(json!({"label": "Blue key"}).to_string());
    for (visitor, status) in [(&bob, StatusCode::NOT_FOUND), (&ada, StatusCode::NO_CONTENT)] {
        assert_eq!(visitor.send(Method::PATCH, &path, label.clone(), &[]).await.status, status);
    }
    assert_eq!(ada.get(paths::PASSKEYS).await.json()["passkeys"][0]["label"], json!("Blue key"));
    for (visitor, status) in
        [(&bob, StatusCode::NOT_FOUND), (&ada, StatusCode::NO_CONTENT), (&ada, StatusCode::NOT_FOUND)]
    {
        assert_eq!(visitor.send(Method::DELETE, &path, None, &[]).await.status, status);
    }
    assert_eq!(sign_in(&portal.browser("203.0.113.8"), &key).await.code(), "passkey_refused");
    let rows = portal.store().audit_of(&id.as_str().into(), 100).await.unwrap();
    let removed = rows.iter().find(|row| row.event == AuditEvent::PasskeyRemoved).unwrap();
    assert_eq!(removed.about, "Blue key");
    let list = ada.get(paths::PASSKEYS).await.json();
    assert!(list["passkeys"] == json!([]) && list["user_id"].is_string(), "managers are told of an empty list");
}

/// The session's token has the earlier name until its next refresh.
#[tokio::test]
async fn managers_get_the_present_names() {
    let portal = Portal::start().await;
    let (id, ada, _) = person(&portal, "ada").await;
    let profile = Some(json!({"display_name": "Ada L"}).to_string());
    assert_eq!(ada.send(Method::PATCH, paths::PROFILE, profile, &[]).await.status, StatusCode::OK);
    let (name, audit) = (AccountName::parse("adele").unwrap(), portal.entry(AuditEvent::UserRenamed, &id));
    let renamed = portal.store().rename_user(&id.as_str().into(), &name, &audit, portal.state.now()).await.unwrap();
    assert_eq!(renamed, RenameOutcome::Renamed);
    let list = ada.get(paths::PASSKEYS).await.json();
    assert_eq!((&list["username"], &list["display_name"]), (&json!("adele"), &json!("Ada L")));
    let begun = ada.post(paths::PASSKEY_OPTIONS, &json!({})).await.json();
    let user = &begun["options"]["user"];
    assert_eq!((&user["name"], &user["displayName"]), (&json!("adele"), &json!("Ada L")));
}

#[tokio::test]
async fn a_disabled_account_and_a_changed_host_are_refused() {
    let portal = Portal::start().await;
    let (id, _, ada) = person(&portal, "ada").await;
    let moved = portal.another_with("public_url = 'https://192.0.2.1'").await;
    assert_eq!(moved.browser("203.0.113.8").get(paths::PASSKEY_CHALLENGE).await.code(), "bad_request");
    let audit = portal.entry(AuditEvent::UserDisabled, &id);
    portal.store().set_disabled(&id.as_str().into(), true, &audit, portal.clock_now()).await.unwrap();
    assert_eq!(sign_in(&portal.browser("203.0.113.8"), &ada).await.code(), "passkey_refused");
}

#[tokio::test]
async fn without_javascript_each_form_says_what_needs_it() {
    let portal = Portal::with("signup.mode = 'open'").await;
    portal.add_user("ada").await;
    let stranger = portal.browser("203.0.113.7");
    for (path, says) in [
        (paths::LOGIN_PAGE, "Signing in needs JavaScript, because"),
        (paths::SIGNUP_PAGE, "Creating an account needs JavaScript, because"),
        (paths::RESET_PAGE, "Setting a password needs JavaScript, because"),
    ] {
        let page = stranger.get(path).await.text;
        assert!(page.contains(&format!("<noscript><p class=\"why\">{says}")), "{path}: {page}");
    }
    let page = portal.browser("203.0.113.8").signed_in("ada").await.get(paths::ACCOUNT_PAGE).await.text;
    assert!(page.contains("<noscript><p>Adding a passkey needs JavaScript.</p></noscript>"), "{page}");
}

#[tokio::test]
async fn managers_find_the_page() {
    let portal = Portal::start().await;
    let answer = portal.program("203.0.113.7").get(paths::PASSKEY_ENDPOINTS).await;
    assert_eq!(answer.json()["enroll"], json!("http://localhost:3000/dashboard/account"));
    let page = portal.browser("203.0.113.8").get("/login").await;
    let policy = page.header("permissions-policy").to_owned();
    assert!(policy.contains("publickey-credentials-create=(self), publickey-credentials-get=(self)"), "{policy}");
}

#[tokio::test]
async fn password_managers_find_the_page_that_changes_a_password() {
    let portal = Portal::start().await;
    portal.add_user("ada").await;
    let ada = portal.browser("203.0.113.8").signed_in("ada").await;
    for visitor in [&portal.browser("203.0.113.7"), &ada] {
        let answer = visitor.get("/.well-known/change-password").await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, paths::ACCOUNT_PAGE));
        // Managers ask for this path first: a server that finds everything has no such page.
        let missing =
            visitor.get("/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200").await;
        assert_eq!(missing.status, StatusCode::NOT_FOUND);
    }
    let sign_in = portal.browser("203.0.113.7").get(paths::ACCOUNT_PAGE).await;
    assert_eq!(sign_in.header("location"), "/login?next=/dashboard/account");
    assert!(ada.get(paths::ACCOUNT_PAGE).await.text.contains("Change password"));
}

async fn changes(portal: &Portal, user: &str) -> Vec<String> {
    let rows = portal.store().audit_of(&user.into(), 100).await.unwrap();
    rows.into_iter().filter(|row| row.event == AuditEvent::PasskeyChanged).map(|row| row.outcome).collect()
}
