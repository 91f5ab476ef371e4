//! HTTP requests and answers.

use crate::{Error, Result, Server};
use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::{Duration, UNIX_EPOCH};
use wire::problem::MEDIA_TYPE;
use wire::toll::MAC_HEADER;
use wire::{Code, Problem};

/// Time limit for a complete API answer: longer than the slowest sign-in, shorter than a person's patience.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Time limit for connecting.
const CONNECT: Duration = Duration::from_secs(15);
/// Time limit without a byte during an answer.
const SILENCE: Duration = Duration::from_secs(30);
/// Maximum length of an answer in memory, in bytes.
const LONGEST: usize = 64 << 20;
/// The header with the nonce for the next proof (RFC 9449, section 8).
const NONCE: &str = "dpop-nonce";
const PROOF: &str = "dpop";
const AGENT: &str = concat!("postern-client/", env!("CARGO_PKG_VERSION"));

/// A client for one server. Follows no redirects, so that a token goes only to its server.
#[derive(Debug, Clone)]
pub struct HttpClient {
    client: Client,
    server: Server,
}

/// The missing part of a body (RFC 9110, section 14).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemainingRange {
    /// Number of received bytes.
    pub from: u64,
    /// The body's version: a strong entity tag, or the time of its last change.
    pub validator: String,
}

/// The optional parts of a request.
#[derive(Clone, Default)]
pub(crate) struct RequestOptions<'a> {
    /// The body as JSON.
    pub body: Option<String>,
    /// The body as `application/x-www-form-urlencoded`, instead of JSON.
    pub form: Option<String>,
    pub token: Option<&'a str>,
    /// An `Authorization` value of a scheme other than `DPoP`, instead of a token.
    pub credential: Option<&'a str>,
    pub proof: Option<&'a str>,
    /// A MAC for a paid gate, instead of a proof.
    pub mac: Option<&'a str>,
    /// The requested part of the answer's body; `None`: all of it.
    pub rest: Option<&'a RemainingRange>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub media_type: String,
    pub body: Vec<u8>,
    /// The target of a redirect, which is not followed.
    pub location: Option<String>,
    headers: HeaderMap,
    origin: String,
    /// The body, if it was not read yet.
    coming: Option<Response>,
}

impl HttpClient {
    /// Creates a client for a server.
    ///
    /// # Errors
    /// The system's certificates cannot be read.
    pub fn new(server: Server) -> Result<Self> {
        Self::with_silence(server, SILENCE)
    }

    /// Creates a client with another limit on the time without a byte.
    ///
    /// # Errors
    /// The system's certificates cannot be read.
    pub fn with_silence(server: Server, silence: Duration) -> Result<Self> {
        let client = Client::builder().redirect(Policy::none()).user_agent(AGENT);
        let client = client.connect_timeout(CONNECT.min(silence)).read_timeout(silence).build();
        let client = client.map_err(|error| Error::Unreachable(server.origin(), error.into()))?;
        Ok(Self { client, server })
    }

    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Sends `GET` without a token and parses the answer.
    ///
    /// # Errors
    /// The server cannot be reached, refuses, or is not a Postern server.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.send(Method::GET, path, RequestOptions::default()).await?.read()
    }

    /// Sends `GET` for any URL without a token and returns any status.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub async fn fetch(&self, url: &str) -> Result<Answer> {
        self.send_to(Method::GET, url, RequestOptions::default()).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, with: RequestOptions<'_>) -> Result<Answer> {
        self.send_to(method, &self.server.at(path), with).await
    }

    /// Returns a complete answer within the time limit.
    pub(crate) async fn send_to(&self, method: Method, url: &str, with: RequestOptions<'_>) -> Result<Answer> {
        let whole = async { self.open(method, url, with).await?.read_to_end().await };
        let late = |_| Error::Unreachable(origin_of(url), "no whole answer within 30 seconds".into());
        tokio::time::timeout(TIMEOUT, whole).await.map_err(late)?
    }

    /// Returns an answer; a successful one's body is not read yet, because it may be long and slow.
    pub(crate) async fn open(&self, method: Method, url: &str, with: RequestOptions<'_>) -> Result<Answer> {
        let mut request = self.client.request(method, url).header(header::ACCEPT, "application/json, */*;q=0.5");
        if let Some(body) = with.body {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body);
        }
        if let Some(form) = with.form {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
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
        if let Some(mac) = with.mac {
            request = request.header(MAC_HEADER, mac);
        }
        if let Some(RemainingRange { from, validator }) = with.rest {
            request = request.header(header::RANGE, format!("bytes={from}-")).header(header::IF_RANGE, validator);
        }
        let response = request.send().await.map_err(|error| unreachable(&origin_of(url), error))?;
        let headers = response.headers().clone();
        let header = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
        let answer = Answer {
            status: response.status().as_u16(),
            media_type: header("content-type").unwrap_or_default(),
            location: header("location"),
            origin: origin_of(url),
            body: Vec::new(),
            coming: Some(response),
            headers,
        };
        if answer.is_ok() { Ok(answer) } else { answer.read_to_end().await }
    }
}

impl Answer {
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Returns the next piece of an unread body; `None` at the end.
    ///
    /// # Errors
    /// The connection broke, or no byte arrived for too long.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>> {
        let Some(response) = &mut self.coming else {
            let body = std::mem::take(&mut self.body);
            return Ok(if body.is_empty() { None } else { Some(body) });
        };
        let chunk = response.chunk().await.map_err(|error| unreachable(&self.origin, error))?;
        Ok(chunk.map(Vec::from))
    }

    /// Reads the whole body.
    ///
    /// # Errors
    /// The connection broke, no byte arrived for too long, or the body is too long.
    pub async fn read_to_end(mut self) -> Result<Self> {
        while self.coming.is_some() {
            match self.chunk().await? {
                Some(chunk) if self.body.len() + chunk.len() > LONGEST => return Err(Error::TooLong(self.origin)),
                Some(chunk) => self.body.extend_from_slice(&chunk),
                None => self.coming = None,
            }
        }
        Ok(self)
    }

    /// Returns the body's length, if the server sends it.
    pub(crate) fn length(&self) -> Option<u64> {
        self.header("content-length")?.parse().ok()
    }

    /// Whether it is the part of a body that starts at a byte (RFC 9110, section 14.4).
    pub(crate) fn starts_at(&self, byte: u64) -> bool {
        let range = self.header("content-range").and_then(|range| range.strip_prefix("bytes "));
        range.and_then(|range| range.split_once('-')).is_some_and(|(first, _)| first.parse() == Ok(byte))
    }

    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// Converts an unsuccessful answer to an error.
    pub(crate) fn refusal(&self) -> Error {
        self.problem().map_or_else(|| self.foreign(), |problem| Error::Refused(Box::new(problem)))
    }

    /// Returns the problem details, if the answer has them.
    pub fn problem(&self) -> Option<Problem> {
        if self.is_ok() || !self.media_type.starts_with(MEDIA_TYPE) {
            return None;
        }
        serde_json::from_slice(&self.body).ok()
    }

    /// Returns a header's first value, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the answer's `Date` in unix seconds (RFC 9110, section 6.6.1).
    pub(crate) fn date(&self) -> Option<u64> {
        let date = httpdate::parse_http_date(self.header("date")?).ok()?;
        Some(date.duration_since(UNIX_EPOCH).ok()?.as_secs())
    }

    /// Returns all values of a header that are text.
    pub(crate) fn headers<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
    }

    /// Returns the nonce for the next proof (RFC 9449, section 8).
    pub(crate) fn nonce(&self) -> Option<&str> {
        self.header(NONCE)
    }

    pub(crate) fn code(&self) -> Option<Code> {
        self.problem().map(|problem| problem.code)
    }

    /// Returns the answer if it is successful.
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
    // Serialization fails only for maps with non-text keys and for failing custom implementations.
    serde_json::to_string(value).unwrap_or_default()
}

fn unreachable(origin: &str, error: reqwest::Error) -> Error {
    Error::Unreachable(origin.to_owned(), error.without_url().into())
}

fn origin_of(url: &str) -> String {
    reqwest::Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.origin().ascii_serialization())
}
