//! `POST /api/tokens`

use crate::support::{PASSWORD, Portal, Visitor};
use domain::account::{AccountName, Role};
use domain::encoding::from_base64url;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use store::audit::AuditEvent;
use store::users::RenameOutcome;
use wire::paths;

const WIKI: &str = "https://wiki.example";
pub(crate) const APPS: &str = "trusted_proxies = ['10.0.0.1']\n[[apps]]\nname = 'wiki'\norigin = 'https://wiki.example'\n\
     [[apps]]\nname = 'shop'\norigin = 'https://shop.test:8443'\n";

async fn alice(portal: &Portal) -> Visitor {
    portal.add_user("alice").await;
    portal.browser("203.0.113.7").signed_in("alice").await
}

pub(crate) fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).and_then(from_base64url).unwrap();
    serde_json::from_slice(&part).unwrap()
}

#[tokio::test]
async fn a_bound_session_gets_a_token_that_is_bound_too() {
    let portal = Portal::with(APPS).await;
    let alice = alice(&portal).await;
    let answer = alice.prove_and_post(paths::APP_TOKENS, &json!({"audience": WIKI})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let issued = answer.json();
    let claims = claims(issued["access_token"].as_str().unwrap());
    let me = alice.get(paths::SESSION).await.json();
    assert_eq!((&issued["token_type"], &issued["expires_at"]), (&json!("DPoP"), &json!(portal.state.now() + 300_000)));
    assert_eq!((&claims["aud"], &claims["iss"]), (&json!(WIKI), &json!("http://localhost:3000")));
    assert_eq!((&claims["sid"], &claims["sub"]), (&me["id"], &me["sub"]));
    assert_eq!(claims["cnf"]["jkt"], jwe::thumbprint(&alice.key.as_ref().unwrap().public()).to_string());
    assert_eq!((&claims["roles"], &claims["client_id"]), (&json!(["user"]), &json!("postern")));
    assert_ne!(claims["jti"], Value::Null);

    let unproven = alice.bare().post(paths::APP_TOKENS, &json!({"audience": WIKI})).await;
    assert_eq!((unproven.status, unproven.code().as_str()), (StatusCode::UNAUTHORIZED, "bad_proof"));
    assert_ne!(unproven.header("dpop-nonce"), "");
}

#[tokio::test]
async fn an_unbound_session_gets_a_bearer_token() {
    let portal = Portal::with(APPS).await;
    portal.add_user("alice").await;
    let program = portal.program("203.0.113.7");
    let login = program.login("alice", PASSWORD).await.json();
    let bearer = format!("Bearer {}", login["tokens"]["access_token"].as_str().unwrap());
    let ask = |audience: &'static str| {
        let (program, bearer) = (program.clone(), bearer.clone());
        async move {
            let body = json!({"audience": audience}).to_string();
            program.send(Method::POST, paths::APP_TOKENS, Some(body), &[("authorization", &bearer)]).await
        }
    };
    let issued = ask("https://shop.test:8443").await.json();
    assert_eq!(issued["token_type"], "Bearer");
    let token = issued["access_token"].as_str().unwrap();
    assert_eq!((&claims(token)["aud"], &claims(token)["cnf"]), (&json!("https://shop.test:8443"), &Value::Null));

    // The portal does not accept it, not even for sign-out, and not even after it was verified for the app.
    let as_ours = format!("Bearer {token}");
    for _ in 0..2 {
        let refused = program.send(Method::GET, paths::SESSION, None, &[("authorization", &as_ours)]).await;
        assert_eq!(refused.code(), "no_session");
        assert!(portal.state.tokens.verify_for("https://shop.test:8443", token, portal.state.now()).is_some());
        assert!(portal.state.tokens.verify_for(WIKI, token, portal.state.now()).is_none());
    }
    let out = Some("{}".to_owned());
    program.send(Method::POST, paths::LOGOUT, out, &[("authorization", &as_ours)]).await;
    assert_eq!(ask(WIKI).await.status, StatusCode::OK, "still signed in");

    // Another spelling of an origin gets a token for the origin that is configured.
    let spelled = ask("https://WIKI.example/").await.json();
    assert_eq!(claims(spelled["access_token"].as_str().unwrap())["aud"], WIKI);
    for stranger in ["https://evil.example", "https://wiki.example/x", "wiki", "http://localhost:3000", ""] {
        let refused = ask(stranger).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::NOT_FOUND, "no_app"), "{stranger:?}");
    }
    let out = Some("{}".to_owned());
    program.send(Method::POST, paths::LOGOUT, out, &[("authorization", &bearer)]).await;
    assert_eq!(ask(WIKI).await.code(), "no_session");
}

#[tokio::test]
async fn changes_by_command_reach_apps_within_a_second() {
    let portal = Portal::with(APPS).await;
    portal.add_administrator("root").await;
    let id = portal.add_user("alice").await;
    let program = portal.program("203.0.113.7");
    let login = program.login("alice", PASSWORD).await.json();
    let bearer = format!("Bearer {}", login["tokens"]["access_token"].as_str().unwrap());
    let body = Some(json!({"audience": WIKI}).to_string());
    let issued = program.send(Method::POST, paths::APP_TOKENS, body, &[("authorization", &bearer)]).await.json();
    let token = format!("Bearer {}", issued["access_token"].as_str().unwrap());
    let proxy = program.moved("10.0.0.1");
    let answer = async || {
        let asked = [
            ("authorization", token.as_str()),
            ("x-forwarded-for", "203.0.113.7"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "wiki.example"),
            ("x-forwarded-uri", "/"),
            ("x-forwarded-method", "GET"),
        ];
        proxy.send(Method::GET, paths::VERIFY, None, &asked).await
    };
    let ask = async || {
        let answer = answer().await;
        (answer.status, answer.header("remote-roles").to_owned())
    };
    let ask_name = async || answer().await.header("remote-user").to_owned();
    assert_eq!(ask_name().await, "alice");
    assert_eq!(ask().await, (StatusCode::OK, "user".to_owned()));
    // Changes the store as a command does, which notifies no server.
    for role in [Role::Administrator, Role::User] {
        // Longer than the period in which changes are read twice because clocks differ.
        portal.advance(31_000).await;
        let audit = portal.entry(AuditEvent::MadeAdministrator, &id);
        let set = portal.store().set_role(&id.as_str().into(), role, &audit, portal.state.now()).await.unwrap();
        assert!(set.is_done());
        portal.advance(1_000).await;
        assert_eq!(ask().await, (StatusCode::OK, role.as_str().to_owned()));
    }
    portal.advance(31_000).await;
    let (name, audit) = (AccountName::parse("alicia").unwrap(), portal.entry(AuditEvent::UserRenamed, &id));
    let renamed = portal.store().rename_user(&id.as_str().into(), &name, &audit, portal.state.now()).await.unwrap();
    assert_eq!(renamed, RenameOutcome::Renamed);
    portal.advance(1_000).await;
    assert_eq!(ask_name().await, "alicia");
    let audit = portal.entry(AuditEvent::UserDisabled, &id);
    assert!(
        portal.store().set_disabled(&id.as_str().into(), true, &audit, portal.state.now()).await.unwrap().is_done()
    );
    portal.advance(1_000).await;
    assert_eq!(ask().await.0, StatusCode::UNAUTHORIZED);
}
