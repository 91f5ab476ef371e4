//! An auth server in small: keys, tokens, and a real server that hands out its JWKS.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::get;
use domain::encoding::base64url;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

pub enum SigningKey {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
}

impl SigningKey {
    pub fn es256() -> Self {
        Self::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub fn ed_dsa() -> Self {
        Self::EdDsa(Ed25519KeyPair::generate().unwrap())
    }

    pub fn alg(&self) -> &'static str {
        match self {
            Self::Es256(_) => "ES256",
            Self::EdDsa(_) => "EdDSA",
        }
    }

    pub fn jwk(&self, kid: &str) -> Value {
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

    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = [header, claims].map(|part| base64url(part.to_string().as_bytes())).join(".");
        let signature = match self {
            Self::Es256(pair) => pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap().as_ref().to_vec(),
            Self::EdDsa(pair) => pair.sign(message.as_bytes()).as_ref().to_vec(),
        };
        format!("{message}.{}", base64url(&signature))
    }
}

/// What the server answers: changed while it runs.
pub struct Answer {
    pub status: StatusCode,
    pub headers: Vec<(header::HeaderName, String)>,
    pub body: String,
}

pub struct Issuer {
    pub url: String,
    pub answer: Arc<Mutex<Answer>>,
    asked: Arc<AtomicUsize>,
}

type Shared = (Arc<Mutex<Answer>>, Arc<AtomicUsize>);

impl Issuer {
    pub async fn start() -> Self {
        let answer = Answer { status: StatusCode::OK, headers: Vec::new(), body: String::new() };
        let shared: Shared = (Arc::new(Mutex::new(answer)), Arc::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        let router = Router::new().route("/jwks.json", get(respond)).with_state(shared.clone());
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { url, answer: shared.0, asked: shared.1 }
    }

    pub fn publish(&self, keys: &[(&str, &SigningKey)]) {
        let keys: Vec<_> = keys.iter().map(|(kid, key)| key.jwk(kid)).collect();
        let mut answer = self.answer.lock().unwrap();
        answer.status = StatusCode::OK;
        answer.body = json!({"keys": keys}).to_string();
    }

    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn respond(State((answer, asked)): State<Shared>) -> (StatusCode, HeaderMap, String) {
    asked.fetch_add(1, Ordering::SeqCst);
    let answer = answer.lock().unwrap();
    let headers = answer.headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
    (answer.status, headers, answer.body.clone())
}
