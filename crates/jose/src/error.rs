//! The reasons why a token is refused, or could not be signed.

use jsonwebtoken::errors::ErrorKind;

#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// It is not a compact JWS, has another algorithm than its key, or needs an extension (RFC 7515, section 4.1.11).
    #[error("this is not a signed token of the expected form")]
    Malformed,
    #[error("the signature is not valid")]
    Signature,
    /// The signature is valid, but the claims do not match the expected type.
    #[error("the claims do not match this kind of token")]
    Claims,
    #[error("the token could not be signed")]
    Sign(#[source] jsonwebtoken::errors::Error),
}

impl Error {
    /// Converts an error of `jsonwebtoken::decode`.
    pub(crate) fn of_decoding(error: &jsonwebtoken::errors::Error) -> Self {
        match error.kind() {
            ErrorKind::InvalidSignature => Self::Signature,
            _ => Self::Malformed,
        }
    }
}
