//! The modules of the OpenID Foundation's conformance plans, as tests with their names. The suite itself is not run.

mod authorization;
mod logout;
mod metadata;
mod table;
mod tokens;

use crate::oidc::{Provider, SECRET, claims, parameters};
use crate::support::Answer;
use http::{Method, StatusCode};
use serde_json::Value;
use std::collections::BTreeMap;
use wire::paths;

const ID: &str = "suite";
const CALLBACK: &str = "https://suite.example/callback";
const SIGNED_OUT: &str = "https://suite.example/post_logout_redirect";

/// The response modes of the Basic plan and of the Form Post plan, which has the same modules.
const MODES: [&str; 2] = ["form_post", ""];

/// Starts a provider with a client like the suite's, which uses no PKCE in most modules, and its second client.
async fn start() -> Provider {
    with("").await
}

/// Starts a provider. `more`: further settings of the suite's client.
async fn with(more: &str) -> Provider {
    let hash = oidc::client::secret_hash(SECRET);
    Provider::with(&format!(
        "[[clients]]\nid = '{ID}'\nsecret_hash = '{hash}'\nredirect_uris = ['{CALLBACK}']\npkce = 'optional'\n\
         post_logout_redirect_uris = ['{SIGNED_OUT}']\n{more}\n\
         [[clients]]\nid = 'suite-2'\nsecret_hash = '{hash}'\nredirect_uris = ['{CALLBACK}']\npkce = 'optional'\n"
    ))
    .await
}

/// Returns the query of the suite's plain request, with changes.
fn query(changes: &[(&str, &str)]) -> String {
    let plain = [
        ("client_id", ID),
        ("redirect_uri", CALLBACK),
        ("scope", "openid"),
        ("code_challenge", ""),
        ("code_challenge_method", ""),
    ];
    Provider::query(&[&plain, changes].concat())
}

/// The end of a request.
struct Outcome {
    /// The parameters that the app received.
    returned: BTreeMap<String, String>,
    tokens: Value,
    /// The claims of the ID token.
    id: Value,
}

/// Runs a request of a person who is signed in, in both modes.
async fn run(provider: &Provider, changes: &[(&str, &str)]) -> Outcome {
    let mut outcome = None;
    for mode in MODES {
        let query = query(&[changes, &[("response_mode", mode)]].concat());
        let answer = provider.enter(&provider.browser, &query, None).await;
        outcome = Some(finish(provider, answer).await);
    }
    outcome.unwrap()
}

/// Exchanges the code of an answer, authenticated by `client_secret_basic`.
async fn finish(provider: &Provider, answer: Answer) -> Outcome {
    let location = answer.json()["location"].as_str().unwrap().to_owned();
    let returned = parameters(&location);
    let is_posted = location.starts_with(&format!("{}?client_id={ID}&", paths::OAUTH_FORM_POST));
    assert!(is_posted || location.starts_with(&format!("{CALLBACK}?code=")), "{location}");
    let answer = exchange(provider, &returned["code"], &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let tokens = answer.json();
    let id = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!(
        (&id["iss"], &id["aud"], &id["sub"]),
        (&crate::support::ORIGIN.into(), &ID.into(), &provider.user.clone().into())
    );
    Outcome { returned, tokens, id }
}

async fn exchange(provider: &Provider, code: &str, more: &[(&str, &str)]) -> Answer {
    use base64ct::{Base64, Encoding};
    let basic = format!("Basic {}", Base64::encode_string(format!("{ID}:{SECRET}").as_bytes()));
    let pairs = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK)];
    provider.client(paths::OAUTH_TOKEN, &[&pairs, more].concat(), &[("authorization", &basic)]).await
}

/// Returns the error that the app receives, in both ways. There is no other redirect.
async fn refused(provider: &Provider, changes: &[(&str, &str)]) -> String {
    let mut errors = Vec::new();
    for (mode, to) in
        [("", format!("{CALLBACK}?error=")), ("form_post", format!("{}?client_id={ID}&", paths::OAUTH_FORM_POST))]
    {
        let query = query(&[changes, &[("response_mode", mode)]].concat());
        let answer = provider.open(&provider.browser, &query).await;
        let location = answer.header("location");
        assert!(location.starts_with(&to), "{location}");
        errors.push(parameters(location)["error"].clone());
    }
    assert_eq!(errors[0], errors[1]);
    errors.remove(0)
}

/// Follows a request that leads to the sign-in page although a session exists, and signs in again five seconds later. It
/// does so in both modes.
async fn run_after_sign_in(provider: &Provider, changes: &[(&str, &str)]) -> Outcome {
    let mut outcome = None;
    for mode in MODES {
        provider.portal.advance(2_000).await;
        outcome = Some(run_once_after_sign_in(provider, &[changes, &[("response_mode", mode)]].concat()).await);
    }
    outcome.unwrap()
}

async fn run_once_after_sign_in(provider: &Provider, changes: &[(&str, &str)]) -> Outcome {
    let to = provider.open(&provider.browser, &query(changes)).await;
    let location = to.header("location");
    assert!(location.starts_with("/login?next=") && location.ends_with("&why=again"), "{location}");
    let page = provider.browser.send(Method::GET, location, None, &[("sec-fetch-mode", "navigate")]).await;
    assert_eq!(page.status, StatusCode::OK);
    let next = page.text.split("data-next=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    let marked = next.split_once('?').unwrap().1;
    provider.portal.advance(5_000).await;
    let again = provider.browser.clone().signed_in("alice").await;
    finish(provider, provider.enter(&again, marked, None).await).await
}
