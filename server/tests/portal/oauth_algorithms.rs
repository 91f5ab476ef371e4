//! A change of `keys.signing_algorithm` while clients name the old or the new one.

use crate::oidc::{Provider, SECRET, URI, header};
use crate::support::{Answer, Visitor, output_text, postern};
use domain::server_key::RotationRules;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use server::flows::server_keys::rotate_due;
use store::audit::AuditEvent;
use wire::paths;

const LEAD: i64 = RotationRules::SIGNING.lead_ms;
const OVERLAP: i64 = RotationRules::SIGNING.overlap_ms;
const WIKI: &[(&str, &str)] = &[("client_id", "wiki"), ("redirect_uri", "https://wiki.example/callback")];

async fn patch(visitor: &Visitor, changes: &Value) -> Answer {
    visitor.send(Method::PATCH, &format!("{}/wiki", paths::CLIENTS), Some(changes.to_string()), &[]).await
}

#[tokio::test]
async fn a_client_of_the_replaced_algorithm_works_through_the_overlap_and_spends_no_code_afterwards() {
    let mut provider = Provider::start().await;
    provider.portal.add_administrator("root").await;
    let root = provider.portal.browser("198.51.100.1").signed_in("root").await;
    let wish = json!({"id": "wiki", "redirect_uris": ["https://wiki.example/callback"], "id_token_alg": "ES256", "consent": false});
    let secret = root.post(paths::CLIENTS, &wish).await.json()["client_secret"].as_str().unwrap().to_owned();
    let secret: &'static str = Box::leak(secret.into_boxed_str());
    let of_wiki = [WIKI, &[("client_secret", secret)]].concat();
    let new = format!(
        "[keys]\nsigning_algorithm = 'EdDSA'\n[[clients]]\nid = 'app'\nid_token_alg = 'EdDSA'\n\
         secret_hash = '{}'\nredirect_uris = ['{URI}']",
        oidc::client::secret_hash(SECRET)
    );
    provider.portal = provider.portal.another_with(&new).await;
    provider.browser = provider.browser.at(&provider.portal);
    let root = root.at(&provider.portal);
    rotate_due(&provider.portal.state).await.unwrap();
    let algorithm = |answer: &Answer| match answer.status {
        StatusCode::OK => header(answer.json()["id_token"].as_str().unwrap())["alg"].as_str().unwrap().to_owned(),
        _ => answer.json()["error"].as_str().unwrap().to_owned(),
    };
    for (ms, event) in [(0, "the new key is published"), (LEAD, "the new key is in use")] {
        provider.portal.advance(ms).await;
        provider.browser.refresh().await;
        let answer = provider.exchange(&provider.code(&[]).await, &[]).await;
        assert_eq!(algorithm(&answer), "EdDSA", "{event}");
        let answer = provider.exchange(&provider.code(WIKI).await, &of_wiki).await;
        assert_eq!(algorithm(&answer), "ES256", "{event}");
        let document = provider.portal.program("198.51.100.9").get(paths::OPENID_CONFIGURATION).await.json();
        let mut listed = document["id_token_signing_alg_values_supported"].as_array().unwrap().clone();
        listed.sort_by_key(ToString::to_string);
        assert_eq!(listed, ["ES256", "EdDSA", "RS256"], "{event}");
    }
    provider.portal.advance(OVERLAP - 30_000).await;
    provider.browser.refresh().await;
    let code = provider.code(WIKI).await;
    let last = provider.exchange(&provider.code(WIKI).await, &of_wiki).await;
    assert_eq!(algorithm(&last), "ES256");
    let token = last.json()["refresh_token"].as_str().unwrap().to_owned();
    provider.portal.advance(30_000).await;
    for _ in 0..2 {
        let refused = provider.exchange(&code, &of_wiki).await;
        assert_eq!((refused.status, algorithm(&refused).as_str()), (StatusCode::BAD_REQUEST, "unauthorized_client"));
        assert!(refused.text.contains("id_token_alg is ES256"), "{}", refused.text);
    }
    let renew =
        [("grant_type", "refresh_token"), ("refresh_token", &token), ("client_id", "wiki"), ("client_secret", secret)];
    let renewed = async || provider.client(paths::OAUTH_TOKEN, &renew, &[]).await;
    assert_eq!(algorithm(&renewed().await), "unauthorized_client");
    assert_eq!(provider.returned(WIKI).await["error"], "unauthorized_client");
    root.refresh().await;
    root.confirm().await;
    for changes in [json!({"disabled": true}), json!({"disabled": false, "id_token_alg": "RS256"})] {
        assert_eq!(patch(&root, &changes).await.status, StatusCode::NO_CONTENT, "{changes}");
    }
    assert_eq!(algorithm(&provider.exchange(&code, &of_wiki).await), "RS256", "the code was not spent");
    assert_eq!(algorithm(&renewed().await), "RS256");
    let written = root.get(paths::AUDIT).await.text;
    assert!(!written.contains(AuditEvent::TokenReused.as_str()), "{written}");
}

#[test]
fn a_stored_client_that_a_change_of_settings_broke_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| output_text(&postern(folder.path(), arguments, ""));
    run(&["client", "add", "--redirect-uri", "https://wiki.example/", "wiki"]);
    run(&["client", "set", "wiki", "id_token_alg=ES256"]);
    let problem = "id_token_alg must be RS256, or EdDSA";
    let changed = ["--set", "keys.signing_algorithm=EdDSA"];
    for command in [&["config", "check"][..], &["doctor"]] {
        let (before, after) = (run(command), run(&[&changed[..], command].concat()));
        assert!(!before.contains(problem), "{before}");
        assert!(after.contains("wiki") && after.contains(problem), "{after}");
    }
    let disabled = run(&[&changed[..], &["client", "disable", "wiki"]].concat());
    assert!(disabled.contains("wiki is disabled"), "{disabled}");
    let after = run(&[&changed[..], &["config", "check"]].concat());
    assert!(!after.contains(problem), "{after}");
}
