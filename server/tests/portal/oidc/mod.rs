//! The OpenID provider over HTTP: from a link of an app to tokens, and to their end.

mod access;
mod authorization;
mod devices;
mod discovery;
mod pushed;
mod sign_out;
mod tokens;

use crate::support::{Answer, Portal, Visitor};
use domain::encoding::{base64url, from_base64url, sha256};
use http::{Method, StatusCode};
use oidc::params::with_query;
use serde_json::{Value, json};
use std::collections::BTreeMap;
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
