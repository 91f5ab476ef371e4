/// The reason why encryption or decryption failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("this is not a P-256 key")]
    Key,
    #[error("the header must specify ECDH-ES+A256KW and A256GCM and nothing unsupported")]
    Header,
    #[error("this is not a compact JWE")]
    Malformed,
    #[error("it was encrypted to another key, or was changed")]
    Unopened,
    #[error("encryption failed")]
    Unsealed,
}
