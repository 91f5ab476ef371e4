//! A stored session: the person, the tokens, the client's keys.

use crate::{ClientKeys, Error, Result, Server};
use serde::{Deserialize, Serialize};
use wire::login::{ProgramTokens, SignedIn};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A stored session. `Debug` hides the secrets; the memory is cleared on drop.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct Profile {
    pub origin: String,
    pub username: String,
    /// The session's id.
    pub session: String,
    access_token: String,
    refresh_token: String,
    signing_key: String,
    receiving_key: String,
}

impl Profile {
    pub(crate) fn new(server: &Server, signed_in: SignedIn, keys: &ClientKeys) -> Result<Self> {
        let tokens = signed_in.tokens.ok_or_else(|| Error::Foreign(server.origin(), 200))?;
        let mut profile = Self {
            origin: server.origin(),
            username: signed_in.session.username,
            session: signed_in.session.id,
            access_token: String::new(),
            refresh_token: String::new(),
            signing_key: keys.signing().jwk().to_owned(),
            receiving_key: keys.receiving_jwk().to_string(),
        };
        profile.take(tokens);
        Ok(profile)
    }

    pub(crate) fn take(&mut self, tokens: ProgramTokens) {
        self.access_token.zeroize();
        self.refresh_token.zeroize();
        self.access_token = tokens.access_token;
        self.refresh_token = tokens.refresh_token;
    }

    pub(crate) fn access_token(&self) -> &str {
        &self.access_token
    }

    pub(crate) fn refresh_token(&self) -> &str {
        &self.refresh_token
    }

    pub(crate) fn keys(&self) -> Result<ClientKeys> {
        ClientKeys::from_jwks(&self.signing_key, &self.receiving_key)
    }
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Profile({} at {})", self.username, self.origin)
    }
}
