//! Bugs that others had with passkeys. The other threads are tests beside what they are about, and browser tests.

use crate::passkeys::{BACKED_UP, person, register, sign_in};
use crate::second_factor::{Enrolled, login_with};
use crate::support::{Authenticator, PASSWORD, Portal, VERIFIED, output_text, postern};
use http::StatusCode;
use wire::paths;

/// Stored from the first day, because a migration cannot ask the authenticator.
#[tokio::test]
async fn kanidm_webauthn_rs_513_what_an_authenticator_says_is_stored_at_its_registration() {
    for flags in [VERIFIED, VERIFIED | BACKED_UP] {
        let portal = Portal::start().await;
        let id = portal.add_user("ada").await;
        let visitor = portal.browser("203.0.113.7").signed_in("ada").await;
        let mut authenticator = Authenticator { flags, sign_count: 7, ..Authenticator::new() };
        assert_eq!(register(&visitor, &mut authenticator).await.status, StatusCode::CREATED);
        let stored = portal.store().passkeys(&id.as_str().into()).await.unwrap().remove(0);
        let synced = flags != VERIFIED;
        assert_eq!(
            (stored.state.backup_eligible, stored.state.backed_up, stored.state.sign_count),
            (synced, synced, 7)
        );
        assert_eq!((stored.user_verified, stored.transports.as_str()), (true, "internal"));
        assert_eq!(stored.relying_party, "localhost");
        assert!(!stored.aaguid.is_empty() && !stored.public_key.is_empty());
        let handle = portal.store().passkey_handle(&id.as_str().into()).await.unwrap().unwrap();
        assert_eq!(handle, authenticator.user_handle);
    }
}

/// A person whose passkey is lost still signs in with the password and a code.
#[tokio::test]
async fn zitadel_10717_and_pocket_id_862_password_and_code_stay_a_way_in() {
    let portal = Portal::start().await;
    let (id, ada, _) = person(&portal, "ada").await;
    let password = portal.browser("203.0.113.8").login("ada", PASSWORD).await;
    assert_eq!(password.status, StatusCode::OK, "a passkey alone takes nothing away: {}", password.text);
    let codes = Enrolled::of(&portal, id, &[]).await;
    let code = codes.code(&portal, 0);
    let answer = login_with(&portal.browser("203.0.113.9"), "ada", PASSWORD, &code).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(ada.get(paths::SESSION).await.status, StatusCode::OK);
}

/// Safari may leave the flag UV out, which is one factor and not two.
#[tokio::test]
async fn discourse_39859_a_sign_in_without_verification_is_refused() {
    let portal = Portal::start().await;
    let (_, _, mut ada) = person(&portal, "ada").await;
    ada.flags = 0b001;
    assert_eq!(sign_in(&portal.browser("203.0.113.8"), &ada).await.code(), "passkey_refused");
    ada.flags = VERIFIED;
    assert_eq!(sign_in(&portal.browser("203.0.113.8"), &ada).await.status, StatusCode::OK);
}

/// The host is in each passkey, so a check of new settings says how many of them end.
#[tokio::test]
async fn healthchecks_980_a_check_of_new_settings_counts_the_passkeys_that_they_end() {
    let portal = Portal::start().await;
    person(&portal, "ada").await;
    let database = portal.database();
    let setting = format!("database_url=sqlite:{}", database.display());
    let check = |url: &str| {
        let url = format!("public_url={url}");
        let arguments = ["--set", &setting, "--set", &url, "config", "check"];
        output_text(&postern(database.parent().unwrap(), &arguments, ""))
    };
    let moved = check("https://auth.example");
    assert!(moved.contains("1 passkey that was made for the host localhost cannot sign in"), "{moved}");
    let same = check("http://localhost:8080");
    assert!(same.starts_with("Configuration is valid.") && !same.contains("cannot sign in"), "{same}");
}
