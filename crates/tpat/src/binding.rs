//! The key that a challenge or a token is bound to.

use domain::thumbprint::Thumbprint;

/// The key that must be proven, if any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// No key: the text alone is sufficient.
    Bearer,
    Key(Thumbprint),
}

impl Binding {
    /// Returns the key that must be proven.
    pub fn key(self) -> Option<Thumbprint> {
        match self {
            Self::Bearer => None,
            Self::Key(thumbprint) => Some(thumbprint),
        }
    }

    /// Whether a key must be proven.
    pub fn is_key(self) -> bool {
        self.key().is_some()
    }

    /// Reads the field of a challenge or token: zeros for none, which no key has as its hash.
    pub(crate) fn from_field(field: [u8; 32]) -> Self {
        if field == [0; 32] { Self::Bearer } else { Self::Key(Thumbprint(field)) }
    }

    pub(crate) fn field(self) -> [u8; 32] {
        self.key().map_or([0; 32], |thumbprint| thumbprint.0)
    }
}

impl From<Option<Thumbprint>> for Binding {
    fn from(key: Option<Thumbprint>) -> Self {
        key.map_or(Self::Bearer, Self::Key)
    }
}
