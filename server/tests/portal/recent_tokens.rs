//! Answers about tokens of clients from memory, and the changes that end them on every node.

use crate::oidc::{Provider, SECRET, URI, form};
use crate::support::{Answer, ClientKey, ORIGIN, Portal, Visitor};
use domain::encoding::{base64url, sha256};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use server::jobs::follow;
use wire::paths;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const APP: [(&str, &str); 2] = [("client_id", "app"), ("client_secret", SECRET)];
const SPA: [(&str, &str); 2] = [("client_id", "spa"), ("redirect_uri", "https://spa.example/")];

/// A provider, and a second node on its database.
struct Nodes {
    provider: Provider,
    other: Portal,
}

impl Nodes {
    async fn start() -> Self {
        let provider = Provider::start().await;
        let other = provider.portal.another().await;
        Self { provider, other }
    }

    async fn root(&self) -> Visitor {
        self.provider.portal.administrator().await
    }

    /// Returns the answers of both nodes about a token.
    async fn both(&self, token: &Value) -> [Answer; 2] {
        [userinfo(&self.provider.portal, token).await, userinfo(&self.other, token).await]
    }

    /// Whether both nodes accept a token. It is in memory there afterwards.
    async fn accept(&self, token: &Value) -> bool {
        self.both(token).await.iter().all(|answer| answer.status == StatusCode::OK)
    }

    /// Checks that the first node refuses a token at once, and the second one after it has followed.
    async fn refuse(&self, token: &Value, why: &str) {
        let [own, _] = self.both(token).await;
        assert_eq!(own.status, StatusCode::UNAUTHORIZED, "{why}: {}", own.text);
        let known = self.other.state.recent_tokens.cache().hits.get();
        assert!(known > 0, "{why}: the second node has answered from memory");
        follow(&self.other.state).await.unwrap();
        let [_, other] = self.both(token).await;
        assert_eq!(other.status, StatusCode::UNAUTHORIZED, "{why}, on the second node: {}", other.text);
    }

    /// Checks a claim on both nodes after the second one has followed.
    async fn say(&self, token: &Value, claim: &str, value: Value) {
        let own = userinfo(&self.provider.portal, token).await.json();
        assert_eq!(own[claim], value, "{own}");
        follow(&self.other.state).await.unwrap();
        let other = userinfo(&self.other, token).await.json();
        assert_eq!(other[claim], value, "on the second node: {other}");
    }
}

async fn userinfo(node: &Portal, token: &Value) -> Answer {
    let bearer = format!("Bearer {}", token.as_str().unwrap());
    let program = node.program("198.51.100.9");
    program.send_each(Method::GET, paths::OAUTH_USERINFO, None, &[("authorization", &bearer)]).await
}

async fn introspect(node: &Portal, token: &Value, id: &str, secret: &str) -> Answer {
    let pairs = [("token", token.as_str().unwrap()), ("client_id", id), ("client_secret", secret)];
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    node.program("198.51.100.9").send_each(Method::POST, paths::OAUTH_INTROSPECT, Some(form(&pairs)), &kind).await
}

async fn change(root: &Visitor, path: &str, changes: &Value) {
    let answer = root.send(Method::PATCH, path, Some(changes.to_string()), &[]).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
}

#[tokio::test]
async fn an_answer_about_a_known_token_reads_no_database() {
    let provider = Provider::start().await;
    let (jwt, unknown) = (provider.tokens().await, provider.tokens().await);
    let opaque = provider.exchange(&provider.code(&SPA).await, &[&SPA[..], &[("client_secret", "")]].concat()).await;
    let opaque = &opaque.json()["access_token"];
    let (jwt, unknown) = (&jwt["access_token"], &unknown["access_token"]);
    let node = &provider.portal;
    let ask = async || {
        let [told, other] = [introspect(node, jwt, "app", SECRET).await, introspect(node, jwt, "api", SECRET).await];
        [userinfo(node, jwt).await, userinfo(node, opaque).await, told, other]
            .map(|answer| (answer.status, answer.text))
    };
    let first = ask().await;
    assert!(first.iter().all(|(status, _)| *status == StatusCode::OK), "{first:?}");
    node.store().close().await;
    assert_eq!(ask().await, first);
    assert!(userinfo(node, unknown).await.status.is_server_error(), "only a known token needs no database");
}

#[tokio::test]
async fn changes_of_a_person_reach_every_node() {
    let nodes = Nodes::start().await;
    let root = nodes.root().await;
    let token = &nodes.provider.tokens().await["access_token"];
    let person = format!("{}/{}", paths::USERS, nodes.provider.user);
    assert_eq!(root.post(paths::GROUPS, &json!({"name": "staff"})).await.status, StatusCode::CREATED);
    assert!(nodes.accept(token).await && nodes.accept(token).await);
    change(&root, &person, &json!({"display_name": "Alice A."})).await;
    nodes.say(token, "name", json!("Alice A.")).await;
    change(&root, &person, &json!({"email": "alice@example.org"})).await;
    nodes.say(token, "email", json!("alice@example.org")).await;
    change(&root, &person, &json!({"groups": "staff"})).await;
    nodes.say(token, "groups", json!(["staff"])).await;
    change(&root, &person, &json!({"role": "administrator"})).await;
    nodes.say(token, "roles", json!(["administrator"])).await;
    let group = root.get(paths::GROUPS).await.json();
    let group = format!("{}/{}", paths::GROUPS, group["groups"][0]["id"].as_str().unwrap());
    change(&root, &group, &json!({"name": "crew"})).await;
    nodes.say(token, "groups", json!(["crew"])).await;
    let removed = root.send(Method::DELETE, &group, Some("{}".to_owned()), &[]).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT, "{}", removed.text);
    nodes.say(token, "groups", json!([])).await;
    let own = json!({"display_name": "Ally"}).to_string();
    let changed = nodes.provider.browser.send(Method::PATCH, paths::PROFILE, Some(own), &[]).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text);
    nodes.say(token, "name", json!("Ally")).await;
    change(&root, &person, &json!({"disabled": true})).await;
    nodes.refuse(token, "a disabled account").await;
}

/// Nothing of the account goes on, and nobody gets its `sub`.
#[tokio::test]
async fn a_deleted_account_ends_everything_on_every_node() {
    let nodes = Nodes::start().await;
    let root = nodes.root().await;
    let tokens = nodes.provider.tokens().await;
    let (token, refresh) = (&tokens["access_token"], tokens["refresh_token"].as_str().unwrap());
    let code = nodes.provider.code(&[]).await;
    assert!(nodes.accept(token).await && nodes.accept(token).await);
    let person = format!("{}/{}", paths::USERS, nodes.provider.user);
    let deleted = root.send(Method::DELETE, &person, Some("{}".to_owned()), &[]).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{}", deleted.text);
    nodes.refuse(token, "a deleted account").await;
    assert_eq!(nodes.provider.refresh(refresh, &[]).await.json()["error"], "invalid_grant");
    assert_eq!(nodes.provider.exchange(&code, &[]).await.json()["error"], "invalid_grant");
    let pairs = [&[("token", refresh)], &APP[..]].concat();
    let asked = nodes.provider.client(paths::OAUTH_INTROSPECT, &pairs, &[]).await;
    assert_eq!(asked.json(), json!({"active": false}));
    assert_ne!(nodes.provider.portal.add_user("alice").await, nodes.provider.user, "another `sub`");
}

#[tokio::test]
async fn what_ends_a_grant_reaches_every_node() {
    let nodes = Nodes::start().await;
    let provider = &nodes.provider;

    let revoked = provider.tokens().await;
    assert!(nodes.accept(&revoked["access_token"]).await && nodes.accept(&revoked["access_token"]).await);
    let pairs = [&[("token", revoked["refresh_token"].as_str().unwrap())], &APP[..]].concat();
    assert_eq!(provider.client(paths::OAUTH_REVOKE, &pairs, &[]).await.status, StatusCode::OK);
    nodes.refuse(&revoked["access_token"], "a revoked refresh token").await;

    let reused = provider.tokens().await;
    let old = reused["refresh_token"].as_str().unwrap();
    let next = provider.refresh(old, &[]).await.json();
    assert!(nodes.accept(&next["access_token"]).await && nodes.accept(&next["access_token"]).await);
    for node in [&provider.portal, &nodes.other] {
        // Longer than a client may repeat a request whose answer was lost.
        node.advance(11_000).await;
    }
    assert!(nodes.accept(&next["access_token"]).await);
    assert_eq!(provider.refresh(old, &[]).await.json()["error"], "invalid_grant");
    nodes.refuse(&next["access_token"], "a refresh token that was used again").await;

    let code = provider.code(&[]).await;
    let again = provider.exchange(&code, &[]).await.json();
    assert!(nodes.accept(&again["access_token"]).await && nodes.accept(&again["access_token"]).await);
    assert_eq!(provider.exchange(&code, &[]).await.json()["error"], "invalid_grant");
    nodes.refuse(&again["access_token"], "a code that was used again").await;

    let other = [("client_id", "other"), ("redirect_uri", "https://other.example/")];
    let answer = provider.enter(&provider.browser, &Provider::query(&other), Some(true)).await;
    let location = answer.json()["location"].as_str().unwrap().to_owned();
    let code = crate::oidc::parameters(&location)["code"].clone();
    let agreed = provider.exchange(&code, &other).await.json();
    assert!(nodes.accept(&agreed["access_token"]).await && nodes.accept(&agreed["access_token"]).await);
    let path = format!("{}/other", paths::CONSENTS);
    let withdrawn = provider.browser.send(Method::DELETE, &path, Some("{}".to_owned()), &[]).await;
    assert_eq!(withdrawn.status, StatusCode::NO_CONTENT, "{}", withdrawn.text);
    nodes.refuse(&agreed["access_token"], "a withdrawn consent").await;

    let last = provider.tokens().await;
    assert!(nodes.accept(&last["access_token"]).await && nodes.accept(&last["access_token"]).await);
    assert_eq!(provider.browser.post(paths::LOGOUT, &json!({})).await.status, StatusCode::NO_CONTENT);
    nodes.refuse(&last["access_token"], "a session that has ended").await;
}

#[tokio::test]
async fn changes_of_clients_and_keys_reach_every_node() {
    let nodes = Nodes::start().await;
    let (root, provider) = (nodes.root().await, &nodes.provider);
    let wish = json!({"id": "wiki", "redirect_uris": ["https://wiki.example/"], "consent": false});
    let added = root.post(paths::CLIENTS, &wish).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
    follow(&nodes.other.state).await.unwrap();
    let secret = added.json()["client_secret"].as_str().unwrap().to_owned();
    let own = [("client_id", "wiki"), ("redirect_uri", "https://wiki.example/")];
    let with_secret = [&own[..], &[("client_secret", secret.as_str())]].concat();
    let tokens = provider.exchange(&provider.code(&own).await, &with_secret).await.json();
    let token = &tokens["access_token"];
    let path = format!("{}/wiki", paths::CLIENTS);
    assert!(nodes.accept(token).await && nodes.accept(token).await);
    nodes.say(token, "preferred_username", json!("alice")).await;
    change(&root, &path, &json!({"scopes": ["openid"]})).await;
    nodes.say(token, "preferred_username", Value::Null).await;
    change(&root, &path, &json!({"disabled": true})).await;
    nodes.refuse(token, "a disabled client").await;
    change(&root, &path, &json!({"disabled": false})).await;
    follow(&nodes.other.state).await.unwrap();
    assert!(nodes.accept(token).await && nodes.accept(token).await);
    let removed = root.send(Method::DELETE, &path, Some("{}".to_owned()), &[]).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT, "{}", removed.text);
    nodes.refuse(token, "a removed client").await;

    let token = &provider.tokens().await["access_token"];
    assert!(nodes.accept(token).await && nodes.accept(token).await);
    let state = &provider.portal.state;
    let kid = state.keyring.signing(state.now()).unwrap().public.kid.clone();
    let revoked = root.send(Method::DELETE, &format!("{}/{kid}", paths::SERVER_KEYS), Some("{}".to_owned()), &[]).await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT, "{}", revoked.text);
    nodes.refuse(token, "a revoked signing key").await;
}

#[tokio::test]
async fn attack_the_key_before_the_last_refresh_reads_from_the_memory_of_another_node() {
    let nodes = Nodes::start().await;
    let (provider, first, second) = (&nodes.provider, ClientKey::generate(), ClientKey::generate());
    let state = &provider.portal.state;
    let proven = async |key: &ClientKey, pairs: &[(&str, &str)]| {
        let proof = key.prove(&format!("{ORIGIN}{}", paths::OAUTH_TOKEN), &state.keyring.nonce(state.now()));
        let answer = provider.client(paths::OAUTH_TOKEN, pairs, &[("dpop", &proof)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.json()
    };
    let code = provider.code(&[]).await;
    let exchange = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", URI)];
    let tokens = proven(&first, &[&exchange[..], &[("code_verifier", VERIFIER)], &APP[..]].concat()).await;
    let token = tokens["access_token"].as_str().unwrap();
    let read = async |node: &Portal, key: &ClientKey| {
        let more = json!({"htm": "GET", "ath": base64url(&sha256(token.as_bytes()))});
        let nonce = state.keyring.nonce(state.now());
        let proof = key.prove_more(&format!("{ORIGIN}{}", paths::OAUTH_USERINFO), &nonce, &more);
        let authorization = format!("DPoP {token}");
        let headers = [("authorization", authorization.as_str()), ("dpop", proof.as_str())];
        node.program("198.51.100.9").send_each(Method::GET, paths::OAUTH_USERINFO, None, &headers).await.status
    };
    for node in [&provider.portal, &nodes.other] {
        assert_eq!(read(node, &first).await, StatusCode::OK);
        assert_eq!(read(node, &second).await, StatusCode::UNAUTHORIZED, "a proof is verified each time");
        assert_eq!(read(node, &first).await, StatusCode::OK);
    }
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().unwrap())];
    proven(&second, &[&refresh[..], &APP[..]].concat()).await;
    follow(&nodes.other.state).await.unwrap();
    for node in [&provider.portal, &nodes.other] {
        assert_eq!(read(node, &first).await, StatusCode::UNAUTHORIZED);
        assert_eq!(read(node, &second).await, StatusCode::OK);
    }
}

#[tokio::test]
async fn attack_a_wrong_secret_follows_a_right_one() {
    let nodes = Nodes::start().await;
    let (root, node) = (nodes.root().await, &nodes.provider.portal);
    let token = &nodes.provider.tokens().await["access_token"];
    for (secret, status) in [(SECRET, StatusCode::OK), ("wrong", StatusCode::UNAUTHORIZED), (SECRET, StatusCode::OK)] {
        assert_eq!(introspect(node, token, "app", secret).await.status, status, "{secret}");
    }
    let wish = json!({"id": "reader", "redirect_uris": ["https://reader.example/"]});
    let old = root.post(paths::CLIENTS, &wish).await.json()["client_secret"].as_str().unwrap().to_owned();
    follow(&nodes.other.state).await.unwrap();
    let told = async |node: &Portal, secret: &str| introspect(node, token, "reader", secret).await;
    for node in [node, &nodes.other] {
        assert_eq!(told(node, &old).await.json(), json!({"active": false}), "the token of another client");
    }
    let path = format!("{}/reader/secret", paths::CLIENTS);
    let new = root.post(&path, &json!({})).await.json()["client_secret"].as_str().unwrap().to_owned();
    follow(&nodes.other.state).await.unwrap();
    for node in [node, &nodes.other] {
        assert_eq!(told(node, &old).await.status, StatusCode::UNAUTHORIZED, "a replaced secret");
        assert_eq!(told(node, &new).await.status, StatusCode::OK);
    }
    // The header of a form that proves its secret is checked as before.
    let pairs = [&[("token", token.as_str().unwrap())], &APP[..]].concat();
    let wrong = [("content-type", "application/json")];
    let program = node.program("198.51.100.9");
    let answer = program.send_each(Method::POST, paths::OAUTH_INTROSPECT, Some(form(&pairs)), &wrong).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
}
