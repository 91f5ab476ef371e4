//! `/api/admin/clients`: clients of the `OpenID` provider, for administrators.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// `GET /api/admin/clients`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clients {
    pub clients: Vec<Client>,
}

/// A client. Times are unix milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    pub id: String,
    /// The name that people see.
    pub name: String,
    /// `settings`, `administrator`, `registered` by the client itself, or `document`.
    pub source: String,
    /// Whether it has neither a secret nor keys.
    pub public: bool,
    pub disabled: bool,
    /// Number of valid secrets: two while one is being replaced.
    pub secrets: usize,
    /// `None`: it is in the settings file, or a document.
    pub created_at: Option<i64>,
    /// For a document, when it was fetched.
    pub changed_at: Option<i64>,
    /// End of a registration that the client made itself, or of a document that is not fetched again.
    pub expires_at: Option<i64>,
    /// The settings as in `[[clients]]`, without secrets. Empty if they cannot be read.
    pub registration: Map<String, Value>,
    /// The reason why the stored settings cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// The values for an app. The secret is shown once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSecret {
    pub issuer: String,
    pub client_id: String,
    /// `None`: a public client, or one with keys.
    pub client_secret: Option<String>,
}

impl std::fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ClientSecret({})", self.client_id)
    }
}

/// `POST /api/admin/clients/{id}/secret`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSecret {
    /// Whether the old secret stays valid until the next one is made.
    #[serde(default)]
    pub keep_old: bool,
}

/// `GET /api/admin/client-requests`: whether an app's authorization request would be accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestVerdict {
    pub accepted: bool,
    /// The client's name, if one is found.
    pub client: Option<String>,
    /// The OAuth error.
    pub error: Option<String>,
    /// One sentence.
    pub description: String,
    /// Values that show the difference: the presented and the registered redirect URI.
    pub facts: Vec<Fact>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    pub name: String,
    pub value: String,
}

/// `GET /api/admin/registration-tokens`: those that have a use left, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationTokens {
    pub tokens: Vec<RegistrationToken>,
}

/// A token with which clients register themselves. Times are unix milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationToken {
    /// The hash of the token, which registers nothing.
    pub id: String,
    pub note: String,
    /// Number of clients that it may still register.
    pub uses_left: u32,
    pub created_at: i64,
    pub expires_at: i64,
}
