//! Clients that prove themselves with a key of their own.

use crate::oidc::Provider;
use crate::support::document_server::{DocumentServer, URI};
use crate::support::{Answer, ClientKey, ORIGIN, output_text, postern};
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
    let now = provider.portal.clock_now().to_seconds();
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
        (&key, json!({"jti": "7", "nbf": now + 31})),
        (&key, json!({"jti": "8", "aud": [ORIGIN, "https://other.example"]})),
        (&key, json!({"jti": "9", "aud": []})),
        (&key, json!({"jti": "10", "exp": now - 31})),
        (&key, json!({"jti": "12", "aud": format!("{ORIGIN}/")})),
    ] {
        let refused = exchange(assertion(key, &changes)).await;
        assert_eq!(refused.json()["error"], "invalid_client", "{changes}: {}", refused.text);
    }
    let of_another = exchange(assertion(&key, &json!({"jti": "11", "sub": "app"}))).await;
    assert_eq!(of_another.json()["error"], "invalid_request", "{}", of_another.text);
    for (jti, changes) in [
        ("13", json!({"nbf": now + 30})),
        ("14", json!({"aud": [ORIGIN]})),
        ("15", json!({"aud": format!("{ORIGIN}{}", paths::OAUTH_TOKEN)})),
    ] {
        let mut changes = changes;
        changes["jti"] = jti.into();
        assert_eq!(exchange(assertion(&key, &changes)).await.status, StatusCode::OK, "{changes}");
    }
    // Other JWTs of the client are no assertions.
    let typed = async |jti: &str, header: Value| {
        let claims = json!({"iss": "keyed", "sub": "keyed", "aud": ORIGIN, "exp": now + 60, "jti": jti});
        exchange(key.sign(&header, &claims)).await.status
    };
    assert_eq!(typed("16", json!({"alg": "ES256"})).await, StatusCode::OK);
    let own = json!({"alg": "ES256", "typ": "client-authentication+jwt"});
    assert_eq!(typed("17", own).await, StatusCode::OK);
    for (jti, header) in [
        ("18", json!({"alg": "ES256", "typ": "dpop+jwt"})),
        ("19", json!({"alg": "ES256", "typ": "at+jwt"})),
        ("20", json!({"alg": "ES256", "crit": ["exp"]})),
    ] {
        assert_eq!(typed(jti, header.clone()).await, StatusCode::UNAUTHORIZED, "{header}");
    }
    // Twenty at once, of which only the first is accepted.
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

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// A set of public keys.
fn keys(keys: &[&ClientKey]) -> String {
    let keys: Vec<_> = keys.iter().map(|key| serde_json::to_value(key.public()).unwrap()).collect();
    json!({ "keys": keys }).to_string()
}

/// A client of the settings file whose keys are at this server.
async fn published(server: &DocumentServer) -> Provider {
    let client = format!(
        "[[clients]]\nid = 'published'\nredirect_uris = ['https://published.example/']\njwks_uri = '{}'\n",
        server.id
    );
    Provider::with(&format!("{}{client}", server.settings(""))).await
}

/// Revokes nothing, as the client that has this key.
async fn authenticate(provider: &Provider, id: &str, key: &ClientKey) -> Answer {
    let (exp, jti) = (provider.portal.clock_now().to_seconds() + 60, provider.portal.state.ulid());
    let claims = json!({"iss": id, "sub": id, "aud": ORIGIN, "exp": exp, "jti": jti});
    let jwt = key.sign(&json!({"alg": "ES256", "typ": "JWT", "kid": jti}), &claims);
    let kind = oidc::client_auth::JWT_BEARER;
    let pairs = [("token", "x"), ("client_assertion", jwt.as_str()), ("client_assertion_type", kind)];
    provider.client(paths::OAUTH_REVOKE, &pairs, &[]).await
}

#[tokio::test]
async fn keys_at_a_url_are_fetched_again_for_a_new_one_and_after_an_hour() {
    let (old, new) = (ClientKey::generate(), ClientKey::generate());
    let server = DocumentServer::start(|_| keys(&[&old])).await;
    let provider = published(&server).await;
    let proves = async |key: &ClientKey| authenticate(&provider, "published", key).await.status == StatusCode::OK;
    assert!(proves(&old).await && proves(&old).await);
    assert_eq!(server.seen(), 1, "fetched once");
    server.answers(200, &keys(&[&old, &new]));
    assert!(!proves(&new).await, "fetched less than a minute ago");
    provider.portal.advance(MINUTE).await;
    assert!(proves(&new).await && proves(&old).await);
    assert_eq!(server.seen(), 2);
    // A withdrawn key serves for an hour.
    server.answers(200, &keys(&[&new]));
    provider.portal.advance(HOUR - 1).await;
    assert!(proves(&old).await);
    provider.portal.advance(1).await;
    assert!(!proves(&old).await && proves(&new).await);
    assert_eq!(server.seen(), 3);
}

#[tokio::test]
async fn attack_strangers_make_this_server_fetch_keys_without_bound() {
    let (own, stranger) = (ClientKey::generate(), ClientKey::generate());
    let server = DocumentServer::start(|_| keys(&[&own])).await;
    let provider = published(&server).await;
    let tries = (0..20).map(|_| authenticate(&provider, "published", &stranger));
    for refused in futures::future::join_all(tries).await {
        assert_eq!((refused.status, &refused.json()["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_client")));
    }
    assert_eq!(server.seen(), 1, "all wait for one fetch");
    assert_eq!(authenticate(&provider, "published", &own).await.status, StatusCode::OK);
    provider.portal.advance(MINUTE).await;
    for _ in 0..5 {
        authenticate(&provider, "published", &stranger).await;
    }
    assert_eq!(server.seen(), 2, "once a minute");
}

#[tokio::test]
async fn the_last_good_keys_serve_while_they_cannot_be_fetched() {
    let (own, new) = (ClientKey::generate(), ClientKey::generate());
    let server = DocumentServer::start(|_| keys(&[&own])).await;
    let provider = published(&server).await;
    let proves = async |key: &ClientKey| authenticate(&provider, "published", key).await.status == StatusCode::OK;
    assert!(proves(&own).await);
    let mut private = serde_json::to_value(new.public()).unwrap();
    private["d"] = "AA".into();
    let long = json!({"keys": [new.public()], "padding": "x".repeat(oidc::jwks::LONGEST)}).to_string();
    let bad = [
        (500, keys(&[&new])),
        (302, keys(&[&new])),
        (200, "<html>".to_owned()),
        (200, json!({"keys": []}).to_string()),
        (200, json!({"keys": [private]}).to_string()),
        (200, long),
    ];
    for (number, (status, body)) in bad.iter().enumerate() {
        server.answers(*status, body);
        provider.portal.advance(HOUR).await;
        assert!(proves(&own).await && !proves(&new).await, "{status} {body:.50}");
        assert_eq!(server.seen(), 2 + number, "tried once in a minute");
    }
    provider.portal.advance(18 * HOUR).await;
    assert!(!proves(&own).await, "a day after the last good fetch");
    server.answers(200, &keys(&[&own]));
    assert!(!proves(&own).await, "tried a moment ago");
    provider.portal.advance(MINUTE).await;
    assert!(proves(&own).await);
}

#[tokio::test]
async fn attack_a_set_of_keys_leads_into_the_network() {
    let key = ClientKey::generate();
    let server = DocumentServer::start(|_| keys(&[&key])).await;
    let wish = json!({"id": "wiki", "redirect_uris": [URI], "jwks_uri": server.id});
    // Only the networks that the operator lists are open to clients of administrators.
    for (networks, status, seen) in
        [("[]", StatusCode::UNAUTHORIZED, 0), ("['127.0.0.0/8', '::1/128']", StatusCode::OK, 1)]
    {
        let settings = server.settings(&format!("internal_networks = {networks}\nregistration = true"));
        let settings = settings.replace(crate::support::PUBLIC_HERE, "");
        let provider = Provider::with(&settings).await;
        provider.portal.add_administrator("root").await;
        let root = provider.portal.browser("198.51.100.1").signed_in("root").await;
        let added = root.post(paths::CLIENTS, &wish).await;
        assert_eq!(
            (added.status, &added.json()["client_secret"]),
            (StatusCode::CREATED, &Value::Null),
            "{}",
            added.text
        );
        let refused = authenticate(&provider, "wiki", &key).await;
        assert_eq!((refused.status, server.seen()), (status, seen), "{networks}: {}", refused.text);
        // And no network is open to those that registered themselves.
        let state = &provider.portal.state;
        let (store, config) = (&*state.store, &state.config);
        let actor = server::flows::actor::Actor::command_line(store, config, &*state.entropy, state.now());
        let token = server::flows::oauth_initial_tokens::make(&actor, "", 1, 1).await.unwrap();
        let bearer = format!("Bearer {token}");
        let metadata = json!({"redirect_uris": [URI], "token_endpoint_auth_method": "private_key_jwt",
            "jwks_uri": server.id});
        let program = provider.portal.program("198.51.100.9");
        let headers = [("authorization", bearer.as_str())];
        let made =
            program.send_each(http::Method::POST, paths::OAUTH_REGISTER, Some(metadata.to_string()), &headers).await;
        assert_eq!((made.status, &made.json()["jwks_uri"]), (StatusCode::CREATED, &json!(server.id)), "{}", made.text);
        let own = made.json()["client_id"].as_str().unwrap().to_owned();
        assert_eq!(authenticate(&provider, &own, &key).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(server.seen(), seen, "nothing was reached");
    }
}

#[tokio::test]
async fn a_document_may_name_the_url_of_its_keys() {
    let key = ClientKey::generate();
    let jwk = serde_json::to_value(key.public()).unwrap();
    // One answer is both: the document, and the keys.
    let document = |id: &str| {
        json!({"client_id": id, "redirect_uris": [URI], "token_endpoint_auth_method": "private_key_jwt",
            "jwks_uri": id.replace("client.json", "keys.json"), "keys": [jwk]})
        .to_string()
    };
    let server = DocumentServer::start(document).await;
    let provider = server.provider().await;
    provider.open(&provider.browser, &Provider::query(&server.request(&[]))).await;
    assert_eq!(authenticate(&provider, &server.id, &key).await.status, StatusCode::OK);
    assert_eq!(authenticate(&provider, &server.id, &ClientKey::generate()).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(server.seen(), 2, "each once");
}

#[test]
fn keys_at_a_url_are_set_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| output_text(&postern(folder.path(), &[&["client"], arguments].concat(), ""));
    let uri = ["--redirect-uri", "https://app.example/", "--jwks-uri", "https://app.example/keys.json", "app"];
    let added = run(&[&["add"], &uri[..]].concat());
    assert!(added.contains("none: it proves itself with its own keys"), "{added}");
    assert!(run(&["list"]).contains("app\tapp\tconfidential"));
    assert!(run(&["set", "app", "jwks={\"keys\":[]}"]).contains("jwks"));
    assert!(
        run(&["set", "app", "jwks_uri=http://app.example/keys.json"]).contains("plain http is allowed for localhost")
    );
    assert!(run(&["set", "app", "jwks_uri=https://app.example/new.json"]).contains("app is changed"));
    let shown: Value = serde_json::from_str(&run(&["show", "app"])).unwrap();
    assert_eq!(shown["jwks_uri"], "https://app.example/new.json");
    assert!(run(&["rotate", "app"]).contains("one with keys needs none"));
}
