//! Rate limits on the servers of apps.

use crate::oidc::{Provider, SECRET};
use http::StatusCode;
use wire::paths;

#[tokio::test]
async fn right_requests_of_a_resource_server_lock_nobody_out_and_wrong_ones_are_limited() {
    let provider = Provider::with("[ban.limits]\nper_minute = 60\nat_once = 10\nrefused_per_minute = 20").await;
    let tokens = provider.tokens().await;
    let ask = async |secret: &str| {
        let token = tokens["access_token"].as_str().unwrap();
        let pairs = [("token", token), ("client_id", "app"), ("client_secret", secret)];
        provider.client(paths::OAUTH_INTROSPECT, &pairs, &[]).await
    };
    // All clients and grants of an address together have ten times its limit.
    for n in 0..40 {
        let answer = ask(SECRET).await;
        assert_eq!((answer.status, answer.json()["active"].as_bool()), (StatusCode::OK, Some(true)), "{n}");
        assert_eq!(provider.userinfo(&tokens["access_token"]).await.status, StatusCode::OK, "{n}");
    }
    let mut refused = 0;
    while ask("wrong").await.status == StatusCode::UNAUTHORIZED {
        refused += 1;
        assert!(refused < 60, "guesses at a secret are limited");
    }
}
