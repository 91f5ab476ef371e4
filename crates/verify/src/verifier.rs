//! Checks of tokens with keys and revocations that are fetched.

use crate::error::Error;
use crate::jwks::Jwks;
use crate::revocations::Revocations;
use crate::token::{Expected, LONGEST_TOKEN, Unverified, judge};
use domain::UnixMs;
use serde::de::DeserializeOwned;

/// Checks tokens of one issuer for one audience.
#[derive(Debug, Clone)]
pub struct Verifier {
    pub keys: Jwks,
    pub issuer: String,
    pub audience: String,
    /// What ended, where somebody asks.
    pub revocations: Option<Revocations>,
}

impl Verifier {
    /// The claims of a token of kind `typ`.
    ///
    /// # Errors
    /// It is not good, or the keys to judge it by are not to be had.
    pub async fn verify<C: DeserializeOwned>(&self, token: &str, typ: &str, now: UnixMs) -> Result<C, Error> {
        let unverified = Unverified::parse(token, typ, LONGEST_TOKEN)?;
        let kid = unverified.kid().to_owned();
        let key = self.keys.find(&kid, now).await?.ok_or(Error::UnknownKey)?;
        let expected = Expected { typ, issuer: &self.issuer, audience: &self.audience };
        let (registered, claims) = judge(unverified, &key, expected, now)?;
        if let Some(revocations) = &self.revocations {
            revocations.check(&kid, registered.sid.as_deref(), now).await?;
        }
        serde_json::from_str(claims.get()).map_err(|_| Error::Claims)
    }
}
