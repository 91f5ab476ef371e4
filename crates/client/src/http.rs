//! One request and its answer.

use crate::download::Rest;
use crate::{Error, Result, Server};
use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::{Duration, UNIX_EPOCH};
use wire::problem::MEDIA_TYPE;
use wire::{Code, Problem};

/// For a whole answer of an API. Longer than the slowest honest sign-in, shorter than a person's patience.
const TIMEOUT: Duration = Duration::from_secs(30);
/// For a connection to be made.
const CONNECT: Duration = Duration::from_secs(15);
/// How long nothing may come where something is still to come.
const SILENCE: Duration = Duration::from_secs(30);
/// Bytes of the longest answer that is held whole.
const LONGEST: usize = 64 << 20;
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
#[derive(Clone, Default)]
pub(crate) struct With<'a> {
    pub body: Option<String>,
    pub token: Option<&'a str>,
    /// `Authorization` of another scheme than `DPoP`, in place of a token.
    pub credential: Option<&'a str>,
    pub proof: Option<&'a str>,
    /// Only this part of the body.
    pub rest: Option<&'a Rest>,
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
    /// The body, where it was not read yet.
    coming: Option<Response>,
}

impl Http {
    /// # Errors
    /// The system's certificates cannot be read.
    pub fn new(server: Server) -> Result<Self> {
        Self::with_silence(server, SILENCE)
    }

    /// With another limit on how long nothing may come.
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

    /// A whole answer, within the time for one.
    pub(crate) async fn send_to(&self, method: Method, url: &str, with: With<'_>) -> Result<Answer> {
        let whole = async { self.open(method, url, with).await?.whole().await };
        let late = |_| Error::Unreachable(origin_of(url), "no whole answer within 30 seconds".into());
        tokio::time::timeout(TIMEOUT, whole).await.map_err(late)?
    }

    /// An answer whose body is still to come where it is a good one: that may be long, and take long.
    pub(crate) async fn open(&self, method: Method, url: &str, with: With<'_>) -> Result<Answer> {
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
        if let Some(Rest { from, validator }) = with.rest {
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
        if answer.is_ok() { Ok(answer) } else { answer.whole().await }
    }
}

impl Answer {
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The next piece of a body that was not read yet; `None`: that was all.
    ///
    /// # Errors
    /// The connection broke, or nothing comes for too long.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>> {
        let Some(response) = &mut self.coming else {
            let body = std::mem::take(&mut self.body);
            return Ok(if body.is_empty() { None } else { Some(body) });
        };
        let chunk = response.chunk().await.map_err(|error| unreachable(&self.origin, error))?;
        Ok(chunk.map(Vec::from))
    }

    /// With all of its body.
    ///
    /// # Errors
    /// The connection broke, nothing comes for too long, or it is too long to be held.
    pub async fn whole(mut self) -> Result<Self> {
        while self.coming.is_some() {
            match self.chunk().await? {
                Some(chunk) if self.body.len() + chunk.len() > LONGEST => return Err(Error::TooLong(self.origin)),
                Some(chunk) => self.body.extend_from_slice(&chunk),
                None => self.coming = None,
            }
        }
        Ok(self)
    }

    /// Bytes of the body, where the server says so.
    pub(crate) fn length(&self) -> Option<u64> {
        self.header("content-length")?.parse().ok()
    }

    /// Whether it is the part of a body that begins at a byte (RFC 9110, section 14.4).
    pub(crate) fn starts_at(&self, byte: u64) -> bool {
        let range = self.header("content-range").and_then(|range| range.strip_prefix("bytes "));
        range.and_then(|range| range.split_once('-')).is_some_and(|(first, _)| first.parse() == Ok(byte))
    }

    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// An answer that is none of those that were hoped for, as an error.
    pub(crate) fn refusal(&self) -> Error {
        self.problem().map_or_else(|| self.foreign(), |problem| Error::Refused(Box::new(problem)))
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

    /// When it was made by the clock of whoever answered: unix seconds (RFC 9110, section 6.6.1).
    pub(crate) fn date(&self) -> Option<u64> {
        let date = httpdate::parse_http_date(self.header("date")?).ok()?;
        Some(date.duration_since(UNIX_EPOCH).ok()?.as_secs())
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

fn unreachable(origin: &str, error: reqwest::Error) -> Error {
    Error::Unreachable(origin.to_owned(), error.without_url().into())
}

fn origin_of(url: &str) -> String {
    reqwest::Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.origin().ascii_serialization())
}
