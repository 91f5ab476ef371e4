//! The hash of a token, which the database stores in its place.

/// The hash of a refresh token's secret: SHA-256, base64url. Never the token itself, nor the hash of anything else.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TokenHash(String);

impl TokenHash {
    /// Hashes a token's secret.
    pub fn of(secret: &[u8; 32]) -> Self {
        Self(crate::encoding::base64url(&crate::encoding::sha256(secret)))
    }

    /// Wraps the text of a database row.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}
