//! Client ID metadata documents (draft-ietf-oauth-client-id-metadata-document): a client's id is the https URL of a
//! document that describes the client.

use crate::client::{ClientSettings, InvalidClient};
use crate::registration::{self, AuthMethod};
use serde_json::{Map, Value};

pub use crate::redirect_uri::is_document_id;

/// Maximum length of a document in bytes (section 6.6 of the draft suggests 5 KiB).
pub const LONGEST: usize = 5 * 1024;

/// Whether a content type is that of a document: `application/json`, or a more specific one (section 4 of the draft).
pub fn is_content_type(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// Reads a document that was fetched from `id`.
///
/// # Errors
/// Names the member that is not accepted.
pub fn read(id: &str, body: &[u8]) -> Result<ClientSettings, InvalidClient> {
    let invalid = |setting, problem: &str| InvalidClient { setting, problem: problem.to_owned() };
    if body.len() > LONGEST {
        return Err(invalid("document", "is longer than 5 KiB"));
    }
    let document: Map<String, Value> =
        serde_json::from_slice(body).map_err(|_| invalid("document", "is not a JSON object"))?;
    if document.get("client_id").and_then(Value::as_str) != Some(id) {
        return Err(invalid("client_id", "is not the URL of the document"));
    }
    for secret in ["client_secret", "client_secret_expires_at"] {
        if document.contains_key(secret) {
            return Err(invalid("client_secret", "must not be in a document that everybody can read"));
        }
    }
    let metadata = registration::read(id, &document, AuthMethod::None)?;
    if metadata.method.uses_secret() {
        return Err(invalid("token_endpoint_auth_method", "must be none or private_key_jwt"));
    }
    if metadata.settings.redirect_uris.is_empty() {
        return Err(invalid("redirect_uris", "at least one is needed"));
    }
    Ok(metadata.settings)
}
