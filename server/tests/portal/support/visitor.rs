//! A client of the portal: a browser with cookies and its headers, or a program without.

use super::portal::ORIGIN;
use super::{ClientKey, PASSWORD, Portal, receiving_key};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use tower::ServiceExt;
use wire::challenge::Challenge;
use wire::envelope::EnvelopeKind;
use wire::paths;

#[derive(Clone)]
pub(crate) struct Visitor {
    router: Router,
    address: IpAddr,
    browser: bool,
    pub key: Option<Arc<ClientKey>>,
    pub receiving: Arc<jwe::PrivateKey>,
    pub cookies: Arc<Mutex<BTreeMap<String, String>>>,
    pub headers: Vec<(&'static str, String)>,
    /// Whether it proves its key with each request that may change something, as the browser's code does.
    proves: bool,
    /// The server's last nonce.
    nonce: Arc<Mutex<String>>,
    /// The origin of the site, as the visitor's proofs and messages name it.
    pub origin: &'static str,
}

pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Returns a header that may be UTF-8.
    pub(crate) fn raw_header(&self, name: &str) -> String {
        self.headers.get(name).map_or_else(String::new, |value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    }
}

impl Visitor {
    pub(crate) fn browser(portal: &Portal, address: IpAddr) -> Self {
        Self::new(portal.router.clone(), address)
    }

    pub(crate) fn new(router: Router, address: IpAddr) -> Self {
        let key = Some(Arc::new(ClientKey::generate()));
        let receiving = Arc::new(receiving_key());
        let (cookies, headers, nonce) = (Arc::default(), Vec::new(), Arc::default());
        Self { router, address, browser: true, key, receiving, cookies, headers, proves: true, nonce, origin: ORIGIN }
    }

    pub(crate) fn program(portal: &Portal, address: IpAddr) -> Self {
        Self::browser(portal, address).without_a_browser()
    }

    /// Returns a program that binds its tokens to a key.
    pub(crate) fn bound_program(portal: &Portal, address: IpAddr) -> Self {
        Self { browser: false, ..Self::browser(portal, address) }
    }

    pub(crate) fn without_a_browser(self) -> Self {
        Self { browser: false, key: None, ..self }
    }

    /// Returns the same visitor at another node.
    pub(crate) fn at(&self, portal: &Portal) -> Self {
        Self { router: portal.router.clone(), ..self.clone() }
    }

    /// Returns the same browser, whose requests go to another router.
    pub(crate) fn through(&self, router: Router) -> Self {
        Self { router, ..self.clone() }
    }

    /// Returns the same browser at another address.
    pub(crate) fn moved(&self, address: &str) -> Self {
        Self { address: address.parse().unwrap(), ..self.clone() }
    }

    /// Returns the same browser on another site, with a cookie jar of its own.
    pub(crate) fn elsewhere(&self) -> Self {
        Self { cookies: Arc::default(), ..self.clone() }
    }

    /// Returns a browser of a thief, with a copy of the cookies.
    pub(crate) fn thief(&self, portal: &Portal, address: &str) -> Self {
        let cookies = self.cookies.lock().unwrap().clone();
        Self { cookies: Arc::new(Mutex::new(cookies)), ..Self::browser(portal, address.parse().unwrap()) }
    }

    /// Returns the same browser without its code: its requests have cookies and nothing else.
    pub(crate) fn bare(&self) -> Self {
        Self { proves: false, ..self.clone() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, &[]).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body.to_string()), &[]).await
    }

    /// Sends a request. Of an extra header that is given twice, the later one counts.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
        extra: &[(&str, &str)],
    ) -> Answer {
        let is_last = |at: usize| extra[at + 1..].iter().all(|(name, _)| *name != extra[at].0);
        let last: Vec<_> = (0..extra.len()).filter(|at| is_last(*at)).map(|at| extra[at]).collect();
        let signed_in = self.browser && !self.cookie("-access").is_empty();
        let own = extra.iter().any(|(name, _)| matches!(*name, "dpop" | "authorization"));
        match &self.key {
            Some(key) if self.proves && signed_in && !own && !method.is_safe() => {
                self.send_proven(key, method, path, body, &last).await
            }
            _ => self.send_each(method, path, body, &last).await,
        }
    }

    /// Sends it with a proof of the key; a second time if the first lacked the server's nonce.
    async fn send_proven(
        &self,
        key: &ClientKey,
        method: Method,
        path: &str,
        body: Option<String>,
        extra: &[(&str, &str)],
    ) -> Answer {
        let url = format!("{}{}", self.origin, path.split('?').next().unwrap());
        let mut again = true;
        loop {
            let nonce = self.nonce.lock().unwrap().clone();
            let proof = key.prove_more(&url, &nonce, &json!({"htm": method.as_str()}));
            let extra: Vec<_> = extra.iter().copied().chain([("dpop", proof.as_str())]).collect();
            let answer = self.send_each(method.clone(), path, body.clone(), &extra).await;
            if !answer.header("dpop-nonce").is_empty() {
                answer.header("dpop-nonce").clone_into(&mut self.nonce.lock().unwrap());
            }
            if answer.code() != "use_dpop_nonce" || !again {
                return answer;
            }
            again = false;
        }
    }

    /// Sends a request. An extra header that is given twice is sent twice.
    pub(crate) async fn send_each(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
        extra: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(&method).uri(path).header(header::HOST, "localhost:3000");
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if self.browser {
            request = request.header("sec-fetch-site", "same-origin").header("sec-fetch-mode", "cors");
            if method != Method::GET {
                request = request.header(header::ORIGIN, self.origin);
            }
            let cookies = self.cookies.lock().unwrap();
            if !cookies.is_empty() {
                let pairs: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
                request = request.header(header::COOKIE, pairs.join("; "));
            }
        }
        let headers = request.headers_mut().unwrap();
        for (name, value) in &self.headers {
            headers.insert(*name, value.parse().unwrap());
        }
        for (name, _) in extra {
            headers.remove(*name);
        }
        for (name, value) in extra {
            headers.append(http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        let mut request = request.body(body.map_or_else(Body::empty, Body::from)).unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(self.address, 40_000)));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        if self.browser {
            self.keep_cookies(&parts.headers);
        }
        let bytes = to_bytes(body, 1 << 20).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8_lossy(&bytes).into_owned() }
    }

    fn keep_cookies(&self, headers: &HeaderMap) {
        for line in headers.get_all(header::SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            let mut jar = self.cookies.lock().unwrap();
            if value.is_empty() {
                jar.remove(name)
            } else {
                jar.insert(name.to_owned(), value.to_owned())
            };
        }
    }

    pub(crate) async fn challenge(&self) -> Challenge {
        let answer = self.get(paths::CHALLENGE).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        serde_json::from_str(&answer.text).unwrap()
    }

    /// Returns the body of a login, and its headers.
    pub(crate) async fn sealed(&self, name: &str, password: &str) -> (String, Vec<(&'static str, String)>) {
        let challenge = self.challenge().await;
        self.seal(&challenge, EnvelopeKind::Login, &json!({"username": name, "password": password}))
    }

    pub(crate) fn seal(
        &self,
        challenge: &Challenge,
        kind: EnvelopeKind,
        content: &Value,
    ) -> (String, Vec<(&'static str, String)>) {
        let public = self.key.as_ref().map(|key| key.public());
        let receiving = self.receiving.public();
        let keys = public.as_ref().map(|key| (key, &receiving));
        let plaintext = content.to_string();
        let envelope =
            seal::seal(&challenge.key, kind, &challenge.short_key, self.origin, keys, 0, plaintext.as_bytes()).unwrap();
        let mut body = json!({"encrypted_username_password": envelope, "short_key": challenge.short_key});
        if !self.browser {
            body["delivery"] = "body".into();
        }
        let path = path_of(kind);
        let proof =
            self.key.as_ref().map(|key| ("dpop", key.prove(&format!("{}{path}", self.origin), &challenge.short_key)));
        (body.to_string(), proof.into_iter().collect())
    }

    /// Seals content for the kind's own path and posts it there.
    pub(crate) async fn post_sealed(&self, kind: EnvelopeKind, content: &Value) -> Answer {
        let challenge = self.challenge().await;
        let (body, headers) = self.seal(&challenge, kind, content);
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.send(Method::POST, path_of(kind), Some(body), &headers).await
    }

    pub(crate) async fn send_login(&self, (body, headers): &(String, Vec<(&'static str, String)>)) -> Answer {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.send(Method::POST, paths::LOGIN, Some(body.clone()), &headers).await
    }

    pub(crate) async fn login(&self, name: &str, password: &str) -> Answer {
        let sealed = self.sealed(name, password).await;
        self.send_login(&sealed).await
    }

    /// Signs in, and fails the test otherwise.
    pub(crate) async fn signed_in(self, name: &str) -> Self {
        let answer = self.login(name, PASSWORD).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        self
    }

    /// Proves the person again with the password.
    pub(crate) async fn confirm(&self) -> Answer {
        self.post_sealed(EnvelopeKind::Confirmation, &json!({"password": PASSWORD})).await
    }

    /// Refreshes as the browser's code does: requests a nonce, makes a proof, sends.
    pub(crate) async fn refresh(&self) -> Answer {
        let nonce = self.nonce().await;
        let proof = self.key.as_ref().map(|key| key.prove(&format!("{}{}", self.origin, paths::REFRESH), &nonce));
        let headers: Vec<_> = proof.iter().map(|proof| ("dpop", proof.as_str())).collect();
        self.send(Method::POST, paths::REFRESH, Some("{}".to_owned()), &headers).await
    }

    /// Sends a request with a proof of the visitor's key: requests a nonce, makes a proof, sends.
    pub(crate) async fn prove_and_post(&self, path: &str, body: &Value) -> Answer {
        let nonce = self.nonce().await;
        let proof = self.key.as_ref().unwrap().prove(&format!("{}{path}", self.origin), &nonce);
        self.send(Method::POST, path, Some(body.to_string()), &[("dpop", &proof)]).await
    }

    pub(crate) async fn nonce(&self) -> String {
        let stranger = Self { cookies: Arc::default(), ..self.clone() };
        stranger.get(paths::SESSION).await.header("dpop-nonce").to_owned()
    }

    pub(crate) fn cookie(&self, part: &str) -> String {
        let jar = self.cookies.lock().unwrap();
        jar.iter().find(|(name, _)| name.ends_with(part)).map(|(_, value)| value.clone()).unwrap_or_default()
    }

    pub(crate) fn forget(&self, part: &str) {
        self.cookies.lock().unwrap().retain(|name, _| !name.ends_with(part));
    }

    pub(crate) fn set_cookie(&self, part: &str, value: &str) {
        self.cookies.lock().unwrap().insert(format!("__Host-postern-{part}"), value.to_owned());
    }
}

fn path_of(kind: EnvelopeKind) -> &'static str {
    match kind {
        EnvelopeKind::Login => paths::LOGIN,
        EnvelopeKind::Signup => paths::SIGNUP,
        EnvelopeKind::Password => paths::PASSWORD,
        EnvelopeKind::Reset => paths::RESET,
        EnvelopeKind::Deletion => paths::ACCOUNT_DELETE,
        EnvelopeKind::SecondFactor => paths::SECOND_FACTOR,
        EnvelopeKind::Confirmation => paths::CONFIRM,
        EnvelopeKind::Passkey => paths::PASSKEY_LOGIN,
    }
}
