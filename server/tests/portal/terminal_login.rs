//! The terminal program signs in through a browser: with a code on a loopback address, or as a device.

use crate::oidc::{form, parameters};
use crate::second_factor::{Enrolled, confirm, login_with};
use crate::support::{Answer, ClientKey, ORIGIN, PASSWORD, Portal, Visitor, receiving_key};
use domain::encoding::{base64url, sha256};
use domain::thumbprint::Thumbprint;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;
use store::audit::AuditEvent;
use wire::paths;

const CALLBACK: &str = "http://127.0.0.1:49152/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const MINUTE: i64 = 60_000;

/// The terminal program.
struct Terminal {
    program: Visitor,
    key: Arc<ClientKey>,
}

impl Terminal {
    fn new(portal: &Portal) -> Self {
        let program = portal.bound_program("203.0.113.7");
        let key = Arc::clone(program.key.as_ref().unwrap());
        Self { program, key }
    }

    fn jkt(&self) -> Thumbprint {
        Thumbprint::of(&self.key.public().thumbprint_input())
    }

    /// Returns the query of the page that it opens, with changes.
    fn query(&self, changes: &[(&str, &str)]) -> String {
        let (challenge, jkt) = (base64url(&sha256(VERIFIER.as_bytes())), self.jkt().to_string());
        let mut pairs = vec![
            ("client_id", "postern-client"),
            ("response_type", "code"),
            ("scope", "openid"),
            ("redirect_uri", CALLBACK),
            ("state", "s1"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
            ("dpop_jkt", jkt.as_str()),
        ];
        for (name, value) in changes {
            pairs.retain(|(own, _)| own != name);
            if !value.is_empty() {
                pairs.push((name, value));
            }
        }
        form(&pairs)
    }

    /// Exchanges a grant at the token endpoint, with a proof of its key.
    async fn exchange(&self, pairs: &[(&str, &str)]) -> Answer {
        let nonce = self.program.nonce().await;
        let proof = self.key.prove(&format!("{ORIGIN}{}", paths::OAUTH_TOKEN), &nonce);
        let headers = [("dpop", proof.as_str()), ("content-type", "application/x-www-form-urlencoded")];
        let pairs: Vec<_> = pairs.iter().copied().chain([("client_id", "postern-client")]).collect();
        self.program.send(Method::POST, paths::OAUTH_TOKEN, Some(form(&pairs)), &headers).await
    }

    async fn redeem(&self, code: &str) -> Answer {
        let pairs = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        self.exchange(&pairs).await
    }

    /// Requests the session of an access token.
    async fn begin(&self, token: &str) -> Answer {
        self.begin_with(&self.key, token, &json!({"receiving_key": receiving_key().public()})).await
    }

    async fn begin_with(&self, key: &ClientKey, token: &str, body: &Value) -> Answer {
        let nonce = self.program.nonce().await;
        let ath = base64url(&sha256(token.as_bytes()));
        let proof = key.prove_more(&format!("{ORIGIN}{}", paths::TERMINAL_LOGIN), &nonce, &json!({"ath": ath}));
        let authorization = format!("DPoP {token}");
        let headers = [("dpop", proof.as_str()), ("authorization", authorization.as_str())];
        self.program.send(Method::POST, paths::TERMINAL_LOGIN, Some(body.to_string()), &headers).await
    }

    async fn get(&self, tokens: &Value, path: &str) -> Answer {
        let token = tokens["access_token"].as_str().unwrap();
        let (nonce, ath) = (self.program.nonce().await, base64url(&sha256(token.as_bytes())));
        let more = json!({"ath": ath, "htm": "GET"});
        let proof = self.key.prove_more(&format!("{ORIGIN}{path}"), &nonce, &more);
        let authorization = format!("DPoP {token}");
        let headers = [("dpop", proof.as_str()), ("authorization", authorization.as_str())];
        self.program.send(Method::GET, path, None, &headers).await
    }
}

/// Signs a terminal in by an authorization of this browser, and then once more with the same token.
pub(crate) async fn sign_in_twice(portal: &Portal, browser: &Visitor) -> [Answer; 2] {
    let terminal = Terminal::new(portal);
    let code = code_of(&agree(browser, &terminal.query(&[]), true).await);
    let token = terminal.redeem(&code).await.json()["access_token"].as_str().unwrap().to_owned();
    [terminal.begin(&token).await, terminal.begin(&token).await]
}

/// Signs a terminal in as a device.
pub(crate) async fn sign_in_as_device(portal: &Portal, browser: &Visitor) -> Answer {
    let terminal = Terminal::new(portal);
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let asked = form(&[("client_id", "postern-client"), ("scope", "openid")]);
    let codes = terminal.program.send(Method::POST, paths::OAUTH_DEVICE, Some(asked), &headers).await.json();
    let (device, user) = (codes["device_code"].as_str().unwrap(), codes["user_code"].as_str().unwrap());
    let agreed = browser.post(paths::OAUTH_DEVICE_ANSWER, &json!({"user_code": user, "agreed": true})).await;
    assert_eq!(agreed.status, StatusCode::OK, "{}", agreed.text);
    let poll = [("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("device_code", device)];
    let token = terminal.exchange(&poll).await;
    terminal.begin(token.json()["access_token"].as_str().unwrap()).await
}

/// Opens the page of an authorization request.
async fn page(browser: &Visitor, query: &str) -> Answer {
    browser.get(&format!("{}?{query}", paths::OAUTH_AUTHORIZE)).await
}

async fn agree(browser: &Visitor, query: &str, agreed: bool) -> Answer {
    browser.post(paths::OAUTH_ENTER, &json!({"request": query, "agreed": agreed})).await
}

fn code_of(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let location = answer.json()["location"].as_str().unwrap().to_owned();
    assert!(location.starts_with(CALLBACK), "{location}");
    parameters(&location)["code"].clone()
}

#[tokio::test]
async fn an_account_with_a_second_factor_signs_a_terminal_in_and_the_session_is_bound_to_its_key() {
    let portal = Portal::start().await;
    let alice = Enrolled::add(&portal, "alice", &[]).await;
    let browser = portal.browser("203.0.113.8");
    assert_eq!(login_with(&browser, "alice", PASSWORD, &alice.code(&portal, 0)).await.status, StatusCode::OK);
    portal.advance(MINUTE).await;
    let terminal = Terminal::new(&portal);
    let query = terminal.query(&[]);
    let shown = page(&browser, &query).await;
    assert!(shown.status == StatusCode::OK && shown.text.contains("A program on this computer"), "{}", shown.text);
    assert!(shown.text.contains("act as you here"), "{}", shown.text);
    let code = code_of(&agree(&browser, &query, true).await);
    let token = terminal.redeem(&code).await;
    assert_eq!((token.status, &token.json()["token_type"]), (StatusCode::OK, &json!("DPoP")), "{}", token.text);
    let token = token.json()["access_token"].as_str().unwrap().to_owned();
    let answer = terminal.begin(&token).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let session = answer.json()["session"].clone();
    assert_eq!((&session["username"], &session["bound"]), (&json!("alice"), &json!(true)));
    assert_eq!(session["acr"], "urn:postern:acr:2", "as the browser was authenticated");
    assert_eq!(session["auth_time"], json!((portal.clock_now() - MINUTE).to_seconds()), "and when");
    let tokens = answer.json()["tokens"].clone();
    assert_eq!(terminal.get(&tokens, paths::SESSION).await.json()["id"], session["id"]);
    let row = portal.store().session(&session["id"].as_str().unwrap().into()).await.unwrap().unwrap();
    assert_eq!((row.life.jkt, row.authentication.at), (Some(terminal.jkt()), portal.clock_now() - MINUTE));

    // The token gives one session; then its own authorization ends.
    assert_eq!(terminal.begin(&token).await.code(), "no_session");
    assert_eq!(terminal.redeem(&code).await.json()["error"], "invalid_grant");
    assert_eq!(terminal.get(&tokens, paths::SESSION).await.status, StatusCode::OK, "the session outlives that");
    let logins = portal.store().audit_of(&alice.user.as_str().into(), 50).await.unwrap();
    assert!(logins.iter().any(|row| row.event == AuditEvent::Login && row.about == "through a browser"));
}

#[tokio::test]
async fn nobody_signs_a_terminal_in_without_being_asked_each_time_and_without_a_fresh_proof() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let browser = portal.browser("203.0.113.8").signed_in("alice").await;
    let terminal = Terminal::new(&portal);
    let query = terminal.query(&[]);
    for _ in 0..2 {
        let silent = browser.post(paths::OAUTH_ENTER, &json!({"request": query})).await.json();
        assert!(silent["location"].as_str().unwrap().starts_with(paths::OAUTH_AUTHORIZE), "it asks again: {silent}");
        code_of(&agree(&browser, &query, true).await);
    }
    let declined = agree(&browser, &query, false).await.json()["location"].as_str().unwrap().to_owned();
    assert_eq!(parameters(&declined)["error"], "access_denied");
    portal.advance(5 * MINUTE + 1).await;
    browser.refresh().await;
    assert_eq!(agree(&browser, &query, true).await.code(), "insufficient_user_authentication");
    assert_eq!(confirm(&browser, &json!({"password": PASSWORD})).await.status, StatusCode::NO_CONTENT);
    code_of(&agree(&browser, &query, true).await);
    // Redirects are allowed to this machine only.
    for uri in ["https://evil.example/callback", "http://127.0.0.1.evil.example/callback", "http://127.0.0.1:1/other"] {
        let shown = page(&browser, &terminal.query(&[("redirect_uri", uri)])).await;
        assert_eq!(shown.status, StatusCode::BAD_REQUEST, "{uri}");
    }
}

#[tokio::test]
async fn a_token_that_another_key_or_client_has_begins_nothing() {
    let portal = Portal::start().await;
    let user = portal.add_user("alice").await;
    let browser = portal.browser("203.0.113.8").signed_in("alice").await;
    let (terminal, thief) = (Terminal::new(&portal), Terminal::new(&portal));
    let code = code_of(&agree(&browser, &terminal.query(&[]), true).await);
    let tries = async || {
        let rows = portal.store().audit_of(&user.as_str().into(), 100).await.unwrap();
        rows.iter().filter(|row| row.event == AuditEvent::WrongKey).count()
    };
    assert_eq!(thief.redeem(&code).await.status, StatusCode::BAD_REQUEST, "the code is bound to the key");
    assert_eq!(tries().await, 1, "the owner sees it");
    let code = code_of(&agree(&browser, &terminal.query(&[]), true).await);
    let token = terminal.redeem(&code).await.json()["access_token"].as_str().unwrap().to_owned();
    let body = json!({"receiving_key": receiving_key().public()});
    let at = |address| Terminal { program: terminal.program.moved(address), key: Arc::clone(&terminal.key) };
    assert_eq!(at("203.0.113.9").begin_with(&thief.key, &token, &body).await.code(), "bad_proof");
    assert_eq!(tries().await, 2);
    let bearer = format!("Bearer {token}");
    let (request, headers) = (body.to_string(), [("authorization", bearer.as_str())]);
    let plain = at("203.0.113.10").program.send(Method::POST, paths::TERMINAL_LOGIN, Some(request), &headers).await;
    assert_eq!(plain.code(), "no_session");
    assert_eq!(tries().await, 3);
    let off =
        json!({"receiving_key": {"kty": "EC", "crv": "P-256", "x": base64url(&[1; 32]), "y": base64url(&[1; 32])}});
    assert_eq!(terminal.begin_with(&terminal.key, &token, &off).await.code(), "bad_request");
    // A session's token is not one of the terminal's authorizations.
    let own = terminal.begin(&token).await;
    assert_eq!(own.status, StatusCode::OK, "{}", own.text);
    let own = own.json()["tokens"]["access_token"].as_str().unwrap().to_owned();
    assert_eq!(terminal.begin(&own).await.code(), "no_session");
}

#[tokio::test]
async fn a_terminal_without_a_browser_shows_a_code() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let browser = portal.browser("203.0.113.8").signed_in("alice").await;
    let terminal = Terminal::new(&portal);
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let asked = form(&[("client_id", "postern-client"), ("scope", "openid")]);
    let codes = terminal.program.send(Method::POST, paths::OAUTH_DEVICE, Some(asked), &headers).await.json();
    let (device, user) = (codes["device_code"].as_str().unwrap(), codes["user_code"].as_str().unwrap());
    let poll = [("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("device_code", device)];
    assert_eq!(terminal.exchange(&poll).await.json()["error"], "authorization_pending");
    let shown = browser.get(&format!("{}?user_code={user}", paths::DEVICE_PAGE)).await;
    assert!(shown.text.contains("Postern in a terminal") && shown.text.contains("act as you here"), "{}", shown.text);
    let answer = json!({"user_code": user, "agreed": true});
    portal.advance(5 * MINUTE + 1).await;
    browser.refresh().await;
    assert_eq!(browser.post(paths::OAUTH_DEVICE_ANSWER, &answer).await.code(), "insufficient_user_authentication");
    browser.confirm().await;
    let agreed = browser.post(paths::OAUTH_DEVICE_ANSWER, &answer).await;
    assert_eq!(agreed.status, StatusCode::OK, "{}", agreed.text);
    let token = terminal.exchange(&poll).await;
    assert_eq!(token.status, StatusCode::OK, "{}", token.text);
    let begun = terminal.begin(token.json()["access_token"].as_str().unwrap()).await;
    assert_eq!(begun.status, StatusCode::OK, "{}", begun.text);
}

#[tokio::test]
async fn of_twenty_requests_with_one_token_one_begins_a_session() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let browser = portal.browser("203.0.113.8").signed_in("alice").await;
    let terminal = Terminal::new(&portal);
    let code = code_of(&agree(&browser, &terminal.query(&[]), true).await);
    let token = terminal.redeem(&code).await.json()["access_token"].as_str().unwrap().to_owned();
    let answers = futures::future::join_all((0..20).map(|_| terminal.begin(&token))).await;
    let won = answers.iter().filter(|answer| answer.status == StatusCode::OK).count();
    assert_eq!(won, 1, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
}
