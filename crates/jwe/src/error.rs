/// Why nothing was sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("this is no P-256 key")]
    Key,
    #[error("the header does not say ECDH-ES+A256KW and A256GCM, or says more than is understood")]
    Header,
    #[error("this is no compact JWE")]
    Malformed,
    #[error("it was sealed to another key, or changed on the way")]
    Unopened,
    #[error("it could not be sealed")]
    Unsealed,
}
