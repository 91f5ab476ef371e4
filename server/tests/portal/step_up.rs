//! Every route that needs a fresh proof of the person refuses a session whose proof is old (RFC 9470).

use crate::second_factor::confirm;
use crate::support::{PASSWORD, Portal};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use wire::envelope::EnvelopeKind;
use wire::paths;

/// Writes of a person that need one, with their bodies, apart from those of administrators.
const OWN: &[(&str, &str, &str)] = &[
    ("POST", paths::PASSKEY_OPTIONS, "{}"),
    ("PATCH", "/api/passkeys/{id}", "{\"label\":\"Blue key\"}"),
    ("DELETE", "/api/passkeys/{id}", ""),
    ("POST", paths::TOTP, "{}"),
    ("DELETE", paths::TOTP, ""),
    ("PATCH", paths::SECOND_FACTORS, "{\"passkey_after_password\":true}"),
    ("POST", paths::RECOVERY_CODES, "{}"),
    ("POST", paths::USER_KEYS, "{}"),
    ("POST", paths::ROTATE_USER_KEY, "{}"),
    ("DELETE", "/api/keys/user/{version}", ""),
    // The address is a way to the password.
    ("PATCH", paths::PROFILE, "{\"email\":\"eve@example.org\"}"),
    ("POST", paths::CONFIRM_EMAIL_PROOF, "{\"code\":\"4t0KJ6Fh2vq8Zr1mXw9YbA\"}"),
];

/// All other writes, with the reason why they need none.
const EXEMPT: &[(&str, &[(&str, &str)])] = &[
    (
        "they take no session, or are the sign-in itself",
        &[
            ("POST", paths::LOGIN),
            ("POST", paths::TERMINAL_LOGIN),
            ("POST", paths::SECOND_FACTOR),
            ("POST", paths::PASSKEY_LOGIN),
            ("POST", paths::AUTHENTICATE),
            ("POST", paths::SIGNUP),
            ("POST", paths::RESET),
            ("POST", paths::FORGOTTEN_PASSWORD),
            ("POST", paths::REFRESH),
            ("POST", paths::CONFIRM),
        ],
    ),
    (
        "the password is in the sealed message, and a fresh proof of the factor is checked beside it",
        &[("POST", paths::PASSWORD), ("POST", paths::ACCOUNT_DELETE)],
    ),
    (
        "they finish a registration whose beginning needed it",
        &[("POST", paths::PASSKEYS), ("POST", paths::CONFIRM_TOTP)],
    ),
    (
        "they take access away",
        &[
            ("POST", paths::LOGOUT),
            ("POST", "/.postern/logout"),
            ("POST", paths::OAUTH_SIGN_OUT),
            ("DELETE", paths::SESSIONS),
            ("DELETE", "/api/sessions/{id}"),
            ("DELETE", paths::REMEMBERED_DEVICES),
            ("DELETE", "/api/account/remembered-devices/{id}"),
            ("DELETE", "/api/consents/{id}"),
        ],
    ),
    (
        "they give an app or a service what the session may open anyway, or change nothing of the account",
        &[
            ("POST", paths::APP_ENTER),
            ("POST", paths::APP_TOKENS),
            ("POST", paths::TICKETS),
            ("POST", paths::OAUTH_ENTER),
            ("POST", paths::OAUTH_DEVICE_ANSWER),
            ("POST", paths::NOTICES_READ),
            ("POST", paths::EMAIL_PROOF),
        ],
    ),
    (
        "they are for programs of apps, which no person signs in to",
        &[
            ("POST", paths::OAUTH_AUTHORIZE),
            ("POST", paths::OAUTH_LOGOUT),
            ("POST", paths::OAUTH_TOKEN),
            ("POST", paths::OAUTH_REVOKE),
            ("POST", paths::OAUTH_INTROSPECT),
            ("POST", paths::OAUTH_PAR),
            ("POST", paths::OAUTH_USERINFO),
            ("POST", paths::OAUTH_DEVICE),
            ("POST", "/oauth/register"),
            ("PUT", "/oauth/register/{id}"),
            ("DELETE", "/oauth/register/{id}"),
        ],
    ),
];

/// Returns every write of the document, as method and path.
fn writes() -> BTreeSet<(String, String)> {
    let document: Value = serde_json::from_str(server::openapi::document().unwrap()).unwrap();
    let mut all = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys().filter(|method| *method != "get") {
            all.insert((method.to_uppercase(), path.clone()));
        }
    }
    all
}

#[tokio::test]
async fn every_such_route_refuses_a_session_whose_proof_is_old() {
    let portal = Portal::start().await;
    portal.add_administrator("root").await;
    let root = portal.browser("203.0.113.7").signed_in("root").await;
    portal.advance(5 * 60_000 + 1).await;
    root.refresh().await;
    let writes = writes();
    let own: BTreeSet<(String, String)> =
        OWN.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    // A new write needs a line in one of the lists.
    let exempt = EXEMPT.iter().flat_map(|(_, routes)| *routes);
    let mut listed: Vec<(String, String)> =
        exempt.map(|(method, path)| ((*method).to_owned(), (*path).to_owned())).chain(own.clone()).collect();
    let number = listed.len();
    listed.extend(writes.iter().filter(|(_, path)| path.starts_with("/api/admin/")).cloned());
    let all: BTreeSet<_> = listed.iter().cloned().collect();
    assert!(all.len() == listed.len() && number > 40, "a route is listed twice");
    assert_eq!(all, writes);
    let of_administrators = writes.iter().filter(|(_, path)| path.starts_with("/api/admin/"));
    let walked: Vec<_> = own.iter().chain(of_administrators).collect();
    assert!(walked.len() > 25, "{}", walked.len());
    for (method, path) in walked {
        let asked = path.replace(['{', '}'], "");
        let own = OWN.iter().find(|own| (own.0, own.1) == (method.as_str(), path.as_str()));
        let body = if method == "DELETE" { None } else { Some(own.map_or("{}", |own| own.2).to_owned()) };
        let answer = root.send(Method::from_bytes(method.as_bytes()).unwrap(), &asked, body, &[]).await;
        let refused = (answer.status, answer.code());
        let expected = (StatusCode::UNAUTHORIZED, "insufficient_user_authentication".to_owned());
        assert_eq!(refused, expected, "{method} {path}: {}", answer.text);
        let challenge = answer.header("www-authenticate");
        assert!(challenge.contains("error=\"insufficient_user_authentication\", max_age=300"), "{challenge}");
        assert_eq!(answer.json()["proofs"], json!(["password"]), "{method} {path}");
    }
}

#[tokio::test]
async fn password_and_account_need_the_factor_beside_the_password() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    crate::second_factor::register(&portal, &alice).await;
    portal.advance(5 * 60_000 + 1).await;
    alice.refresh().await;
    let change = json!({"old": PASSWORD, "new": "entirely different words"});
    for (kind, content) in [(EnvelopeKind::Password, change), (EnvelopeKind::Deletion, json!({"password": PASSWORD}))] {
        let answer = alice.post_sealed(kind, &content).await;
        assert_eq!(answer.code(), "insufficient_user_authentication", "{kind:?}: {}", answer.text);
        assert_eq!(answer.json()["proofs"], json!(["totp", "recovery_code"]));
    }
    assert_eq!(alice.get(paths::SESSION).await.status, StatusCode::OK, "nothing was changed");
}

/// A client with a bound key proves the person in a sealed message, and repeats its request.
#[tokio::test]
async fn a_program_confirms_and_repeats() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let browser = portal.browser("203.0.113.7").signed_in("alice").await;
    portal.advance(5 * 60_000 + 1).await;
    browser.refresh().await;
    let request = json!({});
    assert_eq!(browser.prove_and_post(paths::USER_KEYS, &request).await.code(), "insufficient_user_authentication");
    assert_eq!(confirm(&browser, &json!({"password": PASSWORD})).await.status, StatusCode::NO_CONTENT);
    let key = browser.prove_and_post(paths::USER_KEYS, &request).await;
    assert_eq!(key.status, StatusCode::OK, "{}", key.text);
}

/// The page sends the present address with the display name.
#[tokio::test]
async fn a_display_name_needs_no_fresh_proof_and_another_address_does() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let change = async |request: Value| alice.send(Method::PATCH, paths::PROFILE, Some(request.to_string()), &[]).await;
    assert_eq!(change(json!({"email": "alice@example.org"})).await.status, StatusCode::OK);
    portal.advance(5 * 60_000 + 1).await;
    alice.refresh().await;
    let answer = change(json!({"display_name": "Alice", "email": "alice@example.org"})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    for email in ["", "eve@example.org"] {
        let answer = change(json!({"display_name": "Eve", "email": email})).await;
        assert_eq!(answer.code(), "insufficient_user_authentication", "{email}");
    }
    let profile = alice.get(paths::PROFILE).await.json();
    assert_eq!(
        (&profile["display_name"], &profile["email"]["address"]),
        (&json!("Alice"), &json!("alice@example.org"))
    );
    assert_eq!(confirm(&alice, &json!({"password": PASSWORD})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(change(json!({"email": ""})).await.status, StatusCode::OK);
}

/// At a site with https, the token of an unbound session writes nothing that needs a fresh proof. Without https no browser
/// can have a key.
#[tokio::test]
async fn an_unbound_session_writes_nothing_of_this_over_https() {
    const HTTPS: &str = "https://portal.example";
    for (url, origin) in [("", crate::support::ORIGIN), ("public_url = 'https://portal.example'", HTTPS)] {
        let portal = Portal::with(url).await;
        portal.add_administrator("root").await;
        let mut program = portal.program("203.0.113.7");
        program.origin = origin;
        let tokens = program.login("root", PASSWORD).await.json()["tokens"].clone();
        let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
        let send = async |method: Method, path: &str, body: &Value| {
            program.send(method, path, Some(body.to_string()), &[("authorization", &bearer)]).await
        };
        let list = program.send(Method::GET, paths::GROUPS, None, &[("authorization", &bearer)]).await;
        assert_eq!(list.status, StatusCode::OK, "it reads: {}", list.text);
        let group = send(Method::POST, paths::GROUPS, &json!({"name": "staff"})).await;
        let codes = send(Method::POST, paths::TOTP, &json!({})).await;
        if origin != HTTPS {
            assert_eq!((group.status, codes.status), (StatusCode::CREATED, StatusCode::CREATED), "{}", group.text);
            continue;
        }
        for answer in [group, codes] {
            assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "session_unbound"));
            let detail = answer.json()["detail"].clone();
            assert!(detail.as_str().unwrap().contains("Sign in again"), "{detail}");
        }
        let mut bound = portal.bound_program("203.0.113.8");
        bound.origin = origin;
        let tokens = bound.login("root", PASSWORD).await.json()["tokens"].clone();
        let token = tokens["access_token"].as_str().unwrap();
        let key = bound.key.clone().unwrap();
        let url = format!("{origin}{}", paths::GROUPS);
        let ath = domain::encoding::base64url(&domain::encoding::sha256(token.as_bytes()));
        let proof = key.prove_more(&url, &bound.nonce().await, &json!({"htm": "POST", "ath": ath}));
        let headers = [("authorization", &*format!("DPoP {token}")), ("dpop", &*proof)];
        let body = Some(json!({"name": "staff"}).to_string());
        let made = bound.send(Method::POST, paths::GROUPS, body, &headers).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    }
}
