//! A small auth server: keys, tokens, and a real server for its JWKS.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::routing::get;
use domain::encoding::base64url;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

pub(crate) enum SigningKey {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
}

impl SigningKey {
    pub(crate) fn es256() -> Self {
        Self::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub(crate) fn ed_dsa() -> Self {
        Self::EdDsa(Ed25519KeyPair::generate().unwrap())
    }

    pub(crate) fn alg(&self) -> &'static str {
        match self {
            Self::Es256(_) => "ES256",
            Self::EdDsa(_) => "EdDSA",
        }
    }

    pub(crate) fn jwk(&self, kid: &str) -> Value {
        match self {
            Self::Es256(pair) => {
                let point = pair.public_key().as_ref();
                let (x, y) = (base64url(&point[1..33]), base64url(&point[33..]));
                json!({"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": kid, "alg": "ES256", "use": "sig"})
            }
            Self::EdDsa(pair) => {
                let x = base64url(pair.public_key().as_ref());
                json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid, "alg": "EdDSA", "use": "sig"})
            }
        }
    }

    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    /// Signs text unchanged, because a claim may occur twice.
    pub(crate) fn sign_text(&self, header: &str, claims: &str) -> String {
        let message = [header, claims].map(|part| base64url(part.as_bytes())).join(".");
        let signature = match self {
            Self::Es256(pair) => pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap().as_ref().to_vec(),
            Self::EdDsa(pair) => pair.sign(message.as_bytes()).as_ref().to_vec(),
        };
        format!("{message}.{}", base64url(&signature))
    }
}

/// The server's answers, which are changed while it runs.
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: Vec<(header::HeaderName, String)>,
    pub body: String,
}

/// One answer, and the number of requests for it.
#[derive(Clone)]
pub(crate) struct Page {
    pub answer: Arc<Mutex<Answer>>,
    asked: Arc<AtomicUsize>,
}

pub(crate) struct Issuer {
    pub origin: String,
    pub url: String,
    pub list_url: String,
    pub answer: Arc<Mutex<Answer>>,
    keys: Page,
    pub list: Page,
}

impl Issuer {
    pub(crate) async fn start() -> Self {
        let (keys, list) = (Page::empty(), Page::empty());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/jwks.json", get(respond).with_state(keys.clone()))
            .route("/revocations", get(respond).with_state(list.clone()))
            .route(wire::paths::JWKS, get(respond).with_state(keys.clone()))
            .route(wire::paths::REVOCATIONS, get(respond).with_state(list.clone()));
        tokio::spawn(async { axum::serve(listener, router).await });
        let (url, list_url) = (format!("{origin}/jwks.json"), format!("{origin}/revocations"));
        Self { origin, url, list_url, answer: Arc::clone(&keys.answer), keys, list }
    }

    pub(crate) fn publish(&self, keys: &[(&str, &SigningKey)]) {
        let keys: Vec<_> = keys.iter().map(|(kid, key)| key.jwk(kid)).collect();
        let mut answer = self.answer.lock().unwrap();
        answer.status = StatusCode::OK;
        answer.body = json!({"keys": keys}).to_string();
    }

    pub(crate) fn asked(&self) -> usize {
        self.keys.asked()
    }
}

impl Page {
    fn empty() -> Self {
        let answer = Answer { status: StatusCode::OK, headers: Vec::new(), body: String::new() };
        Self { answer: Arc::new(Mutex::new(answer)), asked: Arc::default() }
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn respond(State(page): State<Page>, asking: HeaderMap) -> (StatusCode, HeaderMap, String) {
    page.asked.fetch_add(1, Ordering::SeqCst);
    let answer = page.answer.lock().unwrap();
    let etag = answer.headers.iter().find(|(name, _)| name == header::ETAG).map(|(_, value)| value.as_bytes());
    if etag.is_some() && asking.get(header::IF_NONE_MATCH).map(HeaderValue::as_bytes) == etag {
        return (StatusCode::NOT_MODIFIED, HeaderMap::new(), String::new());
    }
    let headers = answer.headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
    (answer.status, headers, answer.body.clone())
}
