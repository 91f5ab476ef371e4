//! Clients that prove themselves with a key of their own.

use crate::oidc::Provider;
use crate::support::{ClientKey, ORIGIN};
use http::StatusCode;
use serde_json::{Value, json};
use wire::paths;

#[tokio::test]
async fn a_client_proves_itself_with_its_own_key_once() {
    let key = ClientKey::generate();
    let mut jwk = serde_json::to_value(key.public()).unwrap();
    jwk["use"] = "sig".into();
    let settings = format!(
        "[[clients]]\nid = 'keyed'\nredirect_uris = ['https://keyed.example/']\njwks = {{ keys = [{{ kty = 'EC', crv = 'P-256', \
         x = '{}', y = '{}', use = 'sig' }}] }}\n",
        jwk["x"].as_str().unwrap(),
        jwk["y"].as_str().unwrap()
    );
    let provider = Provider::with(&settings).await;
    let now = provider.portal.clock_now() / 1000;
    let assertion = |key: &ClientKey, changes: &Value| {
        let mut claims = json!({"iss": "keyed", "sub": "keyed", "aud": ORIGIN, "exp": now + 60, "jti": "one"});
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        key.sign(&json!({"alg": "ES256", "typ": "JWT"}), &claims)
    };
    let exchange = async |jwt: String| {
        let own = [("client_id", "keyed"), ("redirect_uri", "https://keyed.example/")];
        let code = provider.code(&own).await;
        let more = [
            own[0],
            own[1],
            ("client_secret", ""),
            ("client_assertion", jwt.as_str()),
            ("client_assertion_type", oidc::client_auth::JWT_BEARER),
        ];
        provider.exchange(&code, &more).await
    };
    let good = assertion(&key, &json!({}));
    assert_eq!(exchange(good.clone()).await.status, StatusCode::OK);
    assert_eq!(exchange(good).await.json()["error"], "invalid_client", "a second time");
    let other = ClientKey::generate();
    for (key, changes) in [
        (&other, json!({"jti": "2"})),
        (&key, json!({"jti": "3", "aud": "https://other.example"})),
        (&key, json!({"jti": "4", "iss": "app"})),
        (&key, json!({"jti": "5", "exp": now - 61})),
        (&key, json!({"jti": "6", "exp": now + 3600})),
        (&key, json!({"jti": ""})),
    ] {
        let refused = exchange(assertion(key, &changes)).await;
        assert_eq!(refused.json()["error"], "invalid_client", "{changes}: {}", refused.text);
    }
    // Fifty at once, of which only the first is accepted.
    let jwt = assertion(&key, &json!({"jti": "many"}));
    let pairs = |jwt: &str| {
        [
            ("token", "x".to_owned()),
            ("client_assertion", jwt.to_owned()),
            ("client_assertion_type", oidc::client_auth::JWT_BEARER.to_owned()),
        ]
    };
    let tries = (0..20).map(|_| {
        let pairs = pairs(&jwt);
        let provider = &provider;
        async move {
            let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
            provider.client(paths::OAUTH_REVOKE, &pairs, &[]).await.status == StatusCode::OK
        }
    });
    let good = futures::future::join_all(tries).await.into_iter().filter(|good| *good).count();
    assert_eq!(good, 1, "an assertion is used once");
}
