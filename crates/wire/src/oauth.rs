//! `POST /api/oauth/authorize` and `POST /api/oauth/logout`: requests of the pages that answer apps.

use serde::{Deserialize, Serialize};

/// A request of an app that the browser's person answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppRequest {
    /// The query string of `/oauth/authorize` or `/oauth/logout`.
    pub request: String,
    /// The person's answer, if they were asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppAnswer {
    /// The URL to open.
    pub location: String,
}
