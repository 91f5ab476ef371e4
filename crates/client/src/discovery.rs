//! `GET /.well-known/postern`: what a server says of itself.

use crate::{Error, Http, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use wire::paths;

#[derive(Debug, Clone, Deserialize)]
pub struct Metadata {
    /// The origin that envelopes and proofs are made for.
    pub issuer: String,
    /// Where services listen, as far as the server knows.
    #[serde(default)]
    pub services: BTreeMap<String, Service>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub struct Service {
    /// `host:port`, for terminals.
    #[serde(default)]
    pub tcp: Option<String>,
}

/// Asks the server, and makes sure that it goes by the name that it was called: under another one
/// nothing that is sealed and signed for it would be taken.
///
/// # Errors
/// It cannot be reached, or it is another.
pub async fn discover(http: &Http) -> Result<Metadata> {
    let metadata: Metadata = http.get(paths::METADATA).await?;
    let called = http.server().origin();
    if metadata.issuer == called {
        Ok(metadata)
    } else {
        Err(Error::Server(format!("the server at {called} goes by {0}: use --server {0}", metadata.issuer)))
    }
}
