//! The server's metadata at `GET /.well-known/postern`.

use crate::{Error, HttpClient, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use wire::paths;

#[derive(Debug, Clone, Deserialize)]
pub struct Metadata {
    /// The origin for envelopes and proofs.
    pub issuer: String,
    /// Addresses of services, as far as the server knows them.
    #[serde(default)]
    pub services: BTreeMap<String, Service>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub struct Service {
    /// `host:port`, for terminals.
    #[serde(default)]
    pub tcp: Option<String>,
}

/// Fetches the metadata and checks that the server's public URL is the one that was used. Under another URL the server
/// would refuse everything that is encrypted and signed for it.
///
/// # Errors
/// The server cannot be reached, or has another public URL.
pub async fn discover(http: &HttpClient) -> Result<Metadata> {
    let metadata: Metadata = http.get(paths::METADATA).await?;
    let called = http.server().origin();
    if metadata.issuer == called {
        Ok(metadata)
    } else {
        Err(Error::Server(format!("the server at {called} has the public URL {0}: use --server {0}", metadata.issuer)))
    }
}
