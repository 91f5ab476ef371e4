//! The Config plan, and the modules of the logout plans about the discovery document.

use super::start;
use crate::support::ORIGIN;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use wire::paths;

async fn document() -> Value {
    let provider = start().await;
    let answer = provider.portal.program("198.51.100.9").get(paths::OPENID_CONFIGURATION).await;
    assert!(answer.header("content-type").starts_with("application/json"));
    answer.json()
}

fn contains(document: &Value, name: &str, value: &str) {
    assert!(document[name].as_array().unwrap().contains(&json!(value)), "{name}: {}", document[name]);
}

#[tokio::test]
async fn oidcc_discovery_endpoint_verification() {
    let document = document().await;
    assert_eq!(document["issuer"], ORIGIN, "byte by byte, without a slash at its end");
    let endpoints: Vec<_> =
        document.as_object().unwrap().iter().filter(|(name, _)| name.ends_with("_endpoint")).collect();
    assert!(endpoints.len() >= 7, "{endpoints:?}");
    for (name, endpoint) in endpoints {
        assert!(endpoint.as_str().unwrap().starts_with(ORIGIN), "{name}: https, as public_url is outside of tests");
    }
    for name in ["authorization_endpoint", "token_endpoint", "userinfo_endpoint"] {
        assert!(document[name].is_string(), "{name}");
    }
    contains(&document, "scopes_supported", "openid");
    contains(&document, "response_types_supported", "code");
    contains(&document, "subject_types_supported", "public");
    contains(&document, "id_token_signing_alg_values_supported", "RS256");
    contains(&document, "grant_types_supported", "authorization_code");
    contains(&document, "token_endpoint_auth_methods_supported", "client_secret_basic");
    contains(&document, "token_endpoint_auth_methods_supported", "client_secret_post");
    contains(&document, "claims_supported", "sub");
    assert_eq!(document["claims_parameter_supported"], true);
    // Absent, it would mean true.
    assert_eq!(document["request_uri_parameter_supported"], false);
    assert_eq!(document["jwks_uri"], format!("{ORIGIN}{}", paths::JWKS));

    let keys = start().await.portal.program("198.51.100.9").get(paths::JWKS).await.json();
    let keys = keys["keys"].as_array().unwrap();
    let ids: BTreeSet<_> = keys.iter().map(|key| key["kid"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), keys.len(), "each has an id of its own");
    for key in keys {
        assert!(["d", "p", "q", "dp", "dq", "qi", "k"].iter().all(|private| key[private].is_null()), "{key}");
    }
    let rsa = keys.iter().find(|key| key["kty"] == "RSA").unwrap();
    assert!(domain::encoding::from_base64url(rsa["n"].as_str().unwrap()).unwrap().len() >= 256);
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_discovery_endpoint_verification() {
    assert_eq!(document().await["end_session_endpoint"], format!("{ORIGIN}{}", paths::OAUTH_LOGOUT));
}

#[tokio::test]
async fn oidcc_backchannel_logout_discovery_endpoint_verification() {
    let document = document().await;
    assert_eq!(document["backchannel_logout_supported"], true);
    assert_eq!(document["backchannel_logout_session_supported"], true);
    assert_eq!(document["end_session_endpoint"], format!("{ORIGIN}{}", paths::OAUTH_LOGOUT));
}
