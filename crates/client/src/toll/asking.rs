//! Requests to a gate, with the proof that the client's key is here.

use super::bill::Bill;
use crate::http::{With, json};
use crate::keys::Claims;
use crate::{Answer, Error, Http, Machine, ProofKey, Rest, Result};
use reqwest::{Method, Url};
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use wire::jwk::VerifyingJwk;
use wire::toll::{Code, Problem, Redeem, SCHEME, SESSION_SCHEME};

/// One gate, and the nonce that it told last (RFC 9449, section 8).
#[derive(Debug)]
pub struct Gate<'a> {
    http: &'a Http,
    machine: &'a dyn Machine,
    nonce: Mutex<Option<String>>,
}

impl<'a> Gate<'a> {
    pub fn new(http: &'a Http, machine: &'a dyn Machine) -> Self {
        Self { http, machine, nonce: Mutex::default() }
    }

    pub fn http(&self) -> &Http {
        self.http
    }

    /// Without paying.
    pub async fn plainly(&self, url: &str) -> Result<Answer> {
        self.http.open(Method::GET, url, With::default()).await
    }

    /// Without paying, and signed where the gate has told a nonce: what it offers then is for this key alone. A
    /// second time where the nonce was too old for that.
    pub async fn for_key(&self, key: &ProofKey, url: &str, rest: Option<&Rest>) -> Result<Answer> {
        let target = without_query(url)?;
        let mut first = true;
        loop {
            let nonce = self.nonce.lock().await.clone();
            let claims = Claims { method: "GET", url: &target, nonce: nonce.as_deref(), token: None };
            let proof = if nonce.is_some() { Some(key.prove(self.machine, claims)?) } else { None };
            let answer = self.http.open(Method::GET, url, With { proof: proof.as_deref(), rest, ..With::default() });
            let answer = answer.await?;
            self.hear(&answer).await;
            let for_any = matches!(bill(&answer), Ok(Some(Bill { jkt: None, .. })));
            if proof.is_none() || !for_any || !first {
                return Ok(answer);
            }
            first = false;
        }
    }

    /// `GET` with a token.
    pub async fn with_token(&self, key: &ProofKey, url: &str, token: &str, rest: Option<&Rest>) -> Result<Answer> {
        let credential = format!("{SESSION_SCHEME} {token}");
        let with = With { credential: Some(&credential), rest, ..With::default() };
        self.proven(key, Method::GET, url, with, Some(token)).await
    }

    /// Shows a payment, for a token that is bound to the key.
    pub async fn redeem(&self, key: &ProofKey, path: &str, shown: &Shown<'_>) -> Result<Answer> {
        let jwk = Some(VerifyingJwk::Ec(key.public().clone()));
        let body = json(&Redeem { challenge: shown.challenge.to_owned(), jwk });
        let credential = format!("{SCHEME} {}:{}", shown.txid, shown.proof);
        let url = self.http.server().at(path);
        let with = With { body: Some(body), credential: Some(&credential), ..With::default() };
        self.proven(key, Method::POST, &url, with, None).await?.whole().await
    }

    /// A second time where the gate wants its nonce in the proof.
    async fn proven(
        &self,
        key: &ProofKey,
        method: Method,
        url: &str,
        with: With<'_>,
        token: Option<&str>,
    ) -> Result<Answer> {
        let mut first = true;
        loop {
            let nonce = self.nonce.lock().await.clone();
            let target = without_query(url)?;
            let claims = Claims { method: method.as_str(), url: &target, nonce: nonce.as_deref(), token };
            let proof = key.prove(self.machine, claims)?;
            let with = With { proof: Some(&proof), ..with.clone() };
            let answer = self.http.open(method.clone(), url, with).await?;
            self.hear(&answer).await;
            let stale = problem(&answer).is_some_and(|problem| problem.code == Code::UseDpopNonce);
            if !stale || !first {
                return Ok(answer);
            }
            first = false;
        }
    }

    /// Notes the nonce for the next proof.
    async fn hear(&self, answer: &Answer) {
        if let Some(nonce) = answer.nonce() {
            *self.nonce.lock().await = Some(nonce.to_owned());
        }
    }
}

/// A payment as it is shown.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    pub challenge: &'a str,
    pub txid: &'a str,
    pub proof: &'a str,
}

/// What an answer asks to be paid; `None`: it asks for nothing.
pub fn bill(answer: &Answer) -> Result<Option<Bill>> {
    if answer.status != 402 {
        return Ok(None);
    }
    Ok(Bill::find(answer.headers("www-authenticate"))?)
}

/// What the gate says is wrong, if it is the gate that says so.
pub fn problem(answer: &Answer) -> Option<Problem> {
    if answer.is_ok() || !answer.media_type.starts_with(wire::problem::MEDIA_TYPE) {
        return None;
    }
    serde_json::from_slice(&answer.body).ok()
}

pub fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T> {
    serde_json::from_slice(&answer.body).map_err(|_| answer.foreign())
}

/// What a proof is made over (RFC 9449, section 4.2): the URL as it is sent, without query and fragment.
fn without_query(url: &str) -> Result<String> {
    let mut url = Url::parse(url).map_err(|_| Error::Server(format!("{url:?} is no URL")))?;
    url.set_query(None);
    url.set_fragment(None);
    Ok(url.to_string())
}
