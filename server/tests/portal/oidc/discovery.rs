//! The documents that describe the provider.

use super::Provider;
use crate::support::{ORIGIN, Portal};
use http::StatusCode;
use serde_json::json;
use wire::paths;

#[tokio::test]
async fn discovery_names_every_endpoint_under_a_bare_origin() {
    let provider = Provider::start().await;
    let program = provider.portal.program("198.51.100.9");
    let document = program.get(paths::OPENID_CONFIGURATION).await;
    assert_eq!(document.header("access-control-allow-origin"), "*");
    let document = document.json();
    assert_eq!(document, program.get(paths::OAUTH_SERVER).await.json());
    assert_eq!(document["issuer"], ORIGIN);
    for (name, path) in [
        ("authorization_endpoint", paths::OAUTH_AUTHORIZE),
        ("token_endpoint", paths::OAUTH_TOKEN),
        ("userinfo_endpoint", paths::OAUTH_USERINFO),
        ("jwks_uri", paths::JWKS),
        ("end_session_endpoint", paths::OAUTH_LOGOUT),
    ] {
        assert_eq!(document[name], format!("{ORIGIN}{path}"), "{name}");
    }
    assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(document["id_token_signing_alg_values_supported"], json!(["RS256", "ES256"]));
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    let keys = program.get(paths::JWKS).await.json();
    let algs: Vec<_> = keys["keys"].as_array().unwrap().iter().map(|key| key["alg"].clone()).collect();
    assert_eq!(algs, ["ES256", "RS256"]);
    for key in keys["keys"].as_array().unwrap() {
        assert!(["d", "p", "q", "dp", "dq", "qi"].iter().all(|private| key[private].is_null()), "{key}");
        assert_eq!(key["use"], "sig");
    }
}

#[tokio::test]
async fn the_issuer_of_an_account_is_found_and_resources_are_described() {
    let portal = Portal::start().await;
    let program = portal.program("198.51.100.9");
    let finger = async |resource: &str| {
        program.get(&oidc::params::with_query(paths::WEBFINGER, &[("resource", resource)])).await
    };
    let found = finger("acct:nobody@localhost").await;
    assert_eq!((found.status, found.header("content-type")), (StatusCode::OK, "application/jrd+json"));
    assert_eq!(found.header("access-control-allow-origin"), "*");
    assert_eq!(found.json()["links"][0], json!({"rel": oidc::webfinger::ISSUER, "href": ORIGIN}));
    assert_eq!(finger("acct:nobody@elsewhere.example").await.status, StatusCode::NOT_FOUND);
    assert_eq!(program.get(paths::WEBFINGER).await.status, StatusCode::BAD_REQUEST);
    let site = program.get(paths::PROTECTED_RESOURCE).await.json();
    assert_eq!((&site["resource"], &site["authorization_servers"]), (&json!(ORIGIN), &json!([ORIGIN])));
    let userinfo = program.get(paths::PROTECTED_USERINFO).await.json();
    assert_eq!(userinfo["resource"], format!("{ORIGIN}{}", paths::OAUTH_USERINFO));
    let refused = program.get(paths::OAUTH_USERINFO).await;
    let described = format!("resource_metadata=\"{ORIGIN}{}\"", paths::PROTECTED_USERINFO);
    assert!(refused.header("www-authenticate").contains(&described), "{}", refused.header("www-authenticate"));
}
