//! The hash of a one-time code, which the database stores in its place.

/// The hash of the code of a link: SHA-256, base64url. It needs no key or salt, because nobody can guess 256 bits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CodeHash(String);

impl CodeHash {
    /// Hashes a code.
    pub fn of(code: &str) -> Self {
        Self(crate::encoding::base64url(&crate::encoding::sha256(code.as_bytes())))
    }

    /// Wraps the text of a database row.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}
