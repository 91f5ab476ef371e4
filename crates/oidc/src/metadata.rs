//! The discovery document (OpenID Connect Discovery 1.0, section 3; RFC 8414, section 2).

use crate::claims;
use crate::scope;
use serde_json::{Value, json};

/// The paths of the endpoints.
#[derive(Debug, Clone, Copy)]
pub struct Endpoints<'a> {
    pub authorization: &'a str,
    pub token: &'a str,
    pub userinfo: &'a str,
    pub jwks: &'a str,
    pub revocation: &'a str,
    pub introspection: &'a str,
    pub pushed: &'a str,
    pub end_session: &'a str,
    pub device: &'a str,
    /// Dynamic registration, if it is enabled (RFC 7591).
    pub registration: Option<&'a str>,
}

/// Returns the document. `issuer` is a bare origin and byte-equal to `iss` everywhere. `signing`: the algorithms of
/// the server's other signing keys. `acr`: the values of `acr`. `documents`: whether a client's id may be the URL of its
/// metadata.
pub fn document(issuer: &str, endpoints: &Endpoints<'_>, signing: &[&str], acr: &[&str], documents: bool) -> Value {
    let at = |path: &str| format!("{issuer}{path}");
    let authentication = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"];
    let algorithms = ["RS256", "ES256", "EdDSA"];
    let id_token_algorithms = [&["RS256"], signing].concat();
    let mut document = json!({
        "issuer": issuer,
        "authorization_endpoint": at(endpoints.authorization),
        "token_endpoint": at(endpoints.token),
        "userinfo_endpoint": at(endpoints.userinfo),
        "jwks_uri": at(endpoints.jwks),
        "revocation_endpoint": at(endpoints.revocation),
        "introspection_endpoint": at(endpoints.introspection),
        "pushed_authorization_request_endpoint": at(endpoints.pushed),
        "end_session_endpoint": at(endpoints.end_session),
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "device_authorization_endpoint": at(endpoints.device),
        "scopes_supported": scope::SUPPORTED,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "grant_types_supported": ["authorization_code", "refresh_token", crate::device::GRANT_TYPE],
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": id_token_algorithms,
        "token_endpoint_auth_methods_supported": authentication,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "revocation_endpoint_auth_methods_supported": authentication,
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint_auth_methods_supported": &authentication[..3],
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
        "code_challenge_methods_supported": ["S256"],
        "dpop_signing_alg_values_supported": ["ES256"],
        "claim_types_supported": ["normal"],
        "claims_supported": claims::SUPPORTED.iter().chain(&["iss", "aud", "exp", "iat", "nonce"]).collect::<Vec<_>>(),
        "acr_values_supported": acr,
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "display_values_supported": ["page", "popup"],
        "ui_locales_supported": ["en"],
        "claims_parameter_supported": true,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "require_request_uri_registration": false,
        "authorization_response_iss_parameter_supported": true,
        "require_pushed_authorization_requests": false,
        "client_id_metadata_document_supported": documents,
    });
    if let (Some(path), Some(members)) = (endpoints.registration, document.as_object_mut()) {
        members.insert("registration_endpoint".to_owned(), at(path).into());
    }
    document
}

/// Describes a protected resource of this server (RFC 9728, section 2). `path`: of the resource, empty for the whole
/// site.
pub fn protected_resource(issuer: &str, path: &str, name: &str) -> Value {
    json!({
        "resource": format!("{issuer}{path}"),
        "resource_name": name,
        "authorization_servers": [issuer],
        "scopes_supported": scope::SUPPORTED,
        "bearer_methods_supported": ["header", "body"],
        "dpop_signing_alg_values_supported": ["ES256"],
    })
}
