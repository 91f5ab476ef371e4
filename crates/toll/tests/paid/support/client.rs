//! A paying client.

use super::Key;
use http::HeaderMap;
use parking_lot::Mutex;
use reqwest::{Method, RequestBuilder};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::net::SocketAddr;
use tpat::header;
use wire::toll::{
    CHALLENGE_HEADER, NONCE_HEADER, Offer, PROOF_HEADER, REDEEM, RedeemRequest, RedeemedToken, TollCode, TollProblem,
};

pub(crate) struct Client {
    base: String,
    http: reqwest::Client,
    nonce: Mutex<String>,
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }

    pub(crate) fn code(&self) -> TollCode {
        self.json::<TollProblem>().code
    }

    pub(crate) fn token(&self) -> RedeemedToken {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Returns the parameters of the challenge in the header.
    pub(crate) fn challenge(&self) -> header::AuthChallenge {
        header::parse(self.header("www-authenticate").unwrap()).unwrap().remove(0)
    }

    /// Returns the values that the upstream saw of a header.
    pub(crate) fn seen(&self, header: &str) -> Vec<String> {
        let all = self.json::<Value>()["headers"][header].as_array().cloned().unwrap_or_default();
        all.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
    }
}

impl Client {
    pub(crate) fn new(gate: SocketAddr) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { base: format!("http://{gate}"), http, nonce: Mutex::default() }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.url(path))
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Reply {
        let response = request.send().await.unwrap();
        if let Some(nonce) = response.headers().get(NONCE_HEADER) {
            nonce.to_str().unwrap().clone_into(&mut self.nonce.lock());
        }
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Reply { status, headers, body: response.bytes().await.unwrap().to_vec() }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path)).await
    }

    /// Sends a request with this `Authorization` only.
    pub(crate) async fn show(&self, path: &str, authorization: &str) -> Reply {
        self.send(self.request(Method::GET, path).header("authorization", authorization)).await
    }

    pub(crate) async fn demand(&self, path: &str) -> Offer {
        let reply = self.get(path).await;
        assert_eq!(reply.status, 402, "{reply:?}");
        reply.json()
    }

    /// Returns an offer for one key. The client has a nonce by now.
    pub(crate) async fn demand_for(&self, path: &str, key: &Key) -> Offer {
        let request = self.request(Method::GET, path).header(PROOF_HEADER, self.prove(key, "GET", path, None));
        let reply = self.send(request).await;
        assert_eq!(reply.status, 402, "{reply:?}");
        reply.json()
    }

    pub(crate) async fn redeem(&self, payment: &str, challenge: &str, key: Option<&Key>) -> Reply {
        let body = RedeemRequest { challenge: challenge.to_owned(), jwk: key.map(Key::jwk) };
        let mut request =
            self.request(Method::POST, REDEEM).header("authorization", format!("TPAT {payment}")).json(&body);
        if let Some(key) = key {
            request = request.header(PROOF_HEADER, self.prove(key, "POST", REDEEM, None));
        }
        self.send(request).await
    }

    pub(crate) async fn in_place(&self, path: &str, payment: &str, challenge: &str, key: &Key) -> Reply {
        let request = self.request(Method::GET, path).header("authorization", format!("TPAT {payment}"));
        let request = request.header(CHALLENGE_HEADER, challenge);
        self.send(request.header(PROOF_HEADER, self.prove(key, "GET", path, None))).await
    }

    pub(crate) async fn bearer(&self, path: &str, token: &str) -> Reply {
        self.show(path, &format!("TPAT-Session {token}")).await
    }

    pub(crate) async fn bound(&self, path: &str, token: &str, key: &Key) -> Reply {
        let request = self.request(Method::GET, path).header("authorization", format!("TPAT-Session {token}"));
        self.send(request.header(PROOF_HEADER, self.prove(key, "GET", path, Some(token)))).await
    }

    pub(crate) fn nonce(&self) -> String {
        self.nonce.lock().clone()
    }

    pub(crate) fn prove(&self, key: &Key, method: &str, path: &str, token: Option<&str>) -> String {
        let path = path.split('?').next().unwrap();
        key.prove(method, &self.url(path), &self.nonce(), token)
    }
}
