//! Why a token is refused.

use crate::fetch::FetchError;
use std::sync::Arc;

/// Why a token is not good.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    #[error("it is no signed token of the kind that is asked for")]
    Malformed,
    #[error("its key is none of the issuer's")]
    UnknownKey,
    #[error("its signature is not by the key that it names")]
    Signature,
    #[error("it is of another issuer")]
    Issuer,
    #[error("it is for another audience")]
    Audience,
    #[error("its time is over")]
    Expired,
    #[error("its time has not come")]
    TooEarly,
    #[error("its claims are not those of its kind")]
    Claims,
    #[error("its session or its key has ended")]
    Revoked,
    #[error("the issuer's keys are not to be had")]
    NoKeys(#[source] Arc<FetchError>),
    #[error("what the issuer ended lately is not to be had")]
    NoRevocations(#[source] Arc<FetchError>),
}
