//! The settings of a client.

use domain::second_factor::Requirement;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The registration of a client, as in `[[clients]]`, in a row and in the API. It contains no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own name")]
pub struct ClientSettings {
    pub id: String,
    /// The name that people see. Default: the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A file with the secret, for clients of the settings file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_file: Option<String>,
    /// SHA-256 of the secret in base64url, from `postern client add`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_hash: Option<String>,
    /// The client's public keys for `private_key_jwt`, as a JWKS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Value>,
    /// The URL of the client's public keys, instead of `jwks`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub post_logout_redirect_uris: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    /// The page of the app that its tile opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Whether people are asked before the client gets their data. Default: clients of the settings file do not ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<bool>,
    /// The scopes that the client may get. Empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// The resources that the client may name (RFC 8707).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// The resources whose tokens the client may introspect, for resource servers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub introspects: Vec<String>,
    /// The roles or groups of which a person needs one. Empty: everybody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// The second factor that a sign-in needs for this client.
    #[serde(default, with = "requirement", skip_serializing_if = "requirement::is_optional")]
    pub second_factor: Requirement,
    /// Whether the client is paused: it gets nothing, and keeps its registration.
    #[serde(default, skip_serializing_if = "is_false")]
    pub disabled: bool,
    /// Whether `sub` is the same for all clients, or another one for each sector.
    #[serde(default, skip_serializing_if = "SubjectType::is_public")]
    pub subject_type: SubjectType,
    /// The host that clients with the same pairwise `sub` share. Default: the one host of the redirect URIs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sector_identifier: Option<String>,
    #[serde(default)]
    pub pkce: Pkce,
    #[serde(default)]
    pub id_token_alg: IdTokenAlg,
    #[serde(default)]
    pub access_token: AccessTokenFormat,
    /// Lifetime of access tokens in seconds. Default: that of the portal's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token_seconds: Option<i64>,
    /// Lifetime of ID tokens in seconds. Default: 600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_seconds: Option<i64>,
    /// Period in seconds from a sign-in to the app in which it may refresh. Default: as long as the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token_seconds: Option<i64>,
    /// Whether ID tokens contain the claims of all scopes, and not only userinfo.
    #[serde(default = "yes")]
    pub id_token_claims: bool,
    /// Whether every token must be bound to a key (RFC 9449).
    #[serde(default)]
    pub dpop: bool,
    /// Whether the client may use the device flow (RFC 8628).
    #[serde(default)]
    pub device: bool,
    /// Whether authorization requests must be pushed (RFC 9126).
    #[serde(default)]
    pub require_par: bool,
}

impl ClientSettings {
    /// Whether the client authenticates with a key of its own.
    pub fn has_keys(&self) -> bool {
        self.jwks.is_some() || self.jwks_uri.is_some()
    }
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// The setting `second_factor` as text.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
mod requirement {
    use super::Requirement;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(requirement: &Requirement, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(requirement.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Requirement, D::Error> {
        let text = String::deserialize(deserializer)?;
        Requirement::parse(&text).ok_or_else(|| D::Error::custom("second_factor: optional, required or passkey"))
    }

    pub(super) fn is_optional(requirement: &Requirement) -> bool {
        *requirement == Requirement::Optional
    }
}

/// The kinds of `sub` (OpenID Connect Core, section 8).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubjectType {
    #[default]
    Public,
    Pairwise,
}

impl SubjectType {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_public(&self) -> bool {
        *self == Self::Public
    }
}

/// The requirement of a code verifier.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pkce {
    #[default]
    Required,
    /// For old confidential clients. A verifier is still checked if there is one.
    Optional,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum IdTokenAlg {
    #[default]
    #[serde(rename = "RS256")]
    Rs256,
    #[serde(rename = "ES256")]
    Es256,
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl IdTokenAlg {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccessTokenFormat {
    /// Readable by resource servers (RFC 9068).
    #[default]
    Jwt,
    /// Only introspection knows it.
    Opaque,
}
