//! One request and its answer.

use crate::{Error, Result, Server};
use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Method};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use wire::problem::MEDIA_TYPE;
use wire::{Code, Problem};

/// Longer than the slowest honest sign-in, shorter than a person's patience.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The server's header for the nonce of the next proof (RFC 9449, section 8).
const NONCE: &str = "dpop-nonce";
const PROOF: &str = "dpop";
const AGENT: &str = concat!("postern-client/", env!("CARGO_PKG_VERSION"));

/// Speaks to one server. Follows no redirect: a token goes to whom it is for.
#[derive(Debug, Clone)]
pub struct Http {
    client: Client,
    server: Server,
}

/// What a request carries beside its path.
#[derive(Default)]
pub(crate) struct With<'a> {
    pub body: Option<String>,
    pub token: Option<&'a str>,
    /// `Authorization` of another scheme than `DPoP`, in place of a token.
    pub credential: Option<&'a str>,
    pub proof: Option<&'a str>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub media_type: String,
    pub body: Vec<u8>,
    /// Where a redirect leads, which nobody followed.
    pub location: Option<String>,
    headers: HeaderMap,
    origin: String,
}

impl Http {
    /// # Errors
    /// The system's certificates cannot be read.
    pub fn new(server: Server) -> Result<Self> {
        let client = Client::builder().redirect(Policy::none()).timeout(TIMEOUT).user_agent(AGENT).build();
        let client = client.map_err(|error| Error::Unreachable(server.origin(), error.into()))?;
        Ok(Self { client, server })
    }

    pub fn server(&self) -> &Server {
        &self.server
    }

    /// # Errors
    /// The server cannot be reached, refuses, or is none of ours.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.send(Method::GET, path, With::default()).await?.read()
    }

    /// `GET` of any URL without a token, whatever the answer is.
    ///
    /// # Errors
    /// Nobody answers.
    pub async fn fetch(&self, url: &str) -> Result<Answer> {
        self.send_to(Method::GET, url, With::default()).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, with: With<'_>) -> Result<Answer> {
        self.send_to(method, &self.server.at(path), with).await
    }

    pub(crate) async fn send_to(&self, method: Method, url: &str, with: With<'_>) -> Result<Answer> {
        let mut request = self.client.request(method, url).header(header::ACCEPT, "application/json, */*;q=0.5");
        if let Some(body) = with.body {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body);
        }
        if let Some(token) = with.token {
            // Every session of this client is bound to its key (RFC 9449, section 7.1).
            if let Ok(mut value) = HeaderValue::try_from(format!("DPoP {token}")) {
                value.set_sensitive(true);
                request = request.header(header::AUTHORIZATION, value);
            }
        }
        if let Some(credential) = with.credential {
            request = request.header(header::AUTHORIZATION, credential);
        }
        if let Some(proof) = with.proof {
            request = request.header(PROOF, proof);
        }
        let unreachable = |error: reqwest::Error| Error::Unreachable(origin_of(url), error.without_url().into());
        let response = request.send().await.map_err(unreachable)?;
        let headers = response.headers().clone();
        let header = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
        Ok(Answer {
            status: response.status().as_u16(),
            media_type: header("content-type").unwrap_or_default(),
            location: header("location"),
            origin: origin_of(url),
            body: response.bytes().await.map_err(unreachable)?.into(),
            headers,
        })
    }
}

impl Answer {
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// What went wrong, if Postern says so.
    pub fn problem(&self) -> Option<Problem> {
        if self.is_ok() || !self.media_type.starts_with(MEDIA_TYPE) {
            return None;
        }
        serde_json::from_slice(&self.body).ok()
    }

    /// A header's first value, where it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// All values of a header that are text.
    pub(crate) fn headers<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
    }

    /// For the next proof (RFC 9449, section 8).
    pub(crate) fn nonce(&self) -> Option<&str> {
        self.header(NONCE)
    }

    pub(crate) fn code(&self) -> Option<Code> {
        self.problem().map(|problem| problem.code)
    }

    /// The answer itself, unless it is a refusal.
    pub(crate) fn accepted(self) -> Result<Self> {
        match self.problem() {
            Some(problem) => Err(Error::Refused(Box::new(problem))),
            None if self.is_ok() => Ok(self),
            None => Err(self.foreign()),
        }
    }

    pub(crate) fn read<T: DeserializeOwned>(self) -> Result<T> {
        let answer = self.accepted()?;
        serde_json::from_slice(&answer.body).map_err(|_| answer.foreign())
    }

    pub(crate) fn foreign(&self) -> Error {
        Error::Foreign(self.origin.clone(), self.status)
    }
}

pub(crate) fn json(value: &impl Serialize) -> String {
    // Only maps with keys that are no text, and own failing implementations, cannot be written.
    serde_json::to_string(value).unwrap_or_default()
}

fn origin_of(url: &str) -> String {
    reqwest::Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.origin().ascii_serialization())
}
