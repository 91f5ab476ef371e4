//! From the server's greeting to the hello.

use super::Conversation;
use crate::{Keys, Randoms};
use domain::encoding::{base64url, from_base64url, sha256};
use serde_json::json;
use std::fmt;
use wire::jwk::EcJwk;
use wire::tickets::IssuedTicket;
use wire::time::{Greeting, Hello, PROOF_METHOD};
use wire::user_keys::UserKeyJwk;
use zeroize::Zeroizing;

/// A hello without its signature.
pub struct HelloDraft {
    ticket: String,
    jti: String,
    user_key: Zeroizing<[u8; 32]>,
    randoms: Randoms,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HelloError {
    #[error("the server's greeting does not belong to this protocol")]
    Greeting,
    #[error("the user key does not have 256 bits")]
    Key,
    #[error("the hello could not be written")]
    Hello,
}

impl HelloDraft {
    /// Prepares a hello. `random`: 32 random bytes, new for this connection. `user_key` must have the version that the
    /// ticket names.
    ///
    /// # Errors
    /// The greeting or the key is invalid.
    pub fn new(
        greeting: &[u8],
        issued: &IssuedTicket,
        user_key: &UserKeyJwk,
        random: [u8; 32],
    ) -> Result<Self, HelloError> {
        let greeting: Greeting = serde_json::from_slice(greeting).map_err(|_| HelloError::Greeting)?;
        let server = bytes(&greeting.server_random).ok_or(HelloError::Greeting)?;
        let user_key = Zeroizing::new(bytes(&user_key.k).ok_or(HelloError::Key)?);
        let randoms = Randoms { client: random, server };
        Ok(Self { ticket: issued.ticket.clone(), jti: issued.jti.clone(), user_key, randoms })
    }

    /// Returns the text that the client's key must sign (RFC 9449, section 4.2): ECDSA over SHA-256.
    ///
    /// `id` is random text; `iat` is in unix seconds and not checked.
    pub fn unsigned(&self, key: &EcJwk, service: &str, id: &str, iat: i64) -> String {
        let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": key});
        let claims = json!({
            "jti": id,
            "htm": PROOF_METHOD,
            "htu": service,
            "iat": iat,
            "nonce": base64url(&self.randoms.server),
            "ath": base64url(&sha256(self.ticket.as_bytes())),
        });
        [header, claims].map(|part| base64url(part.to_string().as_bytes())).join(".")
    }

    /// Returns the hello and the conversation after it. `signature` is r and s, 64 bytes.
    ///
    /// # Errors
    /// Never because of the signature.
    pub fn hello(self, unsigned: &str, signature: &[u8]) -> Result<(String, Conversation), HelloError> {
        let hello = Hello {
            ticket: self.ticket,
            client_random: base64url(&self.randoms.client),
            proof: format!("{unsigned}.{}", base64url(signature)),
        };
        let hello = serde_json::to_string(&hello).map_err(|_| HelloError::Hello)?;
        let keys = Keys::derive(&self.user_key, &self.jti, &self.randoms);
        Ok((hello, Conversation::new(&keys)))
    }
}

fn bytes(text: &str) -> Option<[u8; 32]> {
    from_base64url(text)?.try_into().ok()
}

impl fmt::Debug for HelloDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opening({})", self.jti)
    }
}
