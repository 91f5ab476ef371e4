//! Requests to a gate, with proofs of the client's key.

use super::agreed_keys::{AgreedKeys, Proposal};
use super::offer::{Offer, UnusableOffer};
use crate::http::{RequestOptions, json};
use crate::keys::ProofClaims;
use crate::{Answer, Environment, Error, HttpClient, ProofKey, RemainingRange, Result};
use domain::authority::{Authority, Origin};
use reqwest::{Method, Url};
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use tpat::Thumbprint;
use tpat::header::{AuthChallenge, parse};
use tpat::mac::CoveredRequest;
use wire::jwk::VerifyingJwk;
use wire::toll::{MAC_KEY_HEADER, RedeemRequest, SCHEME, SESSION_SCHEME, TollCode, TollProblem};

/// A gate, its latest nonce (RFC 9449, section 8), and the keys agreed on with it.
#[derive(Debug)]
pub(super) struct GateClient<'a> {
    http: &'a HttpClient,
    environment: &'a dyn Environment,
    agreed: &'a AgreedKeys,
    nonce: Mutex<Option<String>>,
}

impl<'a> GateClient<'a> {
    pub(super) fn new(http: &'a HttpClient, environment: &'a dyn Environment, agreed: &'a AgreedKeys) -> Self {
        Self { http, environment, agreed, nonce: Mutex::default() }
    }

    pub(super) fn http(&self) -> &HttpClient {
        self.http
    }

    /// Sends a request without paying or signing.
    pub(super) async fn get_unpaid(&self, url: &str) -> Result<Answer> {
        let answer = self.http.open(Method::GET, url, RequestOptions::default()).await?;
        self.note_nonce(&answer).await;
        self.checked(answer)
    }

    /// Sends a request without paying, signed if a nonce is known. The offer is then for this key only. Repeats it if
    /// the nonce was too old.
    pub(super) async fn for_key(&self, key: &ProofKey, url: &str, rest: Option<&RemainingRange>) -> Result<Answer> {
        let target = without_query(url)?;
        let mut first = true;
        loop {
            let nonce = self.nonce.lock().await.clone();
            let claims =
                ProofClaims { method: "GET", url: &target, nonce: nonce.as_deref(), token: None, mac_epk: None };
            let proof = if nonce.is_some() { Some(key.prove(self.environment, claims)?) } else { None };
            let answer = self.http.open(
                Method::GET,
                url,
                RequestOptions { proof: proof.as_deref(), rest, ..RequestOptions::default() },
            );
            let answer = answer.await?;
            self.note_nonce(&answer).await;
            // A signed request also lets the gate detect a proxy that rewrites the host, and report it to its operator.
            let again = match proof {
                Some(_) => matches!(offer(&answer), Ok(Some(Offer { jkt: None, .. }))),
                None => self.is_elsewhere(&answer) && self.nonce.lock().await.is_some(),
            };
            if !again || !first {
                return self.checked(answer);
            }
            first = false;
        }
    }

    /// Sends `GET` with a token, and a MAC if a key is agreed on. Otherwise, or if the gate refuses the MAC, signs the
    /// request, and proposes a key for the next one.
    pub(super) async fn with_token(
        &self,
        key: &ProofKey,
        url: &str,
        token: &str,
        rest: Option<&RemainingRange>,
    ) -> Result<Answer> {
        let credential = format!("{SESSION_SCHEME} {token}");
        let with = RequestOptions { credential: Some(&credential), rest, ..RequestOptions::default() };
        let target = without_query(url)?;
        let request = CoveredRequest { method: "GET", url: &target };
        if let Some(mac) = self.agreed.sign(token, request, self.environment.now()) {
            let text = mac.to_string();
            let with = RequestOptions { mac: Some(&text), ..with.clone() };
            let answer = self.http.open(Method::GET, url, with).await?;
            self.note_nonce(&answer).await;
            let refused = is_stale(&answer);
            self.agreed.note(token, mac.id, !refused, self.environment.now());
            if !refused {
                return self.checked(answer);
            }
        }
        let proposal = self.agreed.propose(self.environment)?;
        let claim = proposal.as_ref().map(Proposal::claim);
        let answer = self.proven(key, Method::GET, url, with, Signed { token: Some(token), mac_epk: claim }).await?;
        if let Some(proposal) = proposal.filter(|_| answer.is_ok() || answer.header(MAC_KEY_HEADER).is_some()) {
            let holder = Thumbprint::of(&key.public().thumbprint_input());
            let now = self.environment.now();
            self.agreed.agree(&proposal, answer.header(MAC_KEY_HEADER), holder, token, now);
        }
        Ok(answer)
    }

    /// Presents a payment for a token that is bound to the key.
    pub(super) async fn redeem(&self, key: &ProofKey, path: &str, shown: &PresentedPayment<'_>) -> Result<Answer> {
        let jwk = Some(VerifyingJwk::Ec(key.public().clone()));
        let body = json(&RedeemRequest { challenge: shown.challenge.to_owned(), jwk });
        let credential = format!("{SCHEME} {}:{}", shown.txid, shown.proof);
        let url = self.http.server().at(path);
        let with = RequestOptions { body: Some(body), credential: Some(&credential), ..RequestOptions::default() };
        self.proven(key, Method::POST, &url, with, Signed::default()).await?.read_to_end().await
    }

    /// Sends a request with a proof, and again if the gate requires its nonce.
    async fn proven(
        &self,
        key: &ProofKey,
        method: Method,
        url: &str,
        with: RequestOptions<'_>,
        signed: Signed<'_>,
    ) -> Result<Answer> {
        let target = without_query(url)?;
        let mut first = true;
        loop {
            let nonce = self.nonce.lock().await.clone();
            let claims = ProofClaims {
                method: method.as_str(),
                url: &target,
                nonce: nonce.as_deref(),
                token: signed.token,
                mac_epk: signed.mac_epk.as_deref(),
            };
            let proof = key.prove(self.environment, claims)?;
            let with = RequestOptions { proof: Some(&proof), ..with.clone() };
            let answer = self.http.open(method.clone(), url, with).await?;
            self.note_nonce(&answer).await;
            if !is_stale(&answer) || !first {
                return self.checked(answer);
            }
            first = false;
        }
    }

    /// Refuses an offer under another host than the given one, before anything is paid.
    fn checked(&self, answer: Answer) -> Result<Answer> {
        match problem(&answer) {
            Some(problem) if problem.code == TollCode::HostRewritten => Err(Error::Gate(Box::new(problem))),
            _ if self.is_elsewhere(&answer) => Err(UnusableOffer::OtherHost.into()),
            _ => Ok(answer),
        }
    }

    /// Whether the gate was asked under another host than the given one.
    fn is_elsewhere(&self, answer: &Answer) -> bool {
        let challenges = answer.headers("www-authenticate").filter_map(|value| parse(value).ok()).flatten();
        let realms = challenges.filter(AuthChallenge::is_tpat).filter_map(|tpat| tpat.get("realm").map(str::to_owned));
        let origin = self.http.server().origin();
        answer.status == 402 && realms.take(1).any(|realm| !is_authority_of(&origin, &realm))
    }

    /// Stores the nonce for the next proof.
    async fn note_nonce(&self, answer: &Answer) {
        if let Some(nonce) = answer.nonce() {
            *self.nonce.lock().await = Some(nonce.to_owned());
        }
    }
}

/// The claims of a proof beside those that every proof has.
#[derive(Debug, Default)]
struct Signed<'a> {
    token: Option<&'a str>,
    mac_epk: Option<String>,
}

/// Whether the gate requires another proof, with its nonce.
fn is_stale(answer: &Answer) -> bool {
    problem(answer).is_some_and(|problem| problem.code == TollCode::UseDpopNonce)
}

/// Whether an authority belongs to an origin; the scheme's default port is optional.
fn is_authority_of(origin: &str, authority: &str) -> bool {
    let Ok(own) = Origin::parse(origin) else { return false };
    Authority::parse(authority, own.https).is_ok_and(|named| named == own.authority)
}

/// A payment as presented to a gate.
#[derive(Debug, Clone, Copy)]
pub(super) struct PresentedPayment<'a> {
    pub challenge: &'a str,
    pub txid: &'a str,
    pub proof: &'a str,
}

/// Returns the offer in an answer; `None`: it has none.
pub(super) fn offer(answer: &Answer) -> Result<Option<Offer>> {
    if answer.status != 402 {
        return Ok(None);
    }
    Ok(Offer::find(answer.headers("www-authenticate"))?)
}

/// Returns the gate's problem details, if the answer is from a gate.
pub(super) fn problem(answer: &Answer) -> Option<TollProblem> {
    if answer.is_ok() || !answer.media_type.starts_with(wire::problem::MEDIA_TYPE) {
        return None;
    }
    serde_json::from_slice(&answer.body).ok()
}

pub(super) fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T> {
    serde_json::from_slice(&answer.body).map_err(|_| answer.foreign())
}

/// Returns the URL for a proof (RFC 9449, section 4.2): as sent, without query and fragment.
fn without_query(url: &str) -> Result<String> {
    let mut url =
        Url::parse(url).map_err(|_| Error::Server("this is not a URL: write https://example.com/path".to_owned()))?;
    url.set_query(None);
    url.set_fragment(None);
    Ok(url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_the_same_with_and_without_the_port_of_its_scheme() {
        for (origin, authority, same) in [
            ("https://api.example", "api.example", true),
            ("https://api.example", "API.example:443", true),
            ("http://api.example", "api.example:80", true),
            ("https://api.example", "api.example:80", false),
            ("https://api.example:8443", "api.example", false),
            ("https://api.example", "gate", false),
            ("https://api.example", "127.0.0.1:3004", false),
            ("http://[::1]:3004", "[::1]:3004", true),
            ("https://api.example", "", false),
        ] {
            assert_eq!(is_authority_of(origin, authority), same, "{origin} {authority}");
        }
    }
}
