//! The upstream programs.

mod body_limit;
mod body_progress;
mod breaker;
mod forward;

pub use breaker::{CircuitBreaker, Health};
pub use forward::{ForwardSettings, Upstream};

use http::Uri;
use http::uri::Scheme;

/// An upstream's URL: `http://host:port`, with an optional path that is prepended to the request's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamAddress(String);

/// The text is not an upstream's URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is not an upstream URL: write http://127.0.0.1:8080, with a path if needed")]
pub struct InvalidUpstreamAddress;

impl std::str::FromStr for UpstreamAddress {
    type Err = InvalidUpstreamAddress;

    fn from_str(text: &str) -> Result<Self, InvalidUpstreamAddress> {
        let uri = text.parse::<Uri>().ok().filter(|uri| uri.scheme() == Some(&Scheme::HTTP) && uri.query().is_none());
        let named =
            uri.and_then(|uri| uri.into_parts().authority).filter(|authority| !authority.as_str().contains('@'));
        match named {
            Some(authority) if !authority.host().is_empty() => Ok(Self(text.to_owned())),
            _ => Err(InvalidUpstreamAddress),
        }
    }
}

impl UpstreamAddress {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns `host:port` to connect to.
    pub fn endpoint(&self) -> String {
        let authority = self.0.parse::<Uri>().ok().and_then(|uri| uri.into_parts().authority);
        authority.map_or_else(String::new, |authority| match authority.port() {
            Some(_) => authority.to_string(),
            None => format!("{authority}:80"),
        })
    }
}
