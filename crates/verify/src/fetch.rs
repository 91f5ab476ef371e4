//! Getting a JWKS.

use crate::key::Keys;
use http::header::CACHE_CONTROL;
use reqwest::{Client, Response, Url, redirect};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(5);
const LONGEST_BODY: usize = 64 * 1024;
/// How long keys serve if the answer does not say.
const DEFAULT_AGE_MS: i64 = 5 * 60_000;
/// What the answer may say: less would ask for every token, more would keep a revoked key too long.
const AGE_MS: std::ops::RangeInclusive<i64> = 60_000..=60 * 60_000;

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("the address of the keys is none")]
    Address,
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error("the answer was {0}")]
    Status(http::StatusCode),
    #[error("the answer is no JWKS with a key that can be used")]
    Content,
    #[error("the last try was a moment ago")]
    Waiting,
}

#[derive(Debug)]
pub struct Fetcher {
    client: Client,
    url: Url,
}

impl Fetcher {
    pub fn new(url: &str) -> Result<Self, FetchError> {
        let url = Url::parse(url).map_err(|_| FetchError::Address)?;
        // Whoever could redirect us could give us keys of their own.
        let client = Client::builder().timeout(TIMEOUT).redirect(redirect::Policy::none()).build()?;
        Ok(Self { client, url })
    }

    /// The keys and how long they serve, in milliseconds.
    pub async fn fetch(&self) -> Result<(Keys, i64), FetchError> {
        let mut answer = self.client.get(self.url.clone()).send().await?;
        if answer.status() != http::StatusCode::OK {
            return Err(FetchError::Status(answer.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > LONGEST_BODY {
                return Err(FetchError::Content);
            }
        }
        let keys = Keys::parse(&body).filter(|keys| !keys.is_empty()).ok_or(FetchError::Content)?;
        Ok((keys, age_ms(&answer)))
    }
}

fn age_ms(answer: &Response) -> i64 {
    let directives = answer.headers().get_all(CACHE_CONTROL).into_iter().filter_map(|value| value.to_str().ok());
    let seconds = directives
        .flat_map(|value| value.split(','))
        .find_map(|directive| directive.trim().strip_prefix("max-age=")?.parse::<i64>().ok());
    let ms = seconds.map_or(DEFAULT_AGE_MS, |seconds| seconds.saturating_mul(1000));
    ms.clamp(*AGE_MS.start(), *AGE_MS.end())
}
