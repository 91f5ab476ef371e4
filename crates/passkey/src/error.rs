//! Refusals.

/// The reason why a registration or an assertion is refused. It is for logs and tests; a client receives one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyError {
    #[error("the client data is not valid JSON of the expected form")]
    ClientData,
    #[error("the client data is for another ceremony")]
    Type,
    #[error("the challenge is another one")]
    Challenge,
    #[error("the origin is another one")]
    Origin,
    #[error("the request came from a frame of another origin")]
    CrossOrigin,
    #[error("the attestation object is not valid CBOR of the expected form")]
    AttestationObject,
    #[error("the authenticator data has an invalid form")]
    AuthenticatorData,
    #[error("the authenticator data is for another relying party")]
    RelyingParty,
    #[error("the user was not present")]
    UserPresence,
    #[error("the user was not verified")]
    UserVerification,
    #[error("the authenticator data contains no credential")]
    NoCredential,
    #[error("the credential id is empty or too long")]
    CredentialId,
    #[error("the public key has an invalid form")]
    PublicKey,
    #[error("the public key has an unsupported algorithm")]
    Algorithm,
    #[error("the signature is invalid")]
    Signature,
}
