//! Clients that register themselves (RFC 7591, RFC 7592).

use crate::oidc::{Provider, claims, parameters};
use crate::support::{Answer, ORIGIN, Portal, output_text, postern};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use wire::paths;

const ON: &str = "[oauth]\nregistration = true\nmax_registered = 3\nregistration_lifetime = '1d'\n";

async fn send(portal: &Portal, method: Method, path: &str, token: &str, body: Option<&Value>) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    portal.program("198.51.100.9").send_each(method, path, body.map(Value::to_string), &headers).await
}

async fn token(portal: &Portal, uses: u32) -> String {
    let state = &portal.state;
    let actor = server::flows::actor::Actor::command_line(&*state.store, &state.config, &*state.entropy, state.now());
    server::flows::oauth_initial_tokens::make(&actor, "for a test", uses, 1).await.unwrap()
}

fn metadata() -> Value {
    json!({"client_name": "Agent", "redirect_uris": ["https://agent.example/callback"], "scope": "openid profile",
        "token_endpoint_auth_method": "client_secret_post"})
}

#[tokio::test]
async fn a_client_registers_signs_people_in_changes_and_removes_itself() {
    let provider = Provider::with(ON).await;
    let portal = &provider.portal;
    let discovery = portal.program("198.51.100.9").get(paths::OPENID_CONFIGURATION).await.json();
    assert_eq!(discovery["registration_endpoint"], format!("{ORIGIN}{}", paths::OAUTH_REGISTER));
    let initial = token(portal, 1).await;
    let made = send(portal, Method::POST, paths::OAUTH_REGISTER, &initial, Some(&metadata())).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let made = made.json();
    let id: &'static str = Box::leak(made["client_id"].as_str().unwrap().to_owned().into_boxed_str());
    let secret = made["client_secret"].as_str().unwrap();
    let own = made["registration_access_token"].as_str().unwrap().to_owned();
    assert_eq!(made["registration_client_uri"], format!("{ORIGIN}{}/{id}", paths::OAUTH_REGISTER));
    assert!(made["client_secret_expires_at"].as_i64().unwrap() > portal.clock_now().to_seconds().as_seconds());

    let uri = "https://agent.example/callback";
    let query = Provider::query(&[("client_id", id), ("redirect_uri", uri), ("scope", "openid profile email")]);
    let asked = provider.open(&provider.browser, &query).await;
    assert!(asked.text.contains("chose this name itself") && !asked.text.contains("e-mail"), "{}", asked.text);
    // A link of a client that nobody has checked leads away only by a click (RFC 9700, section 4.11.2).
    let quiet = Provider::query(&[("client_id", id), ("redirect_uri", uri), ("prompt", "none")]);
    let form = format!("{}?client_id={id}&redirect_uri={uri}", paths::OAUTH_FORM_POST);
    for browser in [&provider.browser, &portal.browser("203.0.113.8")] {
        let shown = provider.open(browser, &quiet).await;
        assert_eq!((shown.status, shown.header("location")), (StatusCode::OK, ""));
        assert!(shown.text.contains("agent.example"), "{}", shown.text);
        assert_eq!(browser.get(&form).await.status, StatusCode::NOT_FOUND);
    }
    let location = provider.enter(&provider.browser, &query, Some(true)).await.json();
    let code = parameters(location["location"].as_str().unwrap())["code"].clone();
    let with = [("client_id", id), ("redirect_uri", uri), ("client_secret", secret)];
    let tokens = provider.exchange(&code, &with).await.json();
    assert_eq!(claims(tokens["id_token"].as_str().unwrap())["aud"], id, "{tokens}");
    portal.advance(120_000).await;
    let known = provider.open(&provider.browser, &format!("{quiet}&max_age=1")).await;
    assert_eq!(parameters(known.header("location"))["error"], "login_required", "the person has agreed");

    let path = format!("{}/{id}", paths::OAUTH_REGISTER);
    let shown = send(portal, Method::GET, &path, &own, None).await.json();
    assert_eq!((&shown["client_name"], &shown["client_secret"]), (&json!("Agent"), &Value::Null), "shown once");
    let mut change = metadata();
    change["client_id"] = id.into();
    change["client_name"] = "Better agent".into();
    let changed = send(portal, Method::PUT, &path, &own, Some(&change)).await;
    assert_eq!((changed.status, &changed.json()["client_name"]), (StatusCode::OK, &json!("Better agent")));
    for (member, value, error) in [
        ("scope", json!("openid profile email"), "invalid_client_metadata"),
        ("client_id", json!("app"), "invalid_client_metadata"),
        ("redirect_uris", json!(["http://agent.example/"]), "invalid_redirect_uri"),
        ("redirect_uris", json!([]), "invalid_redirect_uri"),
    ] {
        let mut wrong = change.clone();
        wrong[member] = value;
        let refused = send(portal, Method::PUT, &path, &own, Some(&wrong)).await;
        assert_eq!((refused.status, &refused.json()["error"]), (StatusCode::BAD_REQUEST, &json!(error)), "{member}");
    }
    assert_eq!(send(portal, Method::DELETE, &path, &own, None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(send(portal, Method::GET, &path, &own, None).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        provider.userinfo(&tokens["access_token"]).await.status,
        StatusCode::UNAUTHORIZED,
        "what it got is over"
    );
}

#[tokio::test]
async fn attack_nobody_registers_or_manages_a_client_without_its_token() {
    let off = Portal::start().await;
    let refused = send(&off, Method::POST, paths::OAUTH_REGISTER, "x", Some(&metadata())).await;
    assert_eq!((refused.status, &refused.json()["error"]), (StatusCode::FORBIDDEN, &json!("access_denied")), "off");
    let provider = Provider::with(ON).await;
    let portal = &provider.portal;
    let register =
        async |token: &str| send(portal, Method::POST, paths::OAUTH_REGISTER, token, Some(&metadata())).await;
    let program = portal.program("198.51.100.9");
    let bare = program.send_each(Method::POST, paths::OAUTH_REGISTER, Some(metadata().to_string()), &[]).await;
    assert_eq!(bare.json()["error"], "invalid_token");
    assert_eq!(bare.header("www-authenticate"), "Bearer error=\"invalid_token\"");
    assert_eq!(register("guess").await.status, StatusCode::UNAUTHORIZED);
    let initial = token(portal, 2).await;
    let wrong = send(portal, Method::POST, paths::OAUTH_REGISTER, &initial, Some(&json!({}))).await;
    assert_eq!(wrong.json()["error"], "invalid_redirect_uri", "and the token keeps its use");
    let (one, two) = (register(&initial).await.json(), register(&initial).await.json());
    assert_eq!(register(&initial).await.status, StatusCode::UNAUTHORIZED, "used up");
    let more = token(portal, 9).await;
    assert_eq!(register(&more).await.status, StatusCode::CREATED);
    assert_eq!(register(&more).await.status, StatusCode::UNAUTHORIZED, "three clients are the limit");
    let path = |client: &Value| format!("{}/{}", paths::OAUTH_REGISTER, client["client_id"].as_str().unwrap());
    let own = |client: &Value| client["registration_access_token"].as_str().unwrap().to_owned();
    for (path, token) in [
        (path(&one), own(&two)),
        (path(&one), initial.clone()),
        (format!("{}/app", paths::OAUTH_REGISTER), own(&one)),
        (format!("{}/nobody", paths::OAUTH_REGISTER), own(&one)),
    ] {
        for method in [Method::GET, Method::DELETE] {
            let refused = send(portal, method, &path, &token, None).await;
            assert_eq!((refused.status, &refused.json()["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_token")));
        }
    }
    // An administrator's decision is not undone by the client.
    portal.add_administrator("root").await;
    let root = portal.browser("198.51.100.1").signed_in("root").await;
    let admin = format!("{}/{}", paths::CLIENTS, one["client_id"].as_str().unwrap());
    let changes = json!({"disabled": true, "groups": ["staff"]}).to_string();
    assert_eq!(root.send(Method::PATCH, &admin, Some(changes), &[]).await.status, StatusCode::NO_CONTENT);
    let mut change = metadata();
    change["client_id"] = one["client_id"].clone();
    assert_eq!(send(portal, Method::PUT, &path(&one), &own(&one), Some(&change)).await.status, StatusCode::OK);
    let listed = root.get(paths::CLIENTS).await.json();
    let client =
        listed["clients"].as_array().unwrap().iter().find(|client| client["id"] == one["client_id"]).unwrap().clone();
    assert_eq!((&client["disabled"], &client["registration"]["groups"]), (&json!(true), &json!(["staff"])));
    assert_eq!(client["source"], "registered");
    // It expires.
    portal.advance(24 * 60 * 60_000 + 1).await;
    assert_eq!(send(portal, Method::GET, &path(&two), &own(&two), None).await.status, StatusCode::UNAUTHORIZED);
    server::jobs::sweep(&portal.state).await;
    assert!(portal.store().clients().await.unwrap().is_empty(), "and is deleted");
}

#[test]
fn initial_tokens_are_made_on_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("postern.toml"), "[oauth]\nregistration = true\n").unwrap();
    let made = postern(folder.path(), &["client", "token", "--uses", "2", "--note", "the lab"], "");
    assert!(made.status.success(), "{}", output_text(&made));
    let listed = postern(folder.path(), &["client", "tokens"], "");
    assert!(listed.status.success() && output_text(&listed).contains("the lab"), "{}", output_text(&listed));
    let listed = postern(folder.path(), &["client", "tokens", "--json"], "");
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["uses_left"]), (1, &json!(2)));
    let id = listed[0]["id"].as_str().unwrap();
    let revoked = postern(folder.path(), &["client", "revoke-token", id], "");
    assert!(revoked.status.success(), "{}", output_text(&revoked));
    assert!(!postern(folder.path(), &["client", "revoke-token", id], "").status.success(), "once");
    assert_eq!(postern(folder.path(), &["client", "token", "--uses", "101"], "").status.code(), Some(2));
}

/// Registers a client and returns its id, its secret and its management token.
async fn registered(provider: &Provider, metadata: &Value) -> (String, String, String) {
    let initial = token(&provider.portal, 1).await;
    let made = send(&provider.portal, Method::POST, paths::OAUTH_REGISTER, &initial, Some(metadata)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let made = made.json();
    let text = |name: &str| made[name].as_str().unwrap_or_default().to_owned();
    (text("client_id"), text("client_secret"), text("registration_access_token"))
}

#[tokio::test]
async fn a_registration_ends_without_a_sweep() {
    let provider = Provider::with(ON).await;
    let (id, secret, _) = registered(&provider, &metadata()).await;
    let pairs = [("client_id", id.as_str()), ("client_secret", secret.as_str()), ("token", "x")];
    let revoke = async || provider.client(paths::OAUTH_REVOKE, &pairs, &[]).await.status;
    assert_eq!(revoke().await, StatusCode::OK);
    provider.portal.advance(24 * 60 * 60_000).await;
    assert_eq!(revoke().await, StatusCode::UNAUTHORIZED);
    let query = Provider::query(&[("client_id", &id), ("redirect_uri", "https://agent.example/callback")]);
    let browser = provider.portal.browser("203.0.113.7").signed_in("alice").await;
    let refused = provider.open(&browser, &query).await;
    assert!(refused.text.contains("no client has this client_id"), "{}", refused.text);
}

#[tokio::test]
async fn attack_a_client_undoes_what_an_administrator_has_set() {
    let provider = Provider::with(ON).await;
    let (id, _, own) = registered(&provider, &metadata()).await;
    provider.portal.add_administrator("root").await;
    let root = provider.portal.browser("198.51.100.1").signed_in("root").await;
    let admin = format!("{}/{id}", paths::CLIENTS);
    let set = json!({
        "dpop": true, "require_par": true, "access_token": "opaque", "access_token_seconds": 60,
        "resources": ["https://api.example"], "url": "https://agent.example/", "id_token_claims": false,
        "subject_type": "pairwise", "second_factor": "required",
    });
    assert_eq!(root.send(Method::PATCH, &admin, Some(set.to_string()), &[]).await.status, StatusCode::NO_CONTENT);
    let mut change = metadata();
    change["client_id"] = id.clone().into();
    change["dpop_bound_access_tokens"] = false.into();
    let path = format!("{}/{id}", paths::OAUTH_REGISTER);
    assert_eq!(send(&provider.portal, Method::PUT, &path, &own, Some(&change)).await.status, StatusCode::OK);
    let listed = root.get(paths::CLIENTS).await.json();
    let client =
        listed["clients"].as_array().unwrap().iter().find(|client| client["id"] == id.as_str()).unwrap().clone();
    for (name, value) in set.as_object().unwrap() {
        assert_eq!(&client["registration"][name], value, "{name}");
    }
}

#[tokio::test]
async fn attack_a_registered_client_that_people_agreed_to_becomes_another_app() {
    let provider = Provider::with(ON).await;
    let (id, _, own) = registered(&provider, &metadata()).await;
    let query = Provider::query(&[
        ("client_id", &id),
        ("redirect_uri", "https://agent.example/callback"),
        ("scope", "openid profile"),
    ]);
    let is_asked = async || provider.open(&provider.browser, &query).await.text.contains("wants to sign you in");
    let agree = async || assert_eq!(provider.enter(&provider.browser, &query, Some(true)).await.status, StatusCode::OK);
    let path = format!("{}/{id}", paths::OAUTH_REGISTER);
    let mut change = metadata();
    change["client_id"] = id.clone().into();
    for (member, value, asks) in [
        ("post_logout_redirect_uris", json!(["https://agent.example/bye"]), false),
        ("redirect_uris", json!(["https://agent.example/callback", "https://evil.example/"]), true),
        ("client_name", json!("The bank"), true),
    ] {
        agree().await;
        assert!(!is_asked().await, "the person has agreed");
        change[member] = value;
        assert_eq!(send(&provider.portal, Method::PUT, &path, &own, Some(&change)).await.status, StatusCode::OK);
        assert_eq!(is_asked().await, asks, "{member}");
    }
}

#[tokio::test]
async fn attack_a_device_borrows_a_name() {
    let provider = Provider::with(ON).await;
    let mut metadata = metadata();
    metadata["client_name"] = "The bank".into();
    metadata["grant_types"] = json!([oidc::device::GRANT_TYPE]);
    let (id, secret, _) = registered(&provider, &metadata).await;
    let pairs = [("client_id", id.as_str()), ("client_secret", secret.as_str())];
    let codes = provider.client(paths::OAUTH_DEVICE, &pairs, &[]).await.json();
    let link = codes["verification_uri_complete"].as_str().unwrap().strip_prefix(ORIGIN).unwrap().to_owned();
    let headers = [("sec-fetch-mode", "navigate"), ("accept", "text/html")];
    let shown = provider.browser.send(Method::GET, &link, None, &headers).await;
    for part in ["nobody at this site has checked it", "The bank", "Somebody who sent you a link or a code"] {
        assert!(shown.text.contains(part), "{part}: {}", shown.text);
    }
}

#[tokio::test]
async fn keys_of_a_registration_are_public_and_usable() {
    let provider = Provider::with(ON).await;
    let initial = token(&provider.portal, 1).await;
    let mut metadata = metadata();
    metadata["token_endpoint_auth_method"] = "private_key_jwt".into();
    for jwks in [json!("x"), json!({"keys": []}), json!({"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]})] {
        metadata["jwks"] = jwks.clone();
        let refused = send(&provider.portal, Method::POST, paths::OAUTH_REGISTER, &initial, Some(&metadata)).await;
        let answer = (refused.status, refused.json()["error"].clone());
        assert_eq!(answer, (StatusCode::BAD_REQUEST, json!("invalid_client_metadata")), "{jwks}");
    }
}

#[tokio::test]
async fn administrators_see_and_revoke_the_tokens_of_registrations() {
    let provider = Provider::with(ON).await;
    let portal = &provider.portal;
    let (kept, revoked) = (token(portal, 1).await, token(portal, 3).await);
    portal.add_administrator("root").await;
    let root = portal.browser("198.51.100.1").signed_in("root").await;
    assert_eq!(provider.browser.get(paths::REGISTRATION_TOKENS).await.code(), "forbidden");
    let listed = root.get(paths::REGISTRATION_TOKENS).await;
    assert!(!listed.text.contains(&kept) && !listed.text.contains(&revoked), "{}", listed.text);
    let tokens = listed.json()["tokens"].as_array().unwrap().clone();
    assert_eq!(tokens.len(), 2);
    let three = tokens.iter().find(|token| token["uses_left"] == 3).unwrap();
    assert_eq!(three["note"], "for a test");
    let id = three["id"].as_str().unwrap();
    let headers = [("sec-fetch-mode", "navigate"), ("accept", "text/html")];
    let shown = root.send(Method::GET, paths::CLIENTS_PAGE, None, &headers).await;
    for part in ["Registration tokens", "for a test", "3 apps", "one app", id] {
        assert!(shown.text.contains(part), "{part}: {}", shown.text);
    }
    let path = format!("{}/{id}", paths::REGISTRATION_TOKENS);
    assert_eq!(provider.browser.send(Method::DELETE, &path, None, &[]).await.code(), "forbidden");
    assert_eq!(root.send(Method::DELETE, &path, None, &[]).await.status, StatusCode::NO_CONTENT);
    assert_eq!(root.send(Method::DELETE, &path, None, &[]).await.code(), "not_found");
    let register =
        async |token: &str| send(portal, Method::POST, paths::OAUTH_REGISTER, token, Some(&metadata())).await;
    assert_eq!(register(&revoked).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(register(&kept).await.status, StatusCode::CREATED, "the other one still registers");
    let shown = root.send(Method::GET, paths::CLIENTS_PAGE, None, &headers).await;
    assert!(!shown.text.contains("Registration tokens"), "none is left: {}", shown.text);
    portal.advance(domain::authentication::FRESH_MS + 1).await;
    root.refresh().await;
    let late = root.send(Method::DELETE, &path, None, &[]).await;
    assert_eq!(late.code(), "insufficient_user_authentication");
}

#[tokio::test]
async fn attack_the_name_of_a_client_hides_text_or_passes_for_this_site() {
    let (flood, hidden) = ("\u{5d0}\u{301}\u{301}\u{301}\u{301}", "Wiki\u{202e}knab");
    let provider = Provider::with(ON).await;
    let portal = &provider.portal;
    let initial = token(portal, 10).await;
    for name in ["\u{2800}", " ", flood, hidden, "Wi\u{ad}ki", "Postern in a terminal", "Роstеrn"] {
        let mut metadata = metadata();
        metadata["client_name"] = name.into();
        let refused = send(portal, Method::POST, paths::OAUTH_REGISTER, &initial, Some(&metadata)).await;
        assert_eq!(refused.json()["error"], "invalid_client_metadata", "{name:?}: {}", refused.text);
    }
    let root = portal.administrator().await;
    let wish = |name: &str| json!({"id": "wiki", "name": name, "redirect_uris": ["https://wiki.example/"]});
    for name in [flood, hidden, "\u{2800}"] {
        assert_eq!(root.post(paths::CLIENTS, &wish(name)).await.code(), "bad_request", "{name:?}");
    }
    let own = root.post(paths::CLIENTS, &wish("Postern wiki")).await;
    assert_eq!(own.status, StatusCode::CREATED, "an administrator vouches for it: {}", own.text);
}

#[test]
fn attack_a_name_in_a_command_or_the_settings_hides_text() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| output_text(&postern(folder.path(), arguments, ""));
    let uri = ["--redirect-uri", "https://wiki.example/", "wiki"];
    let refused = run(&[&["client", "add", "--name", "Wiki\u{202e}knab"][..], &uri].concat());
    assert!(refused.contains("directional characters"), "{refused}");
    let settings = "[[clients]]\nid = 'wiki'\nname = \"Wiki\\u202Eknab\"\nredirect_uris = ['https://wiki.example/']\n";
    std::fs::write(folder.path().join("postern.toml"), settings).unwrap();
    let refused = run(&["config", "check"]);
    assert!(refused.contains("directional characters"), "{refused}");
}
