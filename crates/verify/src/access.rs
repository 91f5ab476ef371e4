//! Access tokens of Postern (RFC 9068).

use domain::UnixSeconds;
use domain::thumbprint::Thumbprint;
use serde::{Deserialize, Serialize};

/// `typ` of an access token (RFC 9068, section 2.1).
pub const TYP: &str = "at+jwt";

/// The claims of a valid access token. Times are in seconds (RFC 7519, section 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessToken {
    /// The issuer.
    pub iss: String,
    /// The person's id, which remains when the name changes.
    pub sub: String,
    /// The person's name, for display.
    #[serde(default)]
    pub preferred_username: Option<String>,
    pub exp: UnixSeconds,
    pub iat: UnixSeconds,
    pub jti: String,
    /// The token's session; the token ends with it.
    pub sid: String,
    pub client_id: String,
    #[serde(default)]
    pub roles: Vec<String>,
    /// When the person was last authenticated (RFC 9068, section 2.2.1).
    #[serde(default)]
    pub auth_time: Option<UnixSeconds>,
    /// The methods of that authentication: values of RFC 8176.
    #[serde(default)]
    pub amr: Vec<String>,
    /// The level: `urn:postern:acr:1` one factor, `urn:postern:acr:2` two, `urn:postern:acr:phr` resistant to phishing.
    #[serde(default)]
    pub acr: Option<String>,
    /// The client's key, if the token is bound. The token is worthless without a proof of that key.
    #[serde(default)]
    pub cnf: Option<Confirmation>,
}

/// A key, identified by its thumbprint (RFC 7800, section 3.1; RFC 9449, section 6.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    pub jkt: Thumbprint,
}

impl AccessToken {
    /// Returns the name for display, or the id if there is none.
    pub fn name(&self) -> &str {
        self.preferred_username.as_deref().unwrap_or(&self.sub)
    }

    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|held| held == role)
    }
}
