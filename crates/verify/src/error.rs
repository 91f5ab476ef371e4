//! The reasons why a token is refused.

use crate::fetch::FetchError;
use std::sync::Arc;

/// The reason why a token is refused.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TokenError {
    #[error("it is not a signed token of the required type")]
    Malformed,
    #[error("its key is not one of the issuer's")]
    UnknownKey,
    #[error("its signature is invalid")]
    Signature,
    #[error("it is from another issuer")]
    Issuer,
    #[error("it is for another audience")]
    Audience,
    #[error("it has expired")]
    Expired,
    #[error("it is not valid yet")]
    TooEarly,
    #[error("a required claim is missing or invalid")]
    Claims,
    #[error("its session or its key has ended")]
    Revoked,
    #[error("could not fetch the issuer's signing keys")]
    NoKeys(#[source] Arc<FetchError>),
    #[error("could not fetch the issuer's revocation list")]
    NoRevocations(#[source] Arc<FetchError>),
}
