//! Clients that are described by a document at the URL that is their id.

use crate::oidc::{Provider, claims, parameters};
use crate::support::document_server::{DocumentServer, URI};
use crate::support::{Answer, ClientKey, ORIGIN, Visitor};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use store::oauth_registrations::{PutDocument, StoredDocument};
use wire::paths;

async fn page(visitor: &Visitor, path: &str) -> Answer {
    visitor.send(Method::GET, path, None, &[("sec-fetch-mode", "navigate"), ("accept", "text/html")]).await
}

const HOUR: i64 = 60 * 60_000;

fn agent(id: &str) -> String {
    json!({"client_id": id, "client_name": "Agent", "redirect_uris": ["http://127.0.0.1/callback"],
        "grant_types": ["authorization_code", "refresh_token"], "token_endpoint_auth_method": "none"})
    .to_string()
}

#[tokio::test]
async fn a_document_is_a_client() {
    let server = DocumentServer::start(agent).await;
    let provider = server.provider().await;
    let discovery = provider.portal.program("198.51.100.9").get(paths::OPENID_CONFIGURATION).await.json();
    assert_eq!(discovery["client_id_metadata_document_supported"], true);
    let query = Provider::query(&[("client_id", &server.id), ("redirect_uri", "http://127.0.0.1:7777/callback")]);
    let stranger = provider.portal.browser("203.0.113.99");
    let to = provider.open(&stranger, &query).await;
    assert!(to.header("location").starts_with("/login?next="), "sign in first: {}", to.text);
    assert_eq!(server.seen(), 0, "a stranger makes this server fetch nothing");

    let asked = provider.open(&provider.browser, &query).await;
    for part in
        ["Continue to localhost?", "calls itself Agent", "Nobody at this site has checked it", "http://127.0.0.1:7777"]
    {
        assert!(asked.text.contains(part), "{part}: {}", asked.text);
    }
    let location = provider.enter(&provider.browser, &query, Some(true)).await.json();
    let code = parameters(location["location"].as_str().unwrap())["code"].clone();
    let uri = "http://127.0.0.1:7777/callback";
    let own = [("client_id", server.id.as_str()), ("redirect_uri", uri), ("client_secret", "")];
    let tokens = provider.exchange(&code, &own).await.json();
    assert_eq!(claims(tokens["id_token"].as_str().unwrap())["aud"], server.id.as_str(), "{tokens}");
    assert_eq!(provider.userinfo(&tokens["access_token"]).await.json()["preferred_username"], "alice");
    assert_eq!(server.seen(), 1, "fetched once");
    // Another node has read the same from the database.
    let node = provider.portal.another().await;
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let program = node.program("198.51.100.9");
    let there = program.send_each(Method::GET, paths::OAUTH_USERINFO, None, &[("authorization", &bearer)]).await;
    assert_eq!(there.status, StatusCode::OK);
    assert_eq!(server.seen(), 1);
    let consents = provider.browser.get(paths::CONSENTS).await.json();
    assert_eq!(consents["consents"][0]["name"], "Agent");
    let account = page(&provider.browser, paths::ACCOUNT_PAGE).await;
    assert!(account.text.contains(&format!("Described at {}", server.id)), "its name is not alone: {}", account.text);
    let path = format!("{}/{}", paths::CONSENTS, server.id.replace(':', "%3A").replace('/', "%2F"));
    let withdrawn = provider.browser.send(Method::DELETE, &path, None, &[]).await;
    assert_eq!(withdrawn.status, StatusCode::NO_CONTENT, "{}", withdrawn.text);
    assert_eq!(provider.userinfo(&tokens["access_token"]).await.status, StatusCode::UNAUTHORIZED);
    let refused = provider.portal.another_with("[oauth]\nclient_documents = false\n").await;
    let refused = refused.browser("203.0.113.7").signed_in("alice").await;
    let refused = provider.open(&refused, &query).await;
    assert!(refused.text.contains("no client has this client_id"), "{}", refused.text);
}

#[tokio::test]
async fn attack_a_document_leads_into_the_network() {
    let server = DocumentServer::start(agent).await;
    let port = server.id.rsplit(':').next().unwrap().to_owned();
    // The networks of administrators' clients are open to no document.
    let provider = Provider::with("[oauth]\ninternal_networks = ['127.0.0.0/8', '::1/128']\n").await;
    for host in ["localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0x7f000001", "2130706433", "169.254.169.254"]
    {
        let id = format!("https://{host}:{port}");
        let query = Provider::query(&[("client_id", &id), ("redirect_uri", "http://127.0.0.1/callback")]);
        let refused = provider.open(&provider.browser, &query).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{id}");
        assert!(refused.text.contains("must be at a public address"), "{id}: {}", refused.text);
        let again = provider.open(&provider.browser, &query).await;
        assert!(again.text.contains("a moment ago"), "a failure is remembered: {}", again.text);
    }
    assert_eq!(server.seen(), 0, "nothing was reached");
    // No other endpoint fetches.
    let own = [("client_id", server.id.as_str()), ("client_secret", "")];
    assert_eq!(provider.exchange("code", &own).await.json()["error"], "invalid_client");
    assert_eq!(provider.client(paths::OAUTH_PAR, &own[..1], &[]).await.json()["error"], "invalid_client");
    assert_eq!(server.seen(), 0);
}

#[tokio::test]
async fn attack_a_text_on_the_host_of_somebody_else_is_a_document() {
    let server = DocumentServer::start(agent).await;
    let provider = server.provider().await;
    let query = Provider::query(&[("client_id", &server.id), ("redirect_uri", "http://127.0.0.1/callback")]);
    for kind in ["text/plain", "text/html; charset=utf-8", "application/octet-stream", "application/jsonp", ""] {
        server.answers_as(kind);
        provider.portal.advance(31_000).await;
        let shown = provider.open(&provider.browser, &query).await;
        assert!(shown.text.contains("content type"), "{kind}: {}", shown.text);
    }
    for kind in ["application/json; charset=utf-8", "application/oauth-client+json"] {
        server.answers_as(kind);
        provider.portal.advance(2 * HOUR).await;
        provider.browser.refresh().await;
        assert!(provider.open(&provider.browser, &query).await.text.contains("calls itself Agent"), "{kind}");
    }
}

#[tokio::test]
async fn a_document_serves_while_its_host_is_down() {
    let server = DocumentServer::start(agent).await;
    let provider = server.provider().await;
    let tokens = server.tokens(&provider).await;
    provider.portal.advance(HOUR + 60_000).await;
    provider.browser.refresh().await;
    server.answers(500, "");
    let query = Provider::query(&server.request(&[]));
    let opened = provider.open(&provider.browser, &query).await;
    assert_eq!((opened.status, server.seen()), (StatusCode::OK, 2), "the stored one serves: {}", opened.text);
    provider.open(&provider.browser, &query).await;
    assert_eq!(server.seen(), 2, "a failure is remembered");
    let refreshed = server.refresh(&provider, &tokens).await;
    assert_eq!(refreshed.status, StatusCode::OK, "{}", refreshed.text);
    provider.portal.advance(31_000).await;
    server.answers(200, &agent(&server.id));
    provider.open(&provider.browser, &query).await;
    provider.open(&provider.browser, &query).await;
    assert_eq!(server.seen(), 3, "fetched again, once");
}

#[tokio::test]
async fn attack_a_person_evicts_the_documents_of_others() {
    let server = DocumentServer::start(agent).await;
    let provider = server.provider().await;
    let tokens = server.tokens(&provider).await;
    let now = provider.portal.clock_now();
    for n in 0..1001 {
        let id = format!("https://a{n}.example/client.json");
        let (registration, fetched_at, expires_at) = (agent(&id), now + 1, now + 24 * HOUR);
        let document = StoredDocument { id, registration, fetched_at, expires_at, disabled_at: None };
        let put = PutDocument { document, same_app: None, most: 1000 };
        assert!(provider.portal.store().put_document(&put).await.unwrap().is_some());
    }
    provider.portal.advance(61_000).await;
    let refreshed = server.refresh(&provider, &tokens).await;
    assert_eq!(refreshed.status, StatusCode::OK, "{}", refreshed.text);
}

#[tokio::test]
async fn attack_a_person_makes_this_server_fetch_without_bound() {
    let server = DocumentServer::start(agent).await;
    let provider = server.provider().await;
    let open = async |n: usize| {
        let id = server.id.replace("client.json", &format!("{n}.json"));
        let query = Provider::query(&[("client_id", &id), ("redirect_uri", URI)]);
        provider.open(&provider.browser, &query).await.text
    };
    for n in 0..20 {
        assert!(open(n).await.contains("is not the URL of the document"), "{n}");
    }
    assert!(open(20).await.contains("many new apps"));
    assert_eq!(server.seen(), 20);
}

/// A document with a key, and assertions by that key.
fn keyed(id: &str, key: &ClientKey) -> String {
    let jwk = serde_json::to_value(key.public()).unwrap();
    json!({"client_id": id, "client_name": "Keyed", "redirect_uris": [URI], "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [jwk]}})
    .to_string()
}

async fn revokes(provider: &Provider, id: &str, key: &ClientKey) -> StatusCode {
    let (exp, jti) = (provider.portal.clock_now().to_seconds() + 60, provider.portal.state.ulid());
    let claims = json!({"iss": id, "sub": id, "aud": ORIGIN, "exp": exp, "jti": jti});
    let jwt = key.sign(&json!({"alg": "ES256", "typ": "JWT"}), &claims);
    let kind = oidc::client_auth::JWT_BEARER;
    let pairs = [("token", "x"), ("client_assertion", jwt.as_str()), ("client_assertion_type", kind)];
    provider.client(paths::OAUTH_REVOKE, &pairs, &[]).await.status
}

#[tokio::test]
async fn attack_a_withdrawn_key_still_proves_a_client() {
    let (old, new, newest) = (ClientKey::generate(), ClientKey::generate(), ClientKey::generate());
    let server = DocumentServer::start(|id| keyed(id, &old)).await;
    let provider = server.provider().await;
    let query = Provider::query(&server.request(&[]));
    provider.open(&provider.browser, &query).await;
    assert_eq!(revokes(&provider, &server.id, &old).await, StatusCode::OK);
    // Another node fetches the next document, while this one has the old one in memory.
    provider.portal.advance(HOUR).await;
    server.answers(200, &keyed(&server.id, &new));
    let node = provider.portal.another().await;
    let there = node.browser("203.0.113.7").signed_in("alice").await;
    assert_eq!(provider.open(&there, &query).await.status, StatusCode::OK);
    assert_eq!(server.seen(), 2);
    assert_eq!(revokes(&provider, &server.id, &old).await, StatusCode::UNAUTHORIZED);
    assert_eq!(revokes(&provider, &server.id, &new).await, StatusCode::OK);
    // Nobody opens the link any more: the assertion itself makes this node fetch the document.
    provider.portal.advance(HOUR).await;
    server.answers(200, &keyed(&server.id, &newest));
    assert_eq!(revokes(&provider, &server.id, &new).await, StatusCode::UNAUTHORIZED);
    assert_eq!((revokes(&provider, &server.id, &newest).await, server.seen()), (StatusCode::OK, 3));
}

#[tokio::test]
async fn prompt_none_shows_no_page_for_an_old_document() {
    let server = DocumentServer::start(agent).await;
    let provider = server.provider().await;
    server.tokens(&provider).await;
    provider.portal.advance(HOUR + 60_000).await;
    let stranger = provider.portal.browser("203.0.113.99");
    let answer = provider.open(&stranger, &Provider::query(&server.request(&[("prompt", "none")]))).await;
    assert!(answer.header("location").starts_with(URI), "{}", answer.text);
    assert_eq!(parameters(answer.header("location"))["error"], "login_required");
    assert_eq!(server.seen(), 1, "a stranger makes this server fetch nothing");
}

#[tokio::test]
async fn attack_a_document_that_people_agreed_to_becomes_another_app() {
    // People are asked each time about an app on their own device.
    let on_a_host = |id: &str| agent(id).replace("http://127.0.0.1/", "https://agent.example/");
    let server = DocumentServer::start(on_a_host).await;
    let provider = server.provider().await;
    let own = [("client_id", server.id.as_str()), ("redirect_uri", "https://agent.example/callback")];
    let query = Provider::query(&own);
    let agree = async || {
        let agreed = provider.enter(&provider.browser, &query, Some(true)).await.json();
        assert!(parameters(agreed["location"].as_str().unwrap()).contains_key("code"), "{agreed}");
    };
    agree().await;
    let is_asked = async || provider.open(&provider.browser, &query).await.text.contains("wants to sign you in");
    assert!(!is_asked().await, "the person has agreed");
    let mut document: Value = serde_json::from_str(&on_a_host(&server.id)).unwrap();
    document["policy_uri"] = "https://agent.example/policy".into();
    for (member, value, asks) in [
        ("policy_uri", json!("https://agent.example/"), false),
        ("redirect_uris", json!(["https://agent.example/callback", "https://agent.example/other"]), false),
        ("redirect_uris", json!(["https://agent.example/callback", "https://evil.example/"]), true),
        ("client_name", json!("The bank"), true),
    ] {
        document[member] = value;
        server.answers(200, &document.to_string());
        provider.portal.advance(HOUR).await;
        provider.browser.refresh().await;
        assert_eq!(is_asked().await, asks, "{member}: {}", document[member]);
        agree().await;
    }
}

#[tokio::test]
async fn a_document_may_name_the_resources_of_the_site() {
    let server = DocumentServer::start(agent).await;
    let provider = Provider::with(&server.settings("resources = ['https://mcp.example/a']")).await;
    let named = server.request(&[("resource", "https://mcp.example/a")]);
    let location = provider.enter(&provider.browser, &Provider::query(&named), Some(true)).await.json();
    let code = parameters(location["location"].as_str().unwrap())["code"].clone();
    let tokens = provider.exchange(&code, &server.request(&[("client_secret", "")])).await.json();
    assert_eq!(claims(tokens["access_token"].as_str().unwrap())["aud"], "https://mcp.example/a", "{tokens}");
    let foreign = server.request(&[("resource", "https://api.example")]);
    let refused = provider.enter(&provider.browser, &Provider::query(&foreign), Some(true)).await.json();
    assert_eq!(parameters(refused["location"].as_str().unwrap())["error"], "invalid_target");
    // A client that the operator has added names its own.
    let own = provider.returned(&[("resource", "https://mcp.example/a")]).await;
    assert_eq!(own["error"], "invalid_target");
}

#[tokio::test]
async fn attack_a_document_makes_this_site_an_open_redirect() {
    let leaving = |id: &str| {
        let mut document: Value = serde_json::from_str(&agent(id)).unwrap();
        document["post_logout_redirect_uris"] = json!(["https://evil.example/bye"]);
        document["redirect_uris"] = json!([URI, "https://evil.example/"]);
        document.to_string()
    };
    let server = DocumentServer::start(leaving).await;
    let provider = server.provider().await;
    provider.open(&provider.browser, &Provider::query(&server.request(&[]))).await;
    let stranger = provider.portal.browser("203.0.113.99");
    for browser in [&provider.browser, &stranger] {
        let wrong =
            [("client_id", server.id.as_str()), ("redirect_uri", "https://evil.example/"), ("response_type", "x")];
        let shown = provider.open(browser, &Provider::query(&wrong)).await;
        assert_eq!((shown.status, shown.header("location")), (StatusCode::OK, ""), "{}", shown.text);
        for part in ["Go back to", "evil.example", "https://evil.example/?error=unsupported_response_type"] {
            assert!(shown.text.contains(part), "{part}: {}", shown.text);
        }
    }
    let bye = [("client_id", server.id.as_str()), ("post_logout_redirect_uri", "https://evil.example/bye")];
    let shown = page(&stranger, &oidc::params::with_query(paths::OAUTH_LOGOUT, &bye)).await;
    assert_eq!((shown.status, shown.header("location")), (StatusCode::OK, ""), "{}", shown.text);
    assert!(shown.text.contains("You are signed out") && shown.text.contains("href=\"https://evil.example/bye\""));
}

#[tokio::test]
async fn administrators_see_and_disable_documents() {
    let server = DocumentServer::start(agent).await;
    let provider = server.provider().await;
    let tokens = server.tokens(&provider).await;
    provider.portal.add_administrator("root").await;
    let root = provider.portal.browser("198.51.100.1").signed_in("root").await;
    let listed = root.get(paths::CLIENTS).await.json();
    let clients = listed["clients"].as_array().unwrap();
    let listed = clients.iter().find(|client| client["id"] == server.id.as_str()).expect("listed").clone();
    assert_eq!(
        (&listed["source"], &listed["name"], &listed["disabled"]),
        (&json!("document"), &json!("Agent"), &json!(false))
    );
    let shown = page(&root, &oidc::params::with_query(paths::CLIENT_PAGE, &[("id", &server.id)])).await;
    assert!(shown.text.contains("is a document") && !shown.text.contains("Save settings"), "{}", shown.text);
    let opened = provider.portal.store().audit_of(&provider.user.as_str().into(), 100).await.unwrap();
    let opened = opened.iter().find(|entry| entry.event == store::audit::AuditEvent::AppOpened).unwrap();
    assert_eq!(opened.about, format!("{} (Agent)", server.id), "its name alone would say what it likes");

    let node = provider.portal.another().await;
    let there = node.browser("203.0.113.7").signed_in("alice").await;
    let query = Provider::query(&server.request(&[]));
    assert_eq!(provider.open(&there, &query).await.status, StatusCode::OK);
    let path = format!("{}/{}", paths::CLIENTS, server.id.replace(':', "%3A").replace('/', "%2F"));
    let patch = async |changes: Value| root.send(Method::PATCH, &path, Some(changes.to_string()), &[]).await;
    assert_eq!(patch(json!({"name": "Other"})).await.code(), "bad_request");
    assert_eq!(patch(json!({"disabled": true})).await.status, StatusCode::NO_CONTENT);
    server::jobs::sync(&node.state).await.unwrap();
    for browser in [&provider.browser, &there] {
        let refused = provider.open(browser, &query).await;
        assert!(refused.text.contains("an administrator has disabled this client"), "{}", refused.text);
    }
    assert_eq!(server.refresh(&provider, &tokens).await.json()["error"], "invalid_client");
}

#[tokio::test]
async fn a_form_is_posted_to_a_client_whose_id_has_reserved_characters() {
    let server = DocumentServer::start(|id| agent(&odd(id))).await;
    let provider = server.provider().await;
    let id = odd(&server.id);
    let query = Provider::query(&[("client_id", &id), ("redirect_uri", URI), ("response_mode", "form_post")]);
    let location = provider.enter(&provider.browser, &query, Some(true)).await.json();
    let path = location["location"].as_str().unwrap().split('#').next().unwrap();
    let shown = page(&provider.browser, path).await;
    assert!(shown.text.contains("method=\"post\""), "{path}: {}", shown.text);
    assert!(shown.text.contains(" data-ask hidden>"), "nobody has checked this client: {}", shown.text);
}

fn odd(id: &str) -> String {
    id.replace("client.json", "a&b+c%20d.json")
}

fn path_of(id: &str) -> String {
    format!("{}/{}", paths::CLIENTS, id.replace(':', "%3A").replace('/', "%2F"))
}

#[tokio::test]
async fn attack_a_disabled_document_comes_back_when_it_has_expired() {
    let server = DocumentServer::start(agent).await;
    let provider = server.provider().await;
    server.tokens(&provider).await;
    let portal = &provider.portal;
    let audit = portal.entry(store::audit::AuditEvent::ClientChanged, "root");
    assert!(portal.store().disable_document(&server.id, Some(portal.clock_now()), &audit).await.unwrap());
    portal.advance(40 * 24 * HOUR).await;
    server::jobs::sweep(&portal.state).await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let refused = provider.open(&alice, &Provider::query(&server.request(&[]))).await;
    assert!(refused.text.contains("an administrator has disabled this client"), "{}", refused.text);
    assert_eq!(server.seen(), 1, "and nothing was fetched");
}

#[tokio::test]
async fn administrators_remove_documents_with_what_they_got() {
    let server = DocumentServer::start(agent).await;
    let provider = server.provider().await;
    let tokens = server.tokens(&provider).await;
    provider.portal.add_administrator("root").await;
    let root = provider.portal.browser("198.51.100.1").signed_in("root").await;
    let shown = page(&root, &oidc::params::with_query(paths::CLIENT_PAGE, &[("id", &server.id)])).await;
    assert!(shown.text.contains("Remove client") && shown.text.contains("disable it to keep it out"), "{}", shown.text);
    let remove = async |browser: &Visitor| browser.send(Method::DELETE, &path_of(&server.id), None, &[]).await;
    assert_eq!(remove(&provider.browser).await.code(), "forbidden");
    assert_eq!(remove(&root).await.status, StatusCode::NO_CONTENT);
    assert_eq!(remove(&root).await.code(), "not_found");
    assert!(!root.get(paths::CLIENTS).await.text.contains(&server.id));
    assert_eq!(provider.userinfo(&tokens["access_token"]).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(server.refresh(&provider, &tokens).await.json()["error"], "invalid_client");
    assert!(root.get(paths::AUDIT).await.text.contains("client_removed"));
    // Its link fetches it again, and asks the person again.
    let asked = provider.open(&provider.browser, &Provider::query(&server.request(&[]))).await;
    assert!(asked.text.contains("Continue to localhost?"), "{}", asked.text);
    assert_eq!(server.seen(), 2);
}
