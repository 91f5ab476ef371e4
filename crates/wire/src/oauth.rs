//! `POST /api/oauth/authorize` and `POST /api/oauth/logout`: requests of the pages that answer apps.

use serde::{Deserialize, Serialize};

/// The client id of the terminal program, which signs in through a browser. Every server knows it.
pub const TERMINAL_CLIENT: &str = "postern-client";

/// A request of an app that the browser's person answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppRequest {
    /// The query string of `/oauth/authorize` or `/oauth/logout`.
    pub request: String,
    /// The person's answer, if they were asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed: Option<bool>,
    /// The id of the account that the page was about. Somebody else may have signed in since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppAnswer {
    /// The URL to open.
    pub location: String,
}

/// `GET /api/consents`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consents {
    pub consents: Vec<Consent>,
}

/// An app with access to a person's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The client's id.
    pub client: String,
    pub name: String,
    pub scope: String,
    /// The same in plain words.
    pub allows: Vec<String>,
    /// Whether the person's consent is stored. Without one, the app has valid tokens: a device, or an app of this site that
    /// asks nobody.
    pub agreed: bool,
    /// When the person agreed, or else when the app got access, in unix milliseconds.
    pub given_at: i64,
}

/// An app that a person may open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppTile {
    pub name: String,
    pub url: String,
}

/// `POST /api/oauth/device`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceAnswer {
    /// The code as the person typed it.
    pub user_code: String,
    pub agreed: bool,
    /// As in [`AppRequest`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}
