//! Requests to the issuer for its keys and its revocation list.

use crate::key::Keys;
use http::StatusCode;
use http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use reqwest::{Client, Response, Url, redirect};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(5);
const LONGEST_KEYS: usize = 64 * 1024;
/// Maximum length of a list in bytes, sufficient for some hundred thousand sessions.
const LONGEST_LIST: usize = 4 * 1024 * 1024;
/// Default lifetime of keys without `max-age`.
const DEFAULT_AGE_MS: i64 = 5 * 60_000;
/// Accepted range of `max-age`: less would cause a request for every token, more would keep a revoked key too long.
const AGE_MS: std::ops::RangeInclusive<i64> = 60_000..=60 * 60_000;

/// The reason why the issuer's answer cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("this is not a URL that can be fetched")]
    Address,
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error("the answer has status {0}")]
    Status(http::StatusCode),
    #[error("the answer is not a JWKS with a usable key")]
    Content,
    #[error("the answer is not a current revocation list signed by the issuer")]
    List,
    #[error("fetched a moment ago: not repeated")]
    Waiting,
}

#[derive(Debug)]
pub(crate) struct Fetcher {
    client: Client,
    url: Url,
}

impl Fetcher {
    pub(crate) fn new(url: &str) -> Result<Self, FetchError> {
        let url = Url::parse(url).map_err(|_| FetchError::Address)?;
        // A server that could redirect us could substitute its own keys.
        let client = Client::builder().timeout(TIMEOUT).redirect(redirect::Policy::none()).build()?;
        Ok(Self { client, url })
    }

    /// Returns the keys and their lifetime in milliseconds.
    pub(crate) async fn fetch(&self) -> Result<(Keys, i64), FetchError> {
        let answer = self.client.get(self.url.clone()).send().await?;
        let age = age_ms(&answer);
        let body = body(answer, LONGEST_KEYS).await?;
        let keys = Keys::parse(&body).filter(|keys| !keys.is_empty()).ok_or(FetchError::Content)?;
        Ok((keys, age))
    }

    /// Returns the list and its validator. `None`: the list of `etag` is still current.
    pub(crate) async fn fetch_list(&self, etag: Option<&str>) -> Result<Option<(String, Option<String>)>, FetchError> {
        let request = self.client.get(self.url.clone());
        let request = etag.into_iter().fold(request, |request, etag| request.header(IF_NONE_MATCH, etag));
        let answer = request.send().await?;
        if answer.status() == StatusCode::NOT_MODIFIED && etag.is_some() {
            return Ok(None);
        }
        let etag = answer.headers().get(ETAG).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let text = String::from_utf8(body(answer, LONGEST_LIST).await?).map_err(|_| FetchError::List)?;
        Ok(Some((text, etag)))
    }
}

async fn body(mut answer: Response, longest: usize) -> Result<Vec<u8>, FetchError> {
    if answer.status() != StatusCode::OK {
        return Err(FetchError::Status(answer.status()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > longest {
            return Err(FetchError::Content);
        }
    }
    Ok(body)
}

fn age_ms(answer: &Response) -> i64 {
    let directives = answer.headers().get_all(CACHE_CONTROL).into_iter().filter_map(|value| value.to_str().ok());
    let seconds = directives
        .flat_map(|value| value.split(','))
        .find_map(|directive| directive.trim().strip_prefix("max-age=")?.parse::<i64>().ok());
    let ms = seconds.map_or(DEFAULT_AGE_MS, |seconds| seconds.saturating_mul(1000));
    ms.clamp(*AGE_MS.start(), *AGE_MS.end())
}
