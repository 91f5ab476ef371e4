//! Modules of the Basic and Form Post plans about tokens and claims.

use super::{CALLBACK, ID, MODES, exchange, query, run, start};
use crate::oidc::{Provider, SECRET, claims, header, parameters};
use crate::support::ORIGIN;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use wire::paths;

#[tokio::test]
async fn oidcc_server() {
    let provider = start().await;
    let outcome = run(&provider, &[]).await;
    assert_eq!((outcome.returned["state"].as_str(), outcome.returned["iss"].as_str()), ("xyz", ORIGIN));
    assert_eq!((&outcome.id["nonce"], &outcome.tokens["token_type"]), (&json!("n-1"), &json!("Bearer")));
    let (iat, exp) = (outcome.id["iat"].as_i64().unwrap(), outcome.id["exp"].as_i64().unwrap());
    assert!(iat < exp && exp <= iat + 3600, "{}", outcome.id);
    let keys = provider.portal.program("198.51.100.9").get(paths::JWKS).await.json();
    assert_eq!(signed(&outcome.tokens, &keys)["sub"], provider.user.as_str());
}

/// Verifies an ID token with the published key that it names, and with RS256 only.
fn signed(tokens: &Value, keys: &Value) -> Value {
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::Jwk};
    let token = tokens["id_token"].as_str().unwrap();
    let named = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header(token)["kid"]).unwrap();
    let key = DecodingKey::from_jwk(&serde_json::from_value::<Jwk>(named.clone()).unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&[ID]);
    // The clock of the tests differs from this machine's.
    validation.validate_exp = false;
    jsonwebtoken::decode::<Value>(token, &key, &validation).unwrap().claims
}

#[tokio::test]
async fn oidcc_idtoken_signature() {
    let provider = start().await;
    let outcome = run(&provider, &[]).await;
    assert_eq!(header(outcome.tokens["id_token"].as_str().unwrap())["alg"], "RS256", "by default");
    let keys = provider.portal.program("198.51.100.9").get(paths::JWKS).await.json();
    signed(&outcome.tokens, &keys);
}

#[tokio::test]
async fn oidcc_idtoken_unsigned() {
    let document = start().await.portal.program("198.51.100.9").get(paths::OPENID_CONFIGURATION).await.json();
    assert!(!document["id_token_signing_alg_values_supported"].as_array().unwrap().contains(&json!("none")));
    let registration = json!({"id": "x", "redirect_uris": [CALLBACK], "id_token_alg": "none"});
    assert!(serde_json::from_value::<oidc::client::ClientSettings>(registration).is_err(), "cannot be registered");
}

#[tokio::test]
async fn oidcc_userinfo_get() {
    let provider = start().await;
    let outcome = run(&provider, &[]).await;
    assert_eq!(provider.userinfo(&outcome.tokens["access_token"]).await.json(), json!({"sub": provider.user}));
}

#[tokio::test]
async fn oidcc_userinfo_post_header() {
    let provider = start().await;
    let outcome = run(&provider, &[]).await;
    let bearer = format!("Bearer {}", outcome.tokens["access_token"].as_str().unwrap());
    let program = provider.portal.program("198.51.100.9");
    let info = program.send_each(Method::POST, paths::OAUTH_USERINFO, None, &[("authorization", &bearer)]).await;
    assert_eq!(info.json(), json!({"sub": provider.user}), "{}", info.text);
}

#[tokio::test]
async fn oidcc_userinfo_post_body() {
    let provider = start().await;
    let outcome = run(&provider, &[]).await;
    let pairs = [("access_token", outcome.tokens["access_token"].as_str().unwrap())];
    let info = provider.client(paths::OAUTH_USERINFO, &pairs, &[]).await;
    assert_eq!(info.json(), json!({"sub": provider.user}), "{}", info.text);
}

/// Requests scopes and returns the claims of userinfo.
async fn claims_of(provider: &Provider, scope: &str) -> Value {
    let outcome = run(provider, &[("scope", scope)]).await;
    provider.userinfo(&outcome.tokens["access_token"]).await.json()
}

#[tokio::test]
async fn oidcc_scope_profile() {
    let provider = start().await;
    let info = claims_of(&provider, "openid profile").await;
    assert_eq!((&info["name"], &info["preferred_username"]), (&json!("alice"), &json!("alice")));
}

#[tokio::test]
async fn oidcc_scope_email() {
    let provider = start().await;
    vouch(&provider).await;
    let info = claims_of(&provider, "openid email").await;
    assert_eq!((&info["email"], &info["email_verified"]), (&json!("alice@example.org"), &json!(true)));
    assert!(info["name"].is_null(), "{info}");
}

/// Sets the person's e-mail address as an administrator, which makes it verified.
async fn vouch(provider: &Provider) {
    provider.portal.add_administrator("root").await;
    let root = provider.portal.browser("198.51.100.1").signed_in("root").await;
    let path = format!("{}/{}", paths::USERS, provider.user);
    let body = Some(json!({"email": "alice@example.org"}).to_string());
    assert_eq!(root.send(Method::PATCH, &path, body, &[]).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn oidcc_scope_address() {
    let provider = start().await;
    assert_eq!(claims_of(&provider, "openid address").await, json!({"sub": provider.user}), "nothing is known");
}

#[tokio::test]
async fn oidcc_scope_phone() {
    let provider = start().await;
    assert_eq!(claims_of(&provider, "openid phone").await, json!({"sub": provider.user}), "nothing is known");
}

#[tokio::test]
async fn oidcc_scope_all() {
    let provider = start().await;
    vouch(&provider).await;
    let info = claims_of(&provider, "openid address email phone profile").await;
    assert_eq!((&info["email"], &info["name"]), (&json!("alice@example.org"), &json!("alice")));
}

#[tokio::test]
async fn oidcc_claims_essential() {
    let provider = start().await;
    let request = json!({"userinfo": {"name": {"essential": true}}}).to_string();
    let outcome = run(&provider, &[("claims", &request)]).await;
    let info = provider.userinfo(&outcome.tokens["access_token"]).await.json();
    assert_eq!(info, json!({"sub": provider.user, "name": "alice"}));
}

#[tokio::test]
async fn oidcc_codereuse() {
    is_used_once(0).await;
}

#[tokio::test]
async fn oidcc_codereuse_30seconds() {
    is_used_once(30_000).await;
}

async fn is_used_once(later: i64) {
    let provider = start().await;
    for mode in MODES {
        let answer = provider.enter(&provider.browser, &query(&[("response_mode", mode)]), None).await.json();
        let code = parameters(answer["location"].as_str().unwrap())["code"].clone();
        let tokens = exchange(&provider, &code, &[]).await.json();
        assert_eq!(provider.userinfo(&tokens["access_token"]).await.status, StatusCode::OK);
        provider.portal.advance(later).await;
        let again = exchange(&provider, &code, &[]).await;
        assert_eq!((again.status, &again.json()["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_grant")));
        assert_eq!(provider.userinfo(&tokens["access_token"]).await.status, StatusCode::UNAUTHORIZED, "it is revoked");
    }
}

#[tokio::test]
async fn oidcc_server_client_secret_post() {
    let provider = start().await;
    for mode in MODES {
        let answer = provider.enter(&provider.browser, &query(&[("response_mode", mode)]), None).await.json();
        let code = parameters(answer["location"].as_str().unwrap())["code"].clone();
        let pairs = [("client_id", ID), ("client_secret", SECRET), ("redirect_uri", CALLBACK), ("code_verifier", "")];
        let answer = provider.exchange(&code, &pairs).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    }
}

#[tokio::test]
async fn oidcc_refresh_token() {
    let provider = start().await;
    let first = run(&provider, &[("scope", "openid offline_access")]).await;
    let token = first.tokens["refresh_token"].as_str().unwrap();
    let of = async |client: &str, token: &str| {
        let pairs = [("grant_type", "refresh_token"), ("refresh_token", token)];
        let own = [("client_id", client), ("client_secret", SECRET)];
        provider.client(paths::OAUTH_TOKEN, &[pairs, own].concat(), &[]).await
    };
    let stolen = of("suite-2", token).await;
    assert_eq!((stolen.status, &stolen.json()["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_grant")));
    let second = of(ID, token).await;
    assert_eq!(second.status, StatusCode::OK, "{}", second.text);
    let second = second.json();
    let id = claims(second["id_token"].as_str().unwrap());
    for claim in ["iss", "sub", "aud", "auth_time"] {
        assert_eq!(id[claim], first.id[claim], "{claim}");
    }
    assert_eq!(provider.userinfo(&second["access_token"]).await.json()["sub"], provider.user.as_str());
    assert_ne!(second["refresh_token"], first.tokens["refresh_token"], "it rotates");
}
