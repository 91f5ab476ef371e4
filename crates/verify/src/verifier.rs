//! Checks of tokens with keys and revocations that are fetched.

use crate::error::TokenError;
use crate::jwks::Jwks;
use crate::revocations::Revocations;
use crate::token::{ExpectedClaims, LONGEST_TOKEN, UnverifiedToken, judge};
use domain::UnixMs;
use serde::de::DeserializeOwned;

/// A verifier of tokens from one issuer for one audience.
#[derive(Debug, Clone)]
pub struct Verifier {
    pub keys: Jwks,
    pub issuer: String,
    pub audience: String,
    /// The revocation list, if it should be checked.
    pub revocations: Option<Revocations>,
}

impl Verifier {
    /// Returns the claims of a token with type `typ`.
    ///
    /// # Errors
    /// It is invalid, or the keys could not be fetched.
    pub async fn verify<C: DeserializeOwned>(&self, token: &str, typ: &str, now: UnixMs) -> Result<C, TokenError> {
        let unverified = UnverifiedToken::parse(token, typ, LONGEST_TOKEN)?;
        let kid = unverified.kid().to_owned();
        let key = self.keys.find(&kid, now).await?.ok_or(TokenError::UnknownKey)?;
        let expected = ExpectedClaims { typ, issuer: &self.issuer, audience: &self.audience };
        let (registered, claims) = judge(unverified, &key, expected, now)?;
        if let Some(revocations) = &self.revocations {
            revocations.check(&kid, registered.sid.as_deref(), now).await?;
        }
        serde_json::from_str(claims.get()).map_err(|_| TokenError::Claims)
    }
}
