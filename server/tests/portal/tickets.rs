//! `POST /api/tickets`

use crate::support::{Answer, Portal, Visitor, receiving_key};
use domain::encoding::from_base64url;
use http::{Method, StatusCode};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};
use store::audit::AuditEvent;
use wire::paths;
use wire::tickets::{TicketClaims, TicketHeader};

const MINUTE: i64 = 60_000;

/// Starts a portal with a service, and returns it with the service's private key.
async fn with_time(settings: &str, role: Option<&str>) -> (Portal, jwe::PrivateKey) {
    let portal = Portal::with(settings).await;
    let key = receiving_key();
    let root = portal.administrator().await;
    let mut request = json!({"name": "time", "key": key.public()});
    if let Some(role) = role {
        request["role"] = role.into();
    }
    assert_eq!(root.post(paths::SERVICES, &request).await.status, StatusCode::CREATED);
    (portal, key)
}

async fn alice(portal: &Portal) -> Visitor {
    portal.add_user("alice").await;
    portal.browser("203.0.113.7").signed_in("alice").await
}

async fn ask(visitor: &Visitor, request: Value) -> Answer {
    visitor.prove_and_post(paths::TICKETS, &request).await
}

/// Opens the outer layer as the service does.
fn opened(key: &jwe::PrivateKey, ticket: &str) -> Option<(TicketHeader, String)> {
    let sealed = jwe::parse::<TicketHeader>(ticket).unwrap();
    let content = sealed.open(&key.agree(sealed.epk()).unwrap()).ok()?;
    Some((sealed.header().clone(), String::from_utf8(content.to_vec()).unwrap()))
}

/// Verifies the inner layer with the published key set, as the service does.
async fn claims(portal: &Portal, key: &jwe::PrivateKey, answer: &Answer) -> TicketClaims {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let (_, signed) = opened(key, answer.json()["ticket"].as_str().unwrap()).unwrap();
    let header = jsonwebtoken::decode_header(&signed).unwrap();
    assert_eq!(header.typ.as_deref(), Some("ticket+jwt"));
    let jwks = portal.program("203.0.113.200").get(paths::JWKS).await.json();
    let published = jwks["keys"].as_array().unwrap().iter().find(|key| key["kid"] == json!(header.kid)).unwrap();
    let part = |name: &str| published[name].as_str().unwrap();
    let decoding = DecodingKey::from_ec_components(part("x"), part("y")).unwrap();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&["time"]);
    validation.validate_exp = false;
    jsonwebtoken::decode::<TicketClaims>(&signed, &decoding, &validation).unwrap().claims
}

#[tokio::test]
async fn a_ticket_opens_with_the_services_key_and_says_who_comes() {
    let (portal, key) = with_time("", None).await;
    let alice = alice(&portal).await;
    let answer = ask(&alice, json!({"service": "time"})).await;
    let issued = answer.json();
    let claims = claims(&portal, &key, &answer).await;
    let me = alice.get(paths::SESSION).await.json();
    let now = portal.state.now();
    let seconds = now.to_seconds().as_seconds();
    assert_eq!((claims.iss.as_str(), claims.aud.as_str()), ("http://localhost:3000", "time"));
    assert_eq!((&json!(claims.sub), &json!(claims.sid), &json!(claims.jti)), (&me["sub"], &me["id"], &issued["jti"]));
    assert_eq!(claims.roles, ["user"]);
    assert_eq!(claims.cnf.jkt, jwe::thumbprint(&alice.key.as_ref().unwrap().public()).to_string());
    assert_eq!((claims.iat, claims.nbf, claims.exp), (seconds - 30, seconds - 30, seconds + 300));
    assert_eq!((&issued["expires_at"], &issued["version"]), (&json!(now + 5 * MINUTE), &json!(1)));
    // The period for which it would remain valid if it were replaced right now.
    assert_eq!((claims.user_key.version, claims.user_key.until * 1000), (1, (now + 60 * MINUTE).as_millis()));
    assert_eq!(issued["key_until"], (now + 60 * MINUTE).as_millis());

    let sealed = alice.prove_and_post(paths::USER_KEYS, &json!({})).await.json();
    let sealed = jwe::parse::<wire::user_keys::UserKeyHeader>(sealed["key"].as_str().unwrap()).unwrap();
    let content = sealed.open(&alice.receiving.agree(sealed.epk()).unwrap()).unwrap();
    let content: wire::user_keys::UserKeyJwk = serde_json::from_slice(&content).unwrap();
    assert_eq!(claims.user_key.k, content.k, "both sides hold the same key");

    let ticket = issued["ticket"].as_str().unwrap();
    assert!(opened(&receiving_key(), ticket).is_none(), "another service");
    assert!(opened(&alice.receiving, ticket).is_none(), "not even whom it is about");
    let (header, _) = opened(&key, ticket).unwrap();
    assert_eq!((header.typ.as_str(), header.cty.as_str()), ("ticket+jwe", "JWT"));
    assert_eq!(header.kid, jwe::thumbprint(&key.public()).to_string());
    let again = ask(&alice, json!({"service": "time"})).await.json();
    assert_ne!(again["jti"], issued["jti"]);
}

#[tokio::test]
async fn a_ticket_is_no_access_token_and_an_access_token_no_ticket() {
    let (portal, key) = with_time("", None).await;
    let alice = alice(&portal).await;
    let answer = ask(&alice, json!({"service": "time"})).await;
    let (_, signed) = opened(&key, answer.json()["ticket"].as_str().unwrap()).unwrap();
    let program = portal.program("203.0.113.9");
    let bearer = format!("Bearer {signed}");
    let refused = program.send(Method::GET, paths::SESSION, None, &[("authorization", &bearer)]).await;
    assert_eq!(refused.code(), "no_session");
    let header = alice.cookie("access").split('.').next().map(|part| from_base64url(part).unwrap()).unwrap();
    assert_ne!(serde_json::from_slice::<Value>(&header).unwrap()["typ"], "ticket+jwt");
}

#[tokio::test]
async fn a_rotation_gives_new_tickets_the_new_key_and_old_ones_their_end() {
    let (portal, key) = with_time("[keys]\noverlap = '10m'", None).await;
    let alice = alice(&portal).await;
    let before = claims(&portal, &key, &ask(&alice, json!({"service": "time"})).await).await;
    portal.advance(2 * MINUTE).await;
    assert_eq!(alice.prove_and_post(paths::ROTATE_USER_KEY, &json!({})).await.status, StatusCode::CREATED);
    let ends = portal.state.now().to_seconds().as_seconds() + 600;
    assert!(before.user_key.until <= ends, "nothing that runs ends early");
    let new = claims(&portal, &key, &ask(&alice, json!({"service": "time"})).await).await;
    assert_eq!(new.user_key.version, 2);
    assert_ne!(new.user_key.k, before.user_key.k);
    let old = claims(&portal, &key, &ask(&alice, json!({"service": "time", "version": 1})).await).await;
    assert_eq!((old.user_key.version, old.user_key.until), (1, ends));
    assert_eq!(old.user_key.k, before.user_key.k);

    portal.advance(4 * MINUTE).await;
    alice.refresh().await;
    portal.advance(3 * MINUTE).await;
    let late = claims(&portal, &key, &ask(&alice, json!({"service": "time", "version": 1})).await).await;
    assert_eq!((late.user_key.until, late.exp), (ends, ends), "no ticket outlives its key");
    portal.advance(MINUTE).await;
    alice.refresh().await;
    portal.advance(2 * MINUTE).await;
    let over = ask(&alice, json!({"service": "time", "version": 1})).await;
    assert_eq!((over.status, over.code().as_str()), (StatusCode::GONE, "key_ended"));
    let path = format!("{}/2", paths::USER_KEYS);
    assert_eq!(alice.confirm().await.status, StatusCode::NO_CONTENT);
    assert_eq!(alice.send(Method::DELETE, &path, None, &[]).await.status, StatusCode::NO_CONTENT);
    assert_eq!(ask(&alice, json!({"service": "time", "version": 2})).await.code(), "key_ended", "revoked");
}

#[tokio::test]
async fn there_is_none_for_a_service_that_is_not_there_or_takes_others() {
    let (portal, key) = with_time("", Some("administrator")).await;
    let alice = alice(&portal).await;
    for name in ["print", "", "TIME", "time\0", "' OR 1=1 --"] {
        let refused = ask(&alice, json!({"service": name})).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::NOT_FOUND, "no_service"), "{name:?}");
    }
    let refused = ask(&alice, json!({"service": "time"})).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "role_missing"));
    for wrong in [json!({}), json!({"service": "time", "aud": "other"}), json!({"service": 1})] {
        assert_eq!(ask(&alice, wrong).await.code(), "bad_request");
    }
    // The role is read from the store and applies at once, although the access token has the old one.
    let id = alice.get(paths::SESSION).await.json()["sub"].as_str().unwrap().to_owned();
    let audit = portal.entry(AuditEvent::MadeAdministrator, &id);
    let role = domain::account::Role::Administrator;
    assert!(portal.store().set_role(&id.as_str().into(), role, &audit, portal.state.now()).await.unwrap().is_done());
    let claims = claims(&portal, &key, &ask(&alice, json!({"service": "time"})).await).await;
    assert_eq!(claims.roles, ["administrator"]);
}

#[tokio::test]
async fn a_removed_or_changed_service_counts_at_once() {
    let (portal, key) = with_time("", None).await;
    let alice = alice(&portal).await;
    let root = portal.browser("198.51.100.1").signed_in("root").await;
    let other = receiving_key();
    root.post(paths::SERVICES, &json!({"name": "time", "key": other.public()})).await;
    let answer = ask(&alice, json!({"service": "time"})).await.json();
    let ticket = answer["ticket"].as_str().unwrap();
    assert!(opened(&key, ticket).is_none() && opened(&other, ticket).is_some());
    root.send(Method::DELETE, &format!("{}/time", paths::SERVICES), None, &[]).await;
    assert_eq!(ask(&alice, json!({"service": "time"})).await.code(), "no_service");
}

#[tokio::test]
async fn the_key_set_page_names_where_to_ask() {
    let portal = Portal::start().await;
    let metadata = portal.program("203.0.113.7").get(paths::METADATA).await.json();
    for (name, path) in [
        ("user_key_endpoint", paths::USER_KEYS),
        ("user_key_rotation_endpoint", paths::ROTATE_USER_KEY),
        ("ticket_endpoint", paths::TICKETS),
        ("password_endpoint", paths::PASSWORD),
        ("reset_endpoint", paths::RESET),
    ] {
        assert_eq!(metadata[name], format!("http://localhost:3000{path}"), "{name}");
    }
    assert_eq!(metadata["admin_endpoints"]["services"], "http://localhost:3000/api/admin/services");
}
