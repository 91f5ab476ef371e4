//! Servers of apps that share their address with an attacker: a ban that the attacker caused does not shut them out.

use crate::oidc::{Provider, SECRET, URI};
use crate::support::{Answer, ClientKey, ORIGIN, Portal};
use domain::ban::{Scope, Trigger};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use wire::paths;

/// The address of the servers of apps (see [`Provider::client`]).
const SHARED: &str = "198.51.100.9";
const METADATA: [&str; 6] = [
    paths::JWKS,
    paths::METADATA,
    paths::OPENID_CONFIGURATION,
    paths::OAUTH_SERVER,
    paths::PROTECTED_RESOURCE,
    paths::REVOCATIONS,
];

/// Sends a forged `short_key` from there.
async fn attack(portal: &Portal) {
    let forged = json!({"encrypted_username_password": "a.b.c.d.e", "short_key": "A".repeat(204)});
    assert_eq!(portal.program(SHARED).post(paths::LOGIN, &forged).await.code(), "short_key_forged");
    assert_eq!(portal.program(SHARED).get(paths::SESSION).await.code(), "banned");
}

/// Bans the address as an administrator does.
fn ban_by_hand(portal: &Portal) {
    let now = portal.state.now();
    portal.state.defence.bans.apply(&[store::bans::Ban {
        id: portal.state.ulid().into(),
        incident: "7F3K-2Q".to_owned(),
        client_key: SHARED.parse().unwrap(),
        scope: Scope::Everything,
        trigger: Trigger::Manual,
        reason: "A test.".to_owned(),
        evidence: String::new(),
        since: now,
        until: now + 60_000,
        made_by: "a test".to_owned(),
        lifted_at: None,
        lifted_by: None,
        lift_reason: None,
    }]);
}

fn basic(secret: &str) -> String {
    use base64ct::{Base64, Encoding};
    format!("Basic {}", Base64::encode_string(format!("app:{secret}").as_bytes()))
}

async fn metadata(portal: &Portal, path: &str) -> Answer {
    portal.program(SHARED).get(path).await
}

#[tokio::test]
async fn a_client_that_proves_its_secret_is_judged_by_itself() {
    let provider = Provider::start().await;
    let tokens = provider.tokens().await;
    let (access, refresh) = (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
    let code = provider.code(&[]).await;
    attack(&provider.portal).await;

    assert_eq!(provider.exchange(&code, &[]).await.status, StatusCode::OK, "in the body");
    assert_eq!(provider.refresh(refresh, &[]).await.status, StatusCode::OK);
    let header = basic(SECRET);
    let own = [("authorization", header.as_str())];
    for path in [paths::OAUTH_INTROSPECT, paths::OAUTH_REVOKE] {
        let answer = provider.client(path, &[("token", access)], &own).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
    }
    let pushed = provider.client(paths::OAUTH_PAR, &[("client_id", "app"), ("redirect_uri", URI)], &own).await;
    assert_ne!(pushed.code(), "banned", "{}", pushed.text);

    let wrong = basic("wrong");
    for (pairs, extra) in [
        (vec![("client_id", "app"), ("client_secret", "wrong")], vec![]),
        (vec![("client_id", "spa")], vec![]),
        (vec![("client_id", "nobody"), ("client_secret", SECRET)], vec![]),
        (vec![("client_id", "app"), ("client_secret", SECRET), ("client_secret", SECRET)], vec![]),
        (vec![], vec![("authorization", wrong.as_str())]),
        (vec![], vec![]),
    ] {
        for path in [paths::OAUTH_TOKEN, paths::OAUTH_INTROSPECT, paths::OAUTH_REVOKE, paths::OAUTH_PAR] {
            let refused = provider.client(path, &pairs, &extra).await;
            assert_eq!(refused.code(), "banned", "{path} {pairs:?}: {}", refused.text);
        }
    }
    let long = "a".repeat(17 * 1024);
    let refused = provider.client(paths::OAUTH_TOKEN, &[("client_secret", &long)], &[]).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);

    ban_by_hand(&provider.portal);
    assert_eq!(provider.client(paths::OAUTH_INTROSPECT, &[("token", access)], &own).await.code(), "banned");
}

#[tokio::test]
async fn so_is_one_that_proves_its_key_and_the_assertion_is_used_once() {
    let key = ClientKey::generate();
    let jwk = serde_json::to_value(key.public()).unwrap();
    let settings = format!(
        "[[clients]]\nid = 'keyed'\nredirect_uris = ['https://keyed.example/']\njwks = {{ keys = [{{ kty = 'EC', crv = 'P-256', \
         x = '{}', y = '{}' }}] }}\n",
        jwk["x"].as_str().unwrap(),
        jwk["y"].as_str().unwrap()
    );
    let provider = Provider::with(&settings).await;
    let now = provider.portal.clock_now().to_seconds();
    let assertion = |key: &ClientKey, jti: &str| {
        let claims = json!({"iss": "keyed", "sub": "keyed", "aud": ORIGIN, "exp": now + 60, "jti": jti});
        key.sign(&json!({"alg": "ES256", "typ": "JWT"}), &claims)
    };
    let revoke = async |jwt: &str| {
        let kind = oidc::client_auth::JWT_BEARER;
        let pairs = [("token", "x"), ("client_assertion", jwt), ("client_assertion_type", kind)];
        provider.client(paths::OAUTH_REVOKE, &pairs, &[]).await
    };
    attack(&provider.portal).await;
    let good = assertion(&key, "one");
    assert_eq!(revoke(&good).await.status, StatusCode::OK);
    assert_eq!(revoke(&good).await.json()["error"], "invalid_client", "a second time");
    assert_eq!(revoke(&assertion(&ClientKey::generate(), "two")).await.code(), "banned");
}

#[tokio::test]
async fn what_apps_do_for_their_users_goes_on() {
    let provider = Provider::start().await;
    let tokens = provider.tokens().await;
    let spa = [("client_id", "spa"), ("redirect_uri", "https://spa.example/")];
    let code = provider.code(&spa).await;
    let opaque = provider.exchange(&code, &[spa[0], spa[1], ("client_secret", "")]).await.json();
    attack(&provider.portal).await;
    for token in [&tokens["access_token"], &opaque["access_token"]] {
        assert_eq!(provider.userinfo(token).await.status, StatusCode::OK);
    }
    let broken = Value::from(format!("{}A", tokens["access_token"].as_str().unwrap()));
    assert_eq!(provider.userinfo(&broken).await.code(), "banned");
    let token = opaque["refresh_token"].as_str().unwrap();
    let pairs = [("grant_type", "refresh_token"), ("client_id", "spa"), ("refresh_token", token)];
    let refreshed = provider.client(paths::OAUTH_TOKEN, &pairs, &[]).await;
    assert_eq!(refreshed.status, StatusCode::OK, "a public client: {}", refreshed.text);
}

#[tokio::test]
async fn public_documents_are_read_while_an_address_is_banned_and_a_flood_waits() {
    let portal = Portal::with("[ban.limits]\nat_once = 20\nper_minute = 60\nrefused_per_minute = 5").await;
    attack(&portal).await;
    for path in METADATA {
        assert_eq!(metadata(&portal, path).await.status, StatusCode::OK, "{path}");
        let head = portal.program(SHARED).send(Method::HEAD, path, None, &[]).await;
        assert_ne!(head.status, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(portal.program(SHARED).post(path, &json!({})).await.code(), "banned", "{path}");
    }
    assert_eq!(portal.program(SHARED).get("/login").await.code(), "banned");
    let mut codes = Vec::new();
    for _ in 0..60 {
        codes.push(metadata(&portal, paths::JWKS).await.code());
    }
    assert!(codes[20..].iter().all(|code| code == "busy"), "{codes:?}");
    assert_eq!(portal.program("198.51.100.10").get(paths::JWKS).await.status, StatusCode::OK);
    portal.advance(10_000).await;
    assert_eq!(metadata(&portal, paths::JWKS).await.status, StatusCode::OK, "waiting is enough");
    ban_by_hand(&portal);
    for path in METADATA {
        assert_eq!(metadata(&portal, path).await.code(), "banned", "{path}");
    }
}

#[tokio::test]
async fn a_flood_of_reads_bans_nobody() {
    let portal = Portal::with("[ban.limits]\nat_once = 20\nper_minute = 60\nrefused_per_minute = 5").await;
    for _ in 0..100 {
        metadata(&portal, paths::REVOCATIONS).await;
    }
    assert!(portal.state.defence.bans.is_empty());
    assert_eq!(portal.program(SHARED).get("/login").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_strict_preset_shuts_out_everybody_at_the_address() {
    let provider = Provider::with("ban.preset = 'strict'").await;
    let tokens = provider.tokens().await;
    attack(&provider.portal).await;
    let header = basic(SECRET);
    let token = [("token", tokens["access_token"].as_str().unwrap())];
    let answer = provider.client(paths::OAUTH_INTROSPECT, &token, &[("authorization", &header)]).await;
    assert_eq!(answer.code(), "banned");
    assert_eq!(provider.userinfo(&tokens["access_token"]).await.code(), "banned");
    assert_eq!(metadata(&provider.portal, paths::JWKS).await.code(), "banned");
}

/// The form of a client without a secret comes from any page.
#[tokio::test]
async fn a_hostile_page_takes_no_device_codes_of_its_visitor() {
    let provider = Provider::start().await;
    let begin =
        async |extra: &[(&str, &str)]| provider.client(paths::OAUTH_DEVICE, &[("client_id", "tv")], extra).await.status;
    let hostile = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors"), ("origin", "https://evil.example")];
    let mut last = StatusCode::OK;
    for _ in 0..70 {
        last = begin(&hostile).await;
    }
    assert_eq!(last, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(begin(&[]).await, StatusCode::OK, "the visitor's own device");
}
