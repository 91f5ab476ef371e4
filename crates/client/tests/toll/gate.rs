//! A simulated gate that implements the protocol, and reads the client's folder when a payment is presented.

use super::payer::Network as Nodes;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jwe::PrivateKey;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use tpat::Thumbprint;
use tpat::header::{RefusedCredential, write};
use tpat::mac::{AgreedKey, Agreement, CoveredRequest, EphemeralPoint, KeyAnswer, KeyId, ReplayWindow, RequestMac};
use verify::Algorithm;
use verify::dpop::{self, Proof};
use wire::toll::{MAC_KEY_HEADER, Network, Offer, Piconero, REDEEM};

pub(crate) const ADDRESS: &str =
    "87omSJnYpMKZyhxRpc2gy1PNJt8ZdGdfGBM8P8EGBdXAe3qajRsW6hwjZrqkpGzNUGTAE93S9ktpRXFDyt9fdQzTFPZufhV";
pub(crate) const PRICE: u64 = 2_000_000_000;
const MAC_KEY: HeaderName = HeaderName::from_static(MAC_KEY_HEADER);

#[derive(Debug, Clone)]
pub(crate) struct FakeGate(Arc<Mutex<Inner>>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub origin: String,
    /// The host that it is asked under, as its offers name it.
    pub realm: String,
    /// The folder of the client.
    pub folder: PathBuf,
    pub price: u64,
    pub quota: u64,
    /// Answers of the redemption before it gives the token.
    pub before: Vec<(StatusCode, Value)>,
    /// Expiry of its offers, in unix seconds.
    pub expires: u64,
    /// Payments that its node knows.
    pub network: Nodes,
    /// Number of answers with the token that get lost.
    pub lost: u32,
    /// Requests left by token.
    pub left: HashMap<String, u64>,
    pub redemptions: u32,
    /// The key of each offer; `None`: any key.
    pub offers: Vec<Option<String>>,
    pub nonce: String,
    /// The answer to every signed request without a token.
    pub about_signatures: Option<(StatusCode, Value)>,
    /// The answer to every token.
    pub about_tokens: Option<(StatusCode, Value)>,
    /// Whether it agrees on keys. Older gates do not know the claim.
    pub agrees: bool,
    pub keys: Vec<Agreed>,
    /// The proof of each request with a token: `proof`, `proposal`, `mac`, or `refused` for a MAC.
    pub shown: Vec<&'static str>,
}

#[derive(Debug)]
pub(crate) struct Agreed {
    id: KeyId,
    key: AgreedKey,
    token: String,
    window: ReplayWindow,
}

impl FakeGate {
    pub(crate) async fn open(folder: PathBuf, network: Nodes) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let realm = listener.local_addr().unwrap().to_string();
        let inner = Inner {
            origin: format!("http://{realm}"),
            realm,
            folder,
            price: PRICE,
            quota: 2,
            before: Vec::new(),
            expires: now() + 3600,
            network,
            lost: 0,
            left: HashMap::new(),
            redemptions: 0,
            offers: Vec::new(),
            nonce: "the first nonce".to_owned(),
            about_signatures: None,
            about_tokens: None,
            agrees: false,
            keys: Vec::new(),
            shown: Vec::new(),
        };
        let gate = Self(Arc::new(Mutex::new(inner)));
        let router = Router::new()
            .route("/price", get(price))
            .route("/open", get(|| async { "open" }))
            .route(REDEEM, post(redeem))
            .with_state(gate.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        gate
    }

    pub(crate) fn set(&self, change: impl FnOnce(&mut Inner)) {
        change(&mut self.0.lock());
    }

    pub(crate) fn see<T>(&self, look: impl FnOnce(&Inner) -> T) -> T {
        look(&self.0.lock())
    }

    pub(crate) fn url(&self) -> String {
        self.see(|inner| format!("{}/price", inner.origin))
    }
}

impl Inner {
    fn admits(&mut self, mac: &str, token: &str, url: &str) -> bool {
        let (mac, request): (RequestMac, _) = (mac.parse().unwrap(), CoveredRequest { method: "GET", url });
        let known = self.keys.iter_mut().find(|agreed| agreed.id == mac.id && agreed.token == token);
        let valid = known.is_some_and(|agreed| agreed.key.verifies(&mac, request) && agreed.window.accept(mac.number));
        self.shown.push(if valid { "mac" } else { "refused" });
        valid
    }

    fn agree(&mut self, possession: &Proof, token: &str) -> Option<KeyAnswer> {
        self.shown.push(if possession.mac_epk.is_some() { "proposal" } else { "proof" });
        let client: EphemeralPoint = possession.mac_epk.as_ref().filter(|_| self.agrees)?.parse().unwrap();
        let environment: &dyn client::Environment = &client::SystemEnvironment;
        let own = PrivateKey::generate(&environment.bytes().unwrap()).unwrap();
        let (id, gate) = (KeyId(environment.bytes().unwrap()), EphemeralPoint::of(&own.public()).unwrap());
        let holder = possession.jkt;
        let secret = own.agree(&client.jwk()).unwrap();
        let key = AgreedKey::derive(&secret, &Agreement { id, holder, token, client, gate });
        self.keys.push(Agreed { id, key, token: token.to_owned(), window: ReplayWindow::default() });
        Some(KeyAnswer { id, point: gate, seconds: 60 })
    }
}

/// Returns unix seconds, as the program sees them.
pub(crate) fn now() -> u64 {
    let environment: &dyn client::Environment = &client::SystemEnvironment;
    u64::try_from(environment.now() / 1000).unwrap()
}

pub(crate) fn problem(status: u16, code: &str) -> (StatusCode, Value) {
    let status_code = StatusCode::from_u16(status).unwrap();
    (status_code, json!({"status": status, "code": code, "title": format!("It is {code}."), "retry_after": 7}))
}

pub(crate) fn pending(have: u64, need: u64) -> (StatusCode, Value) {
    (StatusCode::ACCEPTED, json!({"status": "pending", "have": have, "need": need, "retry_after": 7}))
}

fn say((status, body): (StatusCode, Value)) -> Response {
    let media_type = if status.is_success() { "application/json" } else { wire::problem::MEDIA_TYPE };
    (status, [("content-type", media_type)], body.to_string()).into_response()
}

async fn price(State(gate): State<FakeGate>, headers: HeaderMap) -> Response {
    let mut inner = gate.0.lock();
    let url = format!("{}/price", inner.origin);
    let Some(credential) = text(&headers, "authorization") else {
        if let Some(answer) = inner.about_signatures.as_ref().filter(|_| headers.contains_key("dpop")) {
            return say(answer.clone());
        }
        let signed = headers.contains_key("dpop").then(|| proven(&headers, "GET", &url, &inner.nonce)).flatten();
        return demand(&mut inner, signed.map(|possession| possession.jkt.to_string()));
    };
    let token = credential.strip_prefix("TPAT-Session ").unwrap().to_owned();
    let (jkt, answer) = match text(&headers, "tpat-mac") {
        Some(mac) => {
            assert!(!headers.contains_key("dpop"));
            if !inner.admits(mac, &token, &url) {
                return use_nonce(&inner);
            }
            (None, None)
        }
        None => {
            let Some(possession) = proven(&headers, "GET", &url, &inner.nonce) else { return use_nonce(&inner) };
            assert_eq!(possession.ath, Some(dpop::token_hash(&token)));
            let answer = inner.agree(&possession, &token);
            (Some(possession.jkt.to_string()), answer)
        }
    };
    if let Some(answer) = &inner.about_tokens {
        return say(answer.clone());
    }
    match inner.left.get_mut(&token) {
        Some(left) if *left > 0 => {
            *left -= 1;
            let mut response = ([("tpat-quota", left.to_string())], "the price").into_response();
            response.headers_mut().extend(answer.map(|answer| (MAC_KEY, answer.to_string().parse().unwrap())));
            response
        }
        _ => demand(&mut inner, jkt),
    }
}

fn demand(inner: &mut Inner, jkt: Option<String>) -> Response {
    inner.offers.push(jkt.clone());
    let challenge = format!("challenge-{}", inner.offers.len());
    let demand = Offer {
        address: ADDRESS.to_owned(),
        min_amt: Piconero(inner.price),
        ttl: 30,
        v: 1,
        realm: inner.realm.clone(),
        message: format!("tpat1:{challenge}"),
        challenge,
        expires: inner.expires,
        ttl_s: 3600,
        quota: inner.quota,
        conf: 1,
        network: Network::Mainnet,
        redeem: REDEEM.to_owned(),
        jkt,
        title: String::new(),
        accepts: Vec::new(),
    };
    let header = write(&demand, RefusedCredential::default());
    (StatusCode::PAYMENT_REQUIRED, [("www-authenticate", header), ("dpop-nonce", inner.nonce.clone())]).into_response()
}

async fn redeem(State(gate): State<FakeGate>, headers: HeaderMap, body: Bytes) -> Response {
    let mut inner = gate.0.lock();
    let url = format!("{}{REDEEM}", inner.origin);
    let Some(possession) = proven(&headers, "POST", &url, &inner.nonce) else { return use_nonce(&inner) };
    let body: wire::toll::RedeemRequest = serde_json::from_slice(&body).unwrap();
    assert_eq!(possession.jkt, Thumbprint::of(&body.jwk.unwrap().thumbprint_input()));
    let (txid, proof) = text(&headers, "authorization").unwrap()["TPAT ".len()..].split_once(':').unwrap();
    assert_eq!(proof, super::payer::proof(txid, ADDRESS, &format!("tpat1:{}", body.challenge)));
    inner.redemptions += 1;
    let kept = kept(&inner.folder);
    assert!(kept.contains(txid) && kept.contains(proof), "shown before it was written down: {kept}");
    if !inner.network.lock().iter().any(|known| known == txid) {
        return say(problem(404, "not_found"));
    }
    if !inner.before.is_empty() {
        return say(inner.before.remove(0));
    }
    let token = format!("token-of-{txid}");
    let quota = inner.quota;
    inner.left.entry(token.clone()).or_insert(quota);
    if inner.lost > 0 {
        inner.lost -= 1;
        return (StatusCode::INTERNAL_SERVER_ERROR, "half an ans").into_response();
    }
    say((
        StatusCode::OK,
        json!({"token": token, "expires": 1_795_240_000_u64, "quota": quota, "provisional": false, "remainder": "0"}),
    ))
}

fn proven(headers: &HeaderMap, method: &str, url: &str, nonce: &str) -> Option<Proof> {
    let algorithms = [Algorithm::Es256, Algorithm::EdDsa];
    let possession = dpop::verify_any_url(text(headers, "dpop").unwrap(), method, &algorithms).unwrap();
    assert_eq!(possession.htu, url);
    (possession.nonce.as_deref() == Some(nonce)).then_some(possession)
}

fn use_nonce(inner: &Inner) -> Response {
    ([("dpop-nonce", inner.nonce.clone())], say(problem(401, "use_dpop_nonce"))).into_response()
}

/// Returns everything that the client has written about gates.
pub(crate) fn kept(folder: &std::path::Path) -> String {
    let Ok(entries) = std::fs::read_dir(folder.join("toll")) else { return String::new() };
    entries.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap_or_default()).collect()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}
