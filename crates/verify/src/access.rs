//! Access tokens of Postern (RFC 9068).

use serde::{Deserialize, Serialize};

/// `typ` of an access token (RFC 9068, section 2.1).
pub const TYP: &str = "at+jwt";

/// What a good access token says. Times are unix seconds (RFC 7519, section 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessToken {
    /// Who signed it.
    pub iss: String,
    /// The person: an id that stays when the name changes.
    pub sub: String,
    /// The person's name, to be shown.
    #[serde(default)]
    pub preferred_username: Option<String>,
    pub exp: i64,
    pub iat: i64,
    pub jti: String,
    /// The session that it belongs to and ends with.
    pub sid: String,
    pub client_id: String,
    #[serde(default)]
    pub roles: Vec<String>,
    /// The client's key, where the token is bound to one: it is worth nothing without a proof of that key.
    #[serde(default)]
    pub cnf: Option<Confirmation>,
}

/// A key, by its thumbprint (RFC 7800, section 3.1; RFC 9449, section 6.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    pub jkt: String,
}

impl AccessToken {
    /// The name to show, or the id where there is none.
    pub fn name(&self) -> &str {
        self.preferred_username.as_deref().unwrap_or(&self.sub)
    }

    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|held| held == role)
    }
}
