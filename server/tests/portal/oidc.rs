//! The OpenID provider over HTTP: from a link of an app to tokens, and to their end.

use crate::support::{Answer, ORIGIN, PASSWORD, Portal, Visitor};
use domain::encoding::{base64url, from_base64url, sha256};
use http::{Method, StatusCode};
use oidc::params::with_query;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use store::audit::AuditEvent;
use wire::paths;

pub(crate) const URI: &str = "https://app.example/callback";
pub(crate) const SECRET: &str = "a-secret-of-the-app-for-tests";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A confidential client, a public one, and one that asks people.
pub(crate) fn clients() -> String {
    let hash = oidc::client::secret_hash(SECRET);
    format!(
        "[[clients]]\nid = 'app'\nname = 'The app'\nsecret_hash = '{hash}'\nredirect_uris = ['{URI}']\n\
         post_logout_redirect_uris = ['https://app.example/bye']\nresources = ['https://api.example']\n\
         [[clients]]\nid = 'spa'\nredirect_uris = ['https://spa.example/']\naccess_token = 'opaque'\nurl = 'https://spa.example/'\n\
         [[clients]]\nid = 'other'\nsecret_hash = '{hash}'\nredirect_uris = ['https://other.example/']\nconsent = true\n\
         [[clients]]\nid = 'old'\nsecret_hash = '{hash}'\nredirect_uris = ['https://old.example/']\npkce = 'optional'\n\
         id_token_alg = 'ES256'\nid_token_claims = false\n\
         [[clients]]\nid = 'api'\nsecret_hash = '{hash}'\nintrospects = ['https://api.example']\n\
         [[clients]]\nid = 'tv'\nname = 'Television'\ndevice = true\n"
    )
}

pub(crate) struct Provider {
    pub portal: Portal,
    pub user: String,
    pub browser: Visitor,
}

/// The form of a request, and its answer from the token endpoint.
pub(crate) type Form<'a> = Vec<(&'a str, &'a str)>;

pub(crate) fn form(pairs: &[(&str, &str)]) -> String {
    with_query("", pairs).trim_start_matches('?').to_owned()
}

pub(crate) fn parameters(location: &str) -> BTreeMap<String, String> {
    let query = location.split_once(['?', '#']).map_or("", |(_, query)| query);
    let pairs = query.rsplit('#').next().unwrap().split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.replace("%3A", ":").replace("%2F", "/"))).collect()
}

/// Returns the claims of a token, without verification.
pub(crate) fn claims(token: &str) -> Value {
    serde_json::from_slice(&from_base64url(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

pub(crate) fn header(token: &str) -> Value {
    serde_json::from_slice(&from_base64url(token.split('.').next().unwrap()).unwrap()).unwrap()
}

impl Provider {
    pub(crate) async fn start() -> Self {
        Self::with("").await
    }

    pub(crate) async fn with(more: &str) -> Self {
        let portal = Portal::with(&format!("{more}\n{}", clients())).await;
        let user = portal.add_user("alice").await;
        let browser = portal.browser("203.0.113.7").signed_in("alice").await;
        Self { portal, user, browser }
    }

    /// Returns the query of a plain request, with changes. An empty value leaves a parameter out.
    pub(crate) fn query(changes: &[(&str, &str)]) -> String {
        let challenge = base64url(&sha256(VERIFIER.as_bytes()));
        let mut pairs: Vec<(&str, &str)> = vec![
            ("client_id", "app"),
            ("redirect_uri", URI),
            ("response_type", "code"),
            ("scope", "openid profile email groups offline_access"),
            ("state", "xyz"),
            ("nonce", "n-1"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        for (name, value) in changes {
            pairs.retain(|(own, _)| own != name);
            if !value.is_empty() {
                pairs.push((name, value));
            }
        }
        form(&pairs)
    }

    /// Opens a link of an app, and returns the page's answer.
    pub(crate) async fn open(&self, browser: &Visitor, query: &str) -> Answer {
        let headers = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("accept", "text/html")];
        browser.send(Method::GET, &format!("{}?{query}", paths::OAUTH_AUTHORIZE), None, &headers).await
    }

    /// Sends the request of the page's script.
    pub(crate) async fn enter(&self, browser: &Visitor, query: &str, agreed: Option<bool>) -> Answer {
        let mut body = json!({ "request": query });
        if let Some(agreed) = agreed {
            body["agreed"] = agreed.into();
        }
        browser.post(paths::OAUTH_ENTER, &body).await
    }

    /// Returns the answer's parameters, as the app receives them.
    pub(crate) async fn returned(&self, changes: &[(&str, &str)]) -> BTreeMap<String, String> {
        let answer = self.enter(&self.browser, &Self::query(changes), None).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        parameters(answer.json()["location"].as_str().unwrap())
    }

    pub(crate) async fn code(&self, changes: &[(&str, &str)]) -> String {
        let returned = self.returned(changes).await;
        returned.get("code").unwrap_or_else(|| panic!("{returned:?}")).clone()
    }

    /// Sends a request of a client's server.
    pub(crate) async fn client(&self, path: &str, pairs: &[(&str, &str)], extra: &[(&str, &str)]) -> Answer {
        let program = self.portal.program("198.51.100.9");
        let kind = ("content-type", "application/x-www-form-urlencoded");
        let extra: Vec<_> = [kind].into_iter().chain(extra.iter().copied()).collect();
        program.send_each(Method::POST, path, Some(form(pairs)), &extra).await
    }

    pub(crate) async fn exchange(&self, code: &str, changes: &[(&str, &str)]) -> Answer {
        let mut pairs: Form<'_> = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", URI),
            ("code_verifier", VERIFIER),
            ("client_id", "app"),
            ("client_secret", SECRET),
        ];
        for (name, value) in changes {
            pairs.retain(|(own, _)| own != name);
            if !value.is_empty() {
                pairs.push((name, value));
            }
        }
        self.client(paths::OAUTH_TOKEN, &pairs, &[]).await
    }

    pub(crate) async fn tokens(&self) -> Value {
        let answer = self.exchange(&self.code(&[]).await, &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.json()
    }

    pub(crate) async fn refresh(&self, token: &str, more: &[(&str, &str)]) -> Answer {
        let mut pairs: Form<'_> = vec![("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", "app")];
        pairs.push(("client_secret", SECRET));
        pairs.extend(more);
        self.client(paths::OAUTH_TOKEN, &pairs, &[]).await
    }

    pub(crate) async fn userinfo(&self, token: &Value) -> Answer {
        let bearer = format!("Bearer {}", token.as_str().unwrap());
        let program = self.portal.program("198.51.100.9");
        program.send_each(Method::GET, paths::OAUTH_USERINFO, None, &[("authorization", &bearer)]).await
    }

    async fn introspect(&self, token: &Value, client: &str) -> Value {
        let token = token.as_str().unwrap();
        let pairs = [("token", token), ("client_id", client), ("client_secret", SECRET)];
        self.client(paths::OAUTH_INTROSPECT, &pairs, &[]).await.json()
    }

    /// Whether an access token is valid everywhere, or nowhere.
    async fn is_live(&self, token: &Value) -> bool {
        let (userinfo, introspected) = (self.userinfo(token).await, self.introspect(token, "app").await);
        let live = userinfo.status == StatusCode::OK;
        assert_eq!(introspected["active"], live);
        if !live {
            assert_eq!(userinfo.status, StatusCode::UNAUTHORIZED);
            assert!(userinfo.header("www-authenticate").contains("invalid_token"));
        }
        live
    }
}

#[tokio::test]
async fn discovery_names_every_endpoint_under_a_bare_origin() {
    let provider = Provider::start().await;
    let program = provider.portal.program("198.51.100.9");
    let document = program.get(paths::OPENID_CONFIGURATION).await;
    assert_eq!(document.header("access-control-allow-origin"), "*");
    let document = document.json();
    assert_eq!(document, program.get(paths::OAUTH_SERVER).await.json());
    assert_eq!(document["issuer"], ORIGIN);
    for (name, path) in [
        ("authorization_endpoint", paths::OAUTH_AUTHORIZE),
        ("token_endpoint", paths::OAUTH_TOKEN),
        ("userinfo_endpoint", paths::OAUTH_USERINFO),
        ("jwks_uri", paths::JWKS),
        ("end_session_endpoint", paths::OAUTH_LOGOUT),
    ] {
        assert_eq!(document[name], format!("{ORIGIN}{path}"), "{name}");
    }
    assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(document["id_token_signing_alg_values_supported"], json!(["RS256", "ES256"]));
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    let keys = program.get(paths::JWKS).await.json();
    let algs: Vec<_> = keys["keys"].as_array().unwrap().iter().map(|key| key["alg"].clone()).collect();
    assert_eq!(algs, ["ES256", "RS256"]);
    for key in keys["keys"].as_array().unwrap() {
        assert!(["d", "p", "q", "dp", "dq", "qi"].iter().all(|private| key[private].is_null()), "{key}");
        assert_eq!(key["use"], "sig");
    }
}

#[tokio::test]
async fn a_person_goes_through_sign_in_and_back_to_the_very_request() {
    let provider = Provider::start().await;
    let stranger = provider.portal.browser("203.0.113.8");
    let query = Provider::query(&[]);
    let to = provider.open(&stranger, &query).await;
    assert_eq!(to.status, StatusCode::SEE_OTHER, "{}", to.text);
    let location = to.header("location");
    assert!(location.starts_with("/login?next=/oauth/authorize%3F"), "{location}");
    let page = stranger.send(Method::GET, location, None, &[("sec-fetch-mode", "navigate")]).await;
    assert_eq!(page.status, StatusCode::OK);
    let next = format!("data-next=\"{}?{}\"", paths::OAUTH_AUTHORIZE, query.replace('&', "&amp;"));
    assert!(page.text.contains(&next), "the page goes on to the very request: {}", page.text);

    let page = provider.open(&provider.browser, &query).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("Opening The app"), "signed in already means straight on");
    assert!(page.text.contains("data-path=\"/api/oauth/authorize\""));
}

#[tokio::test]
async fn a_code_becomes_tokens_and_claims() {
    let provider = Provider::start().await;
    let returned = provider.returned(&[]).await;
    assert_eq!(returned["state"], "xyz");
    assert_eq!(returned["iss"], ORIGIN, "RFC 9207");
    let answer = provider.exchange(&returned["code"], &[]).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let tokens = answer.json();
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["scope"], "email groups offline_access openid profile");
    let id = tokens["id_token"].as_str().unwrap();
    let (head, id) = (header(id), claims(id));
    assert_eq!((&head["alg"], &head["typ"]), (&json!("RS256"), &json!("JWT")));
    assert_eq!((&id["iss"], &id["aud"], &id["sub"]), (&json!(ORIGIN), &json!("app"), &json!(provider.user)));
    assert_eq!(
        (&id["nonce"], &id["preferred_username"], &id["name"]),
        (&json!("n-1"), &json!("alice"), &json!("alice"))
    );
    assert_eq!((&id["groups"], &id["roles"]), (&json!([]), &json!(["user"])));
    assert_eq!((&id["amr"], &id["acr"]), (&json!(["pwd"]), &json!("urn:postern:acr:1")));
    assert!(id["auth_time"].is_i64() && id["sid"].is_string() && id["email"].is_null(), "{id}");
    let access = claims(tokens["access_token"].as_str().unwrap());
    assert_eq!((&access["aud"], &access["client_id"]), (&json!("app"), &json!("app")));
    let hash = sha256(tokens["access_token"].as_str().unwrap().as_bytes());
    assert_eq!(id["at_hash"], base64url(&hash[..16]));

    let info = provider.userinfo(&tokens["access_token"]).await;
    assert_eq!(info.header("access-control-allow-origin"), "*");
    assert_eq!((&info.json()["sub"], &info.json()["preferred_username"]), (&json!(provider.user), &json!("alice")));
    // The token in the body of a form, as some clients send it.
    let token = tokens["access_token"].as_str().unwrap();
    let posted = provider.client(paths::OAUTH_USERINFO, &[("access_token", token)], &[]).await;
    assert_eq!(posted.json(), info.json());
    let opened = provider.portal.store().audit_of(&provider.user, 9).await.unwrap();
    let opened = opened.iter().find(|entry| entry.event == AuditEvent::AppOpened).unwrap();
    assert_eq!(opened.about, "The app");
}

#[tokio::test]
async fn each_client_may_authenticate_in_either_way() {
    let provider = Provider::start().await;
    let basic = format!("Basic {}", {
        use base64ct::{Base64, Encoding};
        Base64::encode_string(format!("app:{SECRET}").as_bytes())
    });
    let code = provider.code(&[]).await;
    let pairs =
        [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", URI), ("code_verifier", VERIFIER)];
    let answer = provider.client(paths::OAUTH_TOKEN, &pairs, &[("authorization", &basic)]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let wrong = provider.exchange(&provider.code(&[]).await, &[("client_secret", "wrong")]).await;
    assert_eq!((wrong.status, &wrong.json()["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_client")));
    assert!(wrong.header("www-authenticate").starts_with("Basic"));
    let unknown = provider.exchange("x", &[("client_id", "nobody")]).await;
    assert_eq!(unknown.text, wrong.text, "nothing tells a wrong secret from a client that does not exist");
}

#[tokio::test]
async fn a_public_client_in_a_browser_is_answered_across_origins() {
    let provider = Provider::start().await;
    let spa = [("client_id", "spa"), ("redirect_uri", "https://spa.example/")];
    let code = provider.code(&spa).await;
    let program = provider.portal.program("198.51.100.9");
    let asked =
        program.send_each(Method::OPTIONS, paths::OAUTH_TOKEN, None, &[("origin", "https://spa.example")]).await;
    assert_eq!((asked.status, asked.header("access-control-allow-origin")), (StatusCode::NO_CONTENT, "*"));
    assert!(asked.header("access-control-allow-headers").contains("DPoP"));
    let pairs = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", "https://spa.example/"),
        ("code_verifier", VERIFIER),
        ("client_id", "spa"),
    ];
    let browser = [("origin", "https://spa.example"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors")];
    let answer = provider.client(paths::OAUTH_TOKEN, &pairs, &browser).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (StatusCode::OK, "*"), "{}", answer.text);
    let access = answer.json()["access_token"].clone();
    assert!(!access.as_str().unwrap().contains('.'), "opaque");
    assert_eq!(provider.userinfo(&access).await.json()["sub"], provider.user.as_str());
    assert_eq!(provider.introspect(&access, "app").await, json!({"active": false}), "of another client");
}

#[tokio::test]
async fn a_refresh_rotates_and_a_used_token_ends_the_access() {
    let provider = Provider::start().await;
    let first = provider.tokens().await;
    provider.portal.advance(60_000).await;
    let second = provider.refresh(first["refresh_token"].as_str().unwrap(), &[]).await.json();
    assert!(provider.is_live(&second["access_token"]).await);
    let id = claims(second["id_token"].as_str().unwrap());
    assert_eq!((&id["sub"], &id["sid"]), (&json!(provider.user), &claims(first["id_token"].as_str().unwrap())["sid"]));
    provider.portal.advance(60_000).await;
    let reused = provider.refresh(first["refresh_token"].as_str().unwrap(), &[]).await;
    assert_eq!((reused.status, &reused.json()["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_grant")));
    assert!(!provider.is_live(&second["access_token"]).await, "everything of the family is revoked");
    let after = provider.refresh(second["refresh_token"].as_str().unwrap(), &[]).await;
    assert_eq!(after.json()["error"], "invalid_grant");
    let entries = provider.portal.store().audit_of(&provider.user, 20).await.unwrap();
    assert!(entries.iter().any(|entry| entry.event == AuditEvent::TokenReused && entry.about == "app"));
    assert!(provider.browser.get(paths::SESSION).await.status == StatusCode::OK, "the person's own session goes on");
}

#[tokio::test]
async fn a_lost_answer_of_a_refresh_is_given_again() {
    let provider = Provider::start().await;
    let first = provider.tokens().await;
    let token = first["refresh_token"].as_str().unwrap();
    let (one, two) = (provider.refresh(token, &[]).await.json(), provider.refresh(token, &[]).await.json());
    assert_eq!(one["refresh_token"], two["refresh_token"]);
    assert!(provider.is_live(&two["access_token"]).await);
}

#[tokio::test]
async fn attack_a_code_is_used_twice() {
    let provider = Provider::start().await;
    for later in [0, 31_000, 3_600_000] {
        let code = provider.code(&[]).await;
        let tokens = provider.exchange(&code, &[]).await.json();
        assert!(provider.is_live(&tokens["access_token"]).await);
        provider.portal.advance(later.min(60_000)).await;
        let again = provider.exchange(&code, &[]).await;
        assert_eq!((again.status, &again.json()["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_grant")));
        assert!(!provider.is_live(&tokens["access_token"]).await, "what the code gave is revoked");
        let refreshed = provider.refresh(tokens["refresh_token"].as_str().unwrap(), &[]).await;
        assert_eq!(refreshed.json()["error"], "invalid_grant");
    }
}

#[tokio::test]
async fn attack_a_stolen_code_is_exchanged_by_somebody_else() {
    let provider = Provider::start().await;
    let code = provider.code(&[]).await;
    for (changes, why) in [
        (vec![("client_id", "other")], "another client"),
        (vec![("code_verifier", "")], "no verifier"),
        (vec![("code_verifier", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")], "another verifier"),
        (vec![("redirect_uri", "https://evil.example/")], "another URI"),
        (vec![("client_secret", "")], "no secret"),
    ] {
        let refused = provider.exchange(&code, &changes).await;
        assert!(refused.status.is_client_error(), "{why}: {}", refused.text);
    }
    let good = provider.exchange(&code, &[]).await;
    assert_eq!(good.status, StatusCode::OK, "failed attempts did not use it up: {}", good.text);
}

#[tokio::test]
async fn a_code_lives_for_a_minute() {
    let provider = Provider::start().await;
    let code = provider.code(&[]).await;
    provider.portal.advance(60_000).await;
    let late = provider.exchange(&code, &[]).await;
    assert_eq!(late.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn attack_a_copied_cookie_gets_no_code() {
    let provider = Provider::start().await;
    let thief = provider.browser.thief(&provider.portal, "198.51.100.66");
    let refused = provider.enter(&thief, &Provider::query(&[]), None).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::UNAUTHORIZED, "bad_proof"));
    let bare = provider.enter(&provider.browser.bare(), &Provider::query(&[]), None).await;
    assert_eq!(bare.code(), "bad_proof");
}

#[tokio::test]
async fn attack_another_site_cannot_make_a_browser_ask_for_a_code() {
    let provider = Provider::start().await;
    let body = Some(json!({ "request": Provider::query(&[]) }).to_string());
    for headers in [
        [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
        [("sec-fetch-site", "same-site"), ("origin", "https://evil.example")],
        [("sec-fetch-mode", "navigate"), ("origin", ORIGIN)],
    ] {
        let refused = provider.browser.send(Method::POST, paths::OAUTH_ENTER, body.clone(), &headers).await;
        assert_eq!(refused.code(), "cross_site", "{headers:?}");
    }
    let framed = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")];
    let path = format!("{}?{}", paths::OAUTH_AUTHORIZE, Provider::query(&[]));
    assert_eq!(provider.browser.send(Method::GET, &path, None, &framed).await.code(), "cross_site");
}

#[tokio::test]
async fn a_link_alone_writes_nothing() {
    let provider = Provider::start().await;
    let before = provider.portal.store().audit_of(&provider.user, 99).await.unwrap().len();
    for _ in 0..3 {
        provider.open(&provider.browser, &Provider::query(&[])).await;
    }
    assert_eq!(provider.portal.store().audit_of(&provider.user, 99).await.unwrap().len(), before);
}

#[tokio::test]
async fn attack_the_error_page_shows_both_uris_and_sends_nobody_away() {
    let provider = Provider::start().await;
    let evil = Provider::query(&[("redirect_uri", "https://evil.example/<script>")]);
    let shown = provider.open(&provider.browser, &evil).await;
    assert_eq!((shown.status, shown.header("location")), (StatusCode::BAD_REQUEST, ""));
    assert!(shown.text.contains(URI) && shown.text.contains("https://evil.example/&lt;script&gt;"), "{}", shown.text);
    let unknown = provider.open(&provider.browser, &Provider::query(&[("client_id", "nobody")])).await;
    assert_eq!((unknown.status, unknown.header("location")), (StatusCode::BAD_REQUEST, ""));
}

#[tokio::test]
async fn a_session_that_ends_ends_what_it_gave() {
    let provider = Provider::start().await;
    let tokens = provider.tokens().await;
    let code = provider.code(&[]).await;
    assert!(provider.is_live(&tokens["access_token"]).await);
    provider.browser.post(paths::LOGOUT, &json!({})).await;
    assert!(!provider.is_live(&tokens["access_token"]).await);
    let refreshed = provider.refresh(tokens["refresh_token"].as_str().unwrap(), &[]).await;
    assert_eq!(refreshed.json()["error"], "invalid_grant");
    assert_eq!(provider.exchange(&code, &[]).await.json()["error"], "invalid_grant", "a code as well");
}

#[tokio::test]
async fn a_disabled_account_ends_everything_on_every_node() {
    let provider = Provider::start().await;
    provider.portal.add_administrator("root").await;
    let tokens = provider.tokens().await;
    let other = provider.portal.another().await;
    let node = Provider { portal: other, user: provider.user.clone(), browser: provider.browser.clone() };
    assert!(node.is_live(&tokens["access_token"]).await);
    let audit = provider.portal.entry(AuditEvent::UserDisabled, &provider.user);
    let now = provider.portal.state.now();
    assert!(provider.portal.store().set_disabled(&provider.user, true, &audit, now).await.unwrap().is_done());
    for node in [&provider, &node] {
        assert!(!node.is_live(&tokens["access_token"]).await);
    }
    let refreshed = provider.refresh(tokens["refresh_token"].as_str().unwrap(), &[]).await;
    assert_eq!(refreshed.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn a_client_revokes_its_own_tokens_and_no_others() {
    let provider = Provider::start().await;
    let tokens = provider.tokens().await;
    let access = tokens["access_token"].as_str().unwrap();
    let revoke = async |token: &str, client: &str| {
        let pairs = [("token", token), ("client_id", client), ("client_secret", SECRET)];
        provider.client(paths::OAUTH_REVOKE, &pairs, &[]).await.status
    };
    assert_eq!(revoke(access, "other").await, StatusCode::OK);
    assert!(provider.is_live(&tokens["access_token"]).await, "another client's request changes nothing");
    assert_eq!(revoke("nonsense", "app").await, StatusCode::OK);
    assert_eq!(revoke(tokens["refresh_token"].as_str().unwrap(), "app").await, StatusCode::OK);
    assert!(!provider.is_live(&tokens["access_token"]).await);
}

#[tokio::test]
async fn attack_introspection_by_the_wrong_client_says_nothing() {
    let provider = Provider::start().await;
    let with_resource = [("resource", "https://api.example")];
    let tokens = provider.exchange(&provider.code(&with_resource).await, &[]).await.json();
    let access = &tokens["access_token"];
    assert_eq!(claims(access.as_str().unwrap())["aud"], "https://api.example");
    assert_eq!(provider.introspect(access, "other").await, json!({"active": false}));
    let told = provider.introspect(access, "api").await;
    assert_eq!(
        (&told["active"], &told["sub"], &told["client_id"]),
        (&json!(true), &json!(provider.user), &json!("app"))
    );
    let public = [("token", access.as_str().unwrap()), ("client_id", "spa")];
    assert_eq!(provider.client(paths::OAUTH_INTROSPECT, &public, &[]).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn attack_tokens_of_a_client_open_nothing_at_the_portal() {
    let provider = Provider::start().await;
    let tokens = provider.tokens().await;
    let program = provider.portal.program("198.51.100.9");
    for name in ["access_token", "id_token", "refresh_token"] {
        let bearer = format!("Bearer {}", tokens[name].as_str().unwrap());
        let refused = program.send_each(Method::GET, paths::SESSION, None, &[("authorization", &bearer)]).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{name}");
    }
    // The portal's own token is not accepted as a client's.
    let login = program.login("alice", PASSWORD).await.json();
    assert_eq!(provider.userinfo(&login["tokens"]["access_token"]).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        provider.userinfo(&tokens["id_token"]).await.status,
        StatusCode::UNAUTHORIZED,
        "an ID token opens nothing"
    );
}

#[tokio::test]
async fn attack_a_token_in_the_url_is_not_read() {
    let provider = Provider::start().await;
    let tokens = provider.tokens().await;
    let path = format!("{}?access_token={}", paths::OAUTH_USERINFO, tokens["access_token"].as_str().unwrap());
    let refused = provider.portal.program("198.51.100.9").get(&path).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn prompt_none_answers_without_asking() {
    let provider = Provider::start().await;
    let query = Provider::query(&[("prompt", "none")]);
    let stranger = provider.portal.browser("203.0.113.8");
    let to = parameters(provider.open(&stranger, &query).await.header("location"));
    assert_eq!((to["error"].as_str(), to["state"].as_str(), to["iss"].as_str()), ("login_required", "xyz", ORIGIN));
    assert!(provider.returned(&[("prompt", "none")]).await.contains_key("code"));
    let other = [("client_id", "other"), ("redirect_uri", "https://other.example/"), ("prompt", "none")];
    assert_eq!(provider.returned(&other).await["error"], "consent_required");
}

#[tokio::test]
async fn prompt_login_makes_the_person_sign_in_again() {
    let provider = Provider::start().await;
    // Longer ago than clocks of nodes may differ.
    provider.portal.advance(60_000).await;
    let query = Provider::query(&[("prompt", "login")]);
    let to = provider.open(&provider.browser, &query).await;
    let location = to.header("location").to_owned();
    assert!(location.starts_with("/login?next=") && location.ends_with("&why=again"), "{location}");
    let page = provider.browser.send(Method::GET, &location, None, &[("sec-fetch-mode", "navigate")]).await;
    assert_eq!(page.status, StatusCode::OK, "the page is shown although a session exists");
    let next = page.text.split("data-next=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    let marked = next.split_once('?').unwrap().1.to_owned();

    let still = provider.enter(&provider.browser, &marked, None).await.json();
    assert!(still["location"].as_str().unwrap().starts_with(paths::OAUTH_AUTHORIZE), "{still}");
    provider.portal.advance(5_000).await;
    let again = provider.browser.clone().signed_in("alice").await;
    let returned = provider.enter(&again, &marked, None).await.json();
    assert!(returned["location"].as_str().unwrap().starts_with(&format!("{URI}?code=")), "{returned}");
    // The mark is valid for this request and this server only.
    for forged in [marked.replace("xyz", "abc"), query.clone() + "&postern_sign_in=1.AAAAAAAAAAAAAAAAAAAAAA"] {
        let refused = provider.enter(&again, &forged, None).await.json();
        assert!(refused["location"].as_str().unwrap().starts_with(paths::OAUTH_AUTHORIZE), "{forged}");
    }
}

#[tokio::test]
async fn max_age_is_measured_from_the_sign_in() {
    let provider = Provider::start().await;
    provider.portal.advance(5_000).await;
    let answer = provider.enter(&provider.browser, &Provider::query(&[("max_age", "1")]), None).await.json();
    assert!(answer["location"].as_str().unwrap().starts_with(paths::OAUTH_AUTHORIZE));
    let returned = provider.returned(&[("max_age", "10000")]).await;
    let tokens = provider.exchange(&returned["code"], &[]).await.json();
    let id = claims(tokens["id_token"].as_str().unwrap());
    // Issued five seconds later, and dated back for apps whose clocks are slow.
    assert_eq!(id["auth_time"].as_i64().unwrap() + 5, id["iat"].as_i64().unwrap() + 30);
}

#[tokio::test]
async fn people_are_asked_by_apps_that_are_not_the_operators_own() {
    let provider = Provider::start().await;
    let other = [("client_id", "other"), ("redirect_uri", "https://other.example/"), ("scope", "openid email")];
    let query = Provider::query(&other);
    let page = provider.open(&provider.browser, &query).await;
    assert!(page.text.contains("Continue to other?") && page.text.contains("see your e-mail address"), "{}", page.text);
    let skipped = provider.enter(&provider.browser, &query, None).await;
    assert_eq!(skipped.status, StatusCode::BAD_REQUEST, "nobody was asked");
    let declined = provider.enter(&provider.browser, &query, Some(false)).await.json();
    assert_eq!(parameters(declined["location"].as_str().unwrap())["error"], "access_denied");
    let agreed = provider.enter(&provider.browser, &query, Some(true)).await.json();
    assert!(parameters(agreed["location"].as_str().unwrap()).contains_key("code"));
    assert!(provider.returned(&other).await.contains_key("code"), "remembered");
    let more = Provider::query(&[&other[..2], &[("scope", "openid email groups")]].concat());
    assert_eq!(provider.enter(&provider.browser, &more, None).await.status, StatusCode::BAD_REQUEST, "asked for more");
}

#[tokio::test]
async fn form_post_answers_with_a_page_that_may_post_to_the_app_alone() {
    let provider = Provider::start().await;
    let query = Provider::query(&[("response_mode", "form_post")]);
    let answer = provider.enter(&provider.browser, &query, None).await.json();
    let location = answer["location"].as_str().unwrap();
    let (page, fragment) = location.split_once('#').unwrap();
    assert!(fragment.starts_with("code=") && fragment.contains("&state=xyz&iss="), "{fragment}");
    assert!(!page.contains("code="), "no server receives the code in a URL");
    let page = provider.browser.send(Method::GET, page, None, &[("sec-fetch-mode", "navigate")]).await;
    assert!(page.text.contains(&format!("<form method=\"post\" action=\"{URI}\">")), "{}", page.text);
    assert!(page.header("content-security-policy").contains("form-action https://app.example;"));
    let evil = format!("{}?client_id=app&redirect_uri=https://evil.example/", paths::OAUTH_FORM_POST);
    assert_eq!(provider.browser.get(&evil).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_authorization_request_by_post_is_the_same() {
    let provider = Provider::start().await;
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "navigate"),
        ("origin", "https://app.example"),
    ];
    let body = Some(Provider::query(&[]));
    let answer = provider.browser.send_each(Method::POST, paths::OAUTH_AUTHORIZE, body, &headers).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.header("location"), format!("{}?{}", paths::OAUTH_AUTHORIZE, Provider::query(&[])));
}

#[tokio::test]
async fn a_pushed_request_gives_one_code() {
    let provider = Provider::start().await;
    let query = Provider::query(&[]);
    let pairs: Vec<(String, String)> = parameters(&format!("?{query}")).into_iter().collect();
    let mut pairs: Form<'_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    pairs.retain(|(name, _)| *name != "scope");
    pairs.push(("scope", "openid"));
    pairs.push(("client_secret", SECRET));
    let pushed = provider.client(paths::OAUTH_PAR, &pairs, &[]).await;
    assert_eq!(pushed.status, StatusCode::CREATED, "{}", pushed.text);
    let uri = pushed.json()["request_uri"].as_str().unwrap().to_owned();
    let query = form(&[("client_id", "app"), ("request_uri", &uri)]);
    assert!(provider.open(&provider.browser, &query).await.text.contains("Opening The app"), "seen, and not used");
    let answer = provider.enter(&provider.browser, &query, None).await.json();
    assert!(parameters(answer["location"].as_str().unwrap()).contains_key("code"), "{answer}");
    let again = provider.enter(&provider.browser, &query, None).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST, "{}", again.text);
    let stolen = form(&[("client_id", "other"), ("request_uri", &uri)]);
    assert_eq!(provider.open(&provider.browser, &stolen).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_client_without_pkce_or_nonce_and_with_es256() {
    let provider = Provider::start().await;
    let old = [
        ("client_id", "old"),
        ("redirect_uri", "https://old.example/"),
        ("code_challenge", ""),
        ("code_challenge_method", ""),
        ("nonce", ""),
        ("scope", "openid profile"),
    ];
    let code = provider.code(&old).await;
    let changes = [("client_id", "old"), ("redirect_uri", "https://old.example/"), ("code_verifier", "")];
    let tokens = provider.exchange(&code, &changes).await.json();
    let token = tokens["id_token"].as_str().unwrap();
    assert_eq!(header(token)["alg"], "ES256");
    assert!(claims(token)["nonce"].is_null() && claims(token)["preferred_username"].is_null(), "{}", claims(token));
    assert!(tokens["refresh_token"].is_null(), "without the scope offline_access");
    assert_eq!(provider.userinfo(&tokens["access_token"]).await.json()["preferred_username"], "alice");
}

#[tokio::test]
async fn an_app_signs_a_person_out() {
    let provider = Provider::start().await;
    let tokens = provider.tokens().await;
    let hint = tokens["id_token"].as_str().unwrap();
    let back = "https://app.example/bye";
    let query = form(&[("id_token_hint", hint), ("post_logout_redirect_uri", back), ("state", "s1")]);
    let page = async |query: &str| {
        let path = format!("{}?{query}", paths::OAUTH_LOGOUT);
        provider.browser.send(Method::GET, &path, None, &[("sec-fetch-mode", "navigate")]).await
    };
    assert!(page(&query).await.text.contains("data-path=\"/api/oauth/logout\""), "at once, with the hint");
    let asked = page(&form(&[("client_id", "app"), ("post_logout_redirect_uri", back)])).await;
    assert!(asked.text.contains("Stay signed in"), "without a hint the person is asked");
    // Open redirects: anything that is not registered, or without a client.
    for wrong in [
        form(&[("id_token_hint", hint), ("post_logout_redirect_uri", "https://evil.example/")]),
        form(&[("post_logout_redirect_uri", back)]),
        form(&[("id_token_hint", "eyJ.eyJ.x")]),
        form(&[("id_token_hint", hint), ("client_id", "other")]),
    ] {
        let refused = page(&wrong).await;
        assert_eq!((refused.status, refused.header("location")), (StatusCode::BAD_REQUEST, ""), "{wrong}");
    }
    let answer = provider.browser.post(paths::OAUTH_SIGN_OUT, &json!({ "request": query })).await;
    assert_eq!(answer.json()["location"], "https://app.example/bye?state=s1");
    assert!(!provider.is_live(&tokens["access_token"]).await);
    assert_eq!(provider.browser.get(paths::SESSION).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_person_revokes_what_an_app_got() {
    let provider = Provider::start().await;
    let other = [("client_id", "other"), ("redirect_uri", "https://other.example/"), ("scope", "openid email")];
    let query = Provider::query(&other);
    let agreed = provider.enter(&provider.browser, &query, Some(true)).await.json();
    let code = parameters(agreed["location"].as_str().unwrap())["code"].clone();
    let changes = [("client_id", "other"), ("redirect_uri", "https://other.example/")];
    let tokens = provider.exchange(&code, &changes).await.json();
    assert_eq!(provider.userinfo(&tokens["access_token"]).await.status, StatusCode::OK);
    let listed = provider.browser.get(paths::CONSENTS).await.json();
    assert_eq!(
        (&listed["consents"][0]["client"], &listed["consents"][0]["scope"]),
        (&json!("other"), &json!("email openid"))
    );
    let path = format!("{}/other", paths::CONSENTS);
    let bare = provider.browser.bare().send(Method::DELETE, &path, None, &[]).await;
    assert_eq!(bare.code(), "bad_proof");
    let revoked = provider.browser.send(Method::DELETE, &path, None, &[]).await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT, "{}", revoked.text);
    assert_eq!(provider.userinfo(&tokens["access_token"]).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(provider.browser.get(paths::CONSENTS).await.json()["consents"], json!([]));
    assert_eq!(provider.enter(&provider.browser, &query, None).await.status, StatusCode::BAD_REQUEST, "asked again");
    assert_eq!(provider.browser.send(Method::DELETE, &path, None, &[]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_overview_shows_the_apps_that_a_person_may_open() {
    let staff = "[[clients]]\nid = 'hr'\nredirect_uris = ['https://hr.example/']\nurl = 'https://hr.example/'\n\
                 groups = ['administrator']\n";
    let provider = Provider::with(staff).await;
    let page = provider.browser.send(Method::GET, "/dashboard", None, &[("sec-fetch-mode", "navigate")]).await;
    assert!(page.text.contains("href=\"https://spa.example/\""), "{}", page.text);
    assert!(!page.text.contains("https://hr.example/"), "for administrators");
    let refused = [("client_id", "hr"), ("redirect_uri", "https://hr.example/")];
    assert_eq!(provider.returned(&refused).await["error"], "access_denied");
}

#[tokio::test]
async fn tokens_are_bound_to_the_key_of_a_proof() {
    let provider = Provider::start().await;
    let key = crate::support::ClientKey::generate();
    let url = format!("{ORIGIN}{}", paths::OAUTH_TOKEN);
    let code = provider.code(&[]).await;
    let pairs = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", URI),
        ("code_verifier", VERIFIER),
        ("client_id", "app"),
        ("client_secret", SECRET),
    ];
    let proof = key.prove(&url, "no-nonce");
    let first = provider.client(paths::OAUTH_TOKEN, &pairs, &[("dpop", &proof)]).await;
    assert_eq!((first.status, &first.json()["error"]), (StatusCode::BAD_REQUEST, &json!("use_dpop_nonce")));
    let proof = key.prove(&url, first.header("dpop-nonce"));
    let answer = provider.client(paths::OAUTH_TOKEN, &pairs, &[("dpop", &proof)]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let tokens = answer.json();
    assert_eq!(tokens["token_type"], "DPoP");
    assert!(claims(tokens["access_token"].as_str().unwrap())["cnf"]["jkt"].is_string());
    assert_eq!(provider.userinfo(&tokens["access_token"]).await.status, StatusCode::UNAUTHORIZED, "a copied token");
    let copied = provider.refresh(tokens["refresh_token"].as_str().unwrap(), &[]).await;
    assert_eq!(copied.json()["error"], "invalid_grant", "a copied refresh token");
    let again = provider.client(paths::OAUTH_TOKEN, &pairs, &[("dpop", &proof)]).await;
    assert_eq!(again.json()["error"], "use_dpop_nonce", "a proof counts once");
}

#[tokio::test]
async fn attack_a_refresh_asks_for_more_than_was_agreed() {
    let provider = Provider::start().await;
    let tokens = provider.exchange(&provider.code(&[("scope", "openid offline_access")]).await, &[]).await.json();
    let token = tokens["refresh_token"].as_str().unwrap();
    let more = provider.refresh(token, &[("scope", "openid email groups")]).await;
    assert_eq!((more.status, &more.json()["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_scope")));
    let less = provider.refresh(token, &[("scope", "openid")]).await;
    assert_eq!(less.json()["scope"], "openid", "the refused request cost no token: {}", less.text);
}

#[tokio::test]
async fn attack_an_id_token_of_one_app_is_no_hint_for_another() {
    let provider = Provider::start().await;
    let tokens = provider.tokens().await;
    let hint = tokens["id_token"].as_str().unwrap();
    assert!(provider.returned(&[("id_token_hint", hint)]).await.contains_key("code"));
    let other = [("client_id", "spa"), ("redirect_uri", "https://spa.example/"), ("id_token_hint", hint)];
    assert_eq!(provider.returned(&other).await["error"], "invalid_request");
}

/// Accepts one request, answers it and returns it.
pub(crate) async fn posted(listener: &tokio::net::TcpListener) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (mut socket, _) = listener.accept().await.unwrap();
    let mut request = Vec::new();
    let is_whole = |request: &[u8]| {
        let text = String::from_utf8_lossy(request).to_lowercase();
        let body = text.split_once("\r\n\r\n").map(|(_, body)| body.len());
        let length = text.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse().ok());
        body.is_some() && body == length
    };
    while !is_whole(&request) {
        assert!(socket.read_buf(&mut request).await.unwrap() > 0);
    }
    socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    String::from_utf8(request).unwrap()
}

#[tokio::test]
async fn a_client_is_told_when_a_session_has_ended() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let client = format!(
        "[[clients]]\nid = 'told'\nsecret_hash = '{}'\nredirect_uris = ['https://told.example/']\n\
         backchannel_logout_uri = 'http://localhost:{port}/logout'\n",
        oidc::client::secret_hash(SECRET)
    );
    let provider = Provider::with(&client).await;
    let told = [("client_id", "told"), ("redirect_uri", "https://told.example/")];
    let tokens = provider.exchange(&provider.code(&told).await, &told).await.json();
    let id = claims(tokens["id_token"].as_str().unwrap());
    server::flows::oauth_logouts::send_due(&provider.portal.state).await.unwrap();
    provider.browser.post(paths::LOGOUT, &json!({})).await;
    server::flows::oauth_logouts::send_due(&provider.portal.state).await.unwrap();
    let request = posted(&listener).await;
    assert!(request.starts_with("POST /logout HTTP/1.1\r\n"), "{request}");
    let token = request.split("logout_token=").nth(1).unwrap();
    assert_eq!((&header(token)["typ"], &header(token)["alg"]), (&json!("logout+jwt"), &json!("RS256")));
    let logout = claims(token);
    assert_eq!(
        (&logout["iss"], &logout["aud"], &logout["sid"], &logout["sub"]),
        (&json!(ORIGIN), &json!("told"), &id["sid"], &id["sub"])
    );
    assert!(
        logout["events"]["http://schemas.openid.net/event/backchannel-logout"].is_object() && logout["nonce"].is_null()
    );
}

#[tokio::test]
async fn a_device_is_connected_by_its_code() {
    let provider = Provider::start().await;
    let codes = provider.client(paths::OAUTH_DEVICE, &[("client_id", "tv"), ("scope", "openid profile")], &[]).await;
    assert_eq!(codes.status, StatusCode::OK, "{}", codes.text);
    let codes = codes.json();
    let (device, user) = (codes["device_code"].as_str().unwrap(), codes["user_code"].as_str().unwrap());
    assert_eq!((user.len(), &codes["verification_uri"]), (9, &json!(format!("{ORIGIN}/device"))));
    let poll = async || {
        let pairs = [("grant_type", oidc::device::GRANT_TYPE), ("device_code", device), ("client_id", "tv")];
        provider.client(paths::OAUTH_TOKEN, &pairs, &[]).await.json()
    };
    assert_eq!(poll().await["error"], "authorization_pending");
    assert_eq!(poll().await["error"], "slow_down");
    let path = format!("{}?user_code={}", paths::DEVICE_PAGE, user.to_lowercase());
    let page = provider.browser.send(Method::GET, &path, None, &[("sec-fetch-mode", "navigate")]).await;
    assert!(
        page.text.contains("Connect a device to Television?") && page.text.contains("signed in as you"),
        "{}",
        page.text
    );
    let answer = provider.browser.post(paths::OAUTH_DEVICE_ANSWER, &json!({"user_code": user, "agreed": true})).await;
    assert_eq!(answer.json()["location"], "/device?done=yes", "{}", answer.text);
    let again = provider.browser.post(paths::OAUTH_DEVICE_ANSWER, &json!({"user_code": user, "agreed": true})).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND, "a code is answered once");
    let tokens = poll().await;
    assert_eq!(claims(tokens["id_token"].as_str().unwrap())["preferred_username"], "alice", "{tokens}");
    assert_eq!(poll().await["error"], "invalid_grant", "and exchanged once");
}

#[tokio::test]
async fn attack_nobody_fills_the_database_with_requests_of_apps_without_a_secret() {
    let provider = Provider::start().await;
    let challenge = base64url(&sha256(VERIFIER.as_bytes()));
    let pushed = [
        ("client_id", "spa"),
        ("response_type", "code"),
        ("scope", "openid"),
        ("redirect_uri", "https://spa.example/"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    for (path, pairs) in [(paths::OAUTH_DEVICE, &[("client_id", "tv")][..]), (paths::OAUTH_PAR, &pushed[..])] {
        let mut stored = 0;
        let last = loop {
            let answer = provider.client(path, pairs, &[]).await;
            if !answer.status.is_success() || stored > 1000 {
                break answer;
            }
            stored += 1;
        };
        assert_eq!(
            (last.status, last.json()["error"].as_str()),
            (StatusCode::SERVICE_UNAVAILABLE, Some("temporarily_unavailable")),
            "{path}: {}",
            last.text
        );
        assert!(last.headers.contains_key("retry-after"), "{path}");
        provider.portal.advance(2 * 60_000).await;
    }
}

#[tokio::test]
async fn attack_a_device_code_is_refused_guessed_or_taken_by_another_client() {
    let provider = Provider::start().await;
    let begin = async |client: &str| provider.client(paths::OAUTH_DEVICE, &[("client_id", client)], &[]).await.json();
    assert_eq!(begin("spa").await["error"], "unauthorized_client");
    let codes = begin("tv").await;
    let poll = async |code: &str| {
        let pairs = [("grant_type", oidc::device::GRANT_TYPE), ("device_code", code), ("client_id", "tv")];
        provider.client(paths::OAUTH_TOKEN, &pairs, &[]).await.json()
    };
    assert_eq!(poll("guessed").await["error"], "expired_token");
    let other = [
        ("grant_type", oidc::device::GRANT_TYPE),
        ("device_code", codes["device_code"].as_str().unwrap()),
        ("client_id", "app"),
        ("client_secret", SECRET),
    ];
    assert_eq!(provider.client(paths::OAUTH_TOKEN, &other, &[]).await.json()["error"], "expired_token");
    let user = codes["user_code"].as_str().unwrap();
    let thief = provider.browser.thief(&provider.portal, "198.51.100.66");
    let stolen = thief.post(paths::OAUTH_DEVICE_ANSWER, &json!({"user_code": user, "agreed": true})).await;
    assert_eq!(stolen.code(), "bad_proof");
    let refused = provider.browser.post(paths::OAUTH_DEVICE_ANSWER, &json!({"user_code": user, "agreed": false})).await;
    assert_eq!(refused.json()["location"], "/device?done=no");
    assert_eq!(poll(codes["device_code"].as_str().unwrap()).await["error"], "access_denied");
    let late = begin("tv").await;
    provider.portal.advance(oidc::device::LIFE_MS).await;
    assert_eq!(poll(late["device_code"].as_str().unwrap()).await["error"], "expired_token");
}
