//! One request and its answer.

use crate::{Error, Result};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Limits of requests to a node or wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RpcLimits {
    /// Maximum time of waiting for a free slot, and then of a request.
    pub timeout: Duration,
    /// Maximum number of concurrent requests.
    pub at_once: usize,
    /// Maximum length of an answer in bytes.
    pub longest: usize,
}

impl Default for RpcLimits {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(10), at_once: 8, longest: 16 << 20 }
    }
}

#[derive(Debug)]
pub(crate) struct Rpc {
    client: Client,
    base: Url,
    limits: RpcLimits,
    places: Semaphore,
}

#[derive(Serialize)]
struct RpcRequest<'a, T> {
    jsonrpc: &'static str,
    id: &'static str,
    method: &'a str,
    params: T,
}

#[derive(Deserialize)]
struct RpcResponse<T> {
    result: Option<T>,
    error: Option<RpcError>,
}

#[derive(Deserialize)]
struct RpcError {
    code: i64,
    message: String,
}

impl Rpc {
    /// Creates a client for a URL.
    ///
    /// # Errors
    /// [`Error::Malformed`]: the URL is not `http` or `https`.
    pub(crate) fn new(url: &str, limits: RpcLimits) -> Result<Self> {
        let malformed = || Error::Malformed("the address of a node or wallet".to_owned());
        let base = Url::parse(url).map_err(|_| malformed())?;
        if !matches!(base.scheme(), "http" | "https") || base.cannot_be_a_base() {
            return Err(malformed());
        }
        let client = Client::builder().redirect(Policy::none()).timeout(limits.timeout).no_proxy().build();
        let client = client.map_err(|error| Error::Unreachable(origin(&base), error.into()))?;
        Ok(Self { client, base, limits, places: Semaphore::new(limits.at_once) })
    }

    /// Calls a method of `/json_rpc`.
    pub(crate) async fn call<T: DeserializeOwned>(&self, method: &str, params: impl Serialize) -> Result<T> {
        let question = RpcRequest { jsonrpc: "2.0", id: "0", method, params };
        let answer: RpcResponse<T> = self.post("json_rpc", question).await?;
        if let Some(RpcError { code, message }) = answer.error {
            return Err(Error::Refused { endpoint: self.name(), code, message });
        }
        answer.result.ok_or_else(|| Error::Malformed(self.name()))
    }

    /// Calls another path.
    pub(crate) async fn post<T: DeserializeOwned>(&self, path: &str, body: impl Serialize) -> Result<T> {
        let position = tokio::time::timeout(self.limits.timeout, self.places.acquire()).await;
        let _place = position.map_err(|_| Error::Busy(self.name()))?.map_err(|_| Error::Ending)?;
        let bytes = self.ask(path, &body).await?;
        serde_json::from_slice(&bytes).map_err(|_| Error::Malformed(self.name()))
    }

    async fn ask(&self, path: &str, body: &impl Serialize) -> Result<Vec<u8>> {
        let url = self.base.join(path).map_err(|_| Error::Malformed(self.name()))?;
        let body = serde_json::to_vec(body).map_err(|_| Error::Malformed(self.name()))?;
        let request = self.client.post(url).header("content-type", "application/json").body(body);
        let mut response = request.send().await.map_err(|error| self.broken(error))?;
        if !response.status().is_success() {
            let code = i64::from(response.status().as_u16());
            return Err(Error::Refused { endpoint: self.name(), code, message: "an HTTP error".to_owned() });
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.broken(error))? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > self.limits.longest {
                return Err(Error::Malformed(self.name()));
            }
        }
        Ok(bytes)
    }

    fn broken(&self, error: reqwest::Error) -> Error {
        if error.is_timeout() {
            return Error::Timeout(self.name());
        }
        Error::Unreachable(self.name(), error.without_url().into())
    }

    /// Returns the maximum length of an answer.
    pub(crate) fn longest(&self) -> usize {
        self.limits.longest
    }

    /// Returns scheme, host and port, without a password in the URL.
    pub(crate) fn name(&self) -> String {
        origin(&self.base)
    }
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}
