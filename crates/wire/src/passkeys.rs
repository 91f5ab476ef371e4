//! Passkeys: `/api/passkeys` and below, and sign-in with one.
//!
//! Options and credentials have the JSON forms of W3C Web Authentication Level 3, sections 5.1.8 to 5.1.10, which
//! browsers read and write themselves. Unknown members of a credential are permitted, because browsers add some.

use crate::jwk::RsaJwk;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The only kind of credential.
pub const PUBLIC_KEY: &str = "public-key";

/// The answer to `GET /api/passkeys/challenge`: the input for signing in with a passkey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasskeyChallenge {
    /// One-time, for ten minutes. The passkey signs the SHA-256 of `webauthn` and this text.
    pub short_key: String,
    /// Unix milliseconds by the server's clock.
    pub expires_at: i64,
    /// The server's time now, unix milliseconds.
    pub now: i64,
    /// The public key to encrypt the assertion with.
    pub key: RsaJwk,
    pub options: RequestOptions,
}

/// `PublicKeyCredentialRequestOptionsJSON`. It names no credentials, because nobody has signed in yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestOptions {
    pub challenge: String,
    pub rp_id: String,
    /// Time limit in milliseconds.
    pub timeout: u32,
    pub user_verification: String,
}

/// The body of `POST /api/passkeys/options`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistrationOptions {
    /// Whether the browser makes the passkey without asking, after a sign-in by password (mediation `conditional`).
    #[serde(default, skip_serializing_if = "crate::login::is_false")]
    pub conditional: bool,
}

/// The answer to `POST /api/passkeys/options`: the input for a registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationChallenge {
    /// One-time, for ten minutes, for this session.
    pub short_key: String,
    pub options: CreationOptions,
}

/// `PublicKeyCredentialCreationOptionsJSON`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreationOptions {
    pub rp: RelyingParty,
    pub user: PasskeyUser,
    pub challenge: String,
    pub pub_key_cred_params: Vec<CredentialParameters>,
    /// Time limit in milliseconds.
    pub timeout: u32,
    pub exclude_credentials: Vec<CredentialDescriptor>,
    pub authenticator_selection: AuthenticatorSelection,
    pub attestation: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelyingParty {
    pub id: String,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PasskeyUser {
    /// The account's user handle: 64 random bytes, base64url.
    pub id: String,
    pub name: String,
    pub display_name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialParameters {
    pub r#type: String,
    /// A COSE algorithm.
    pub alg: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialDescriptor {
    pub r#type: String,
    pub id: String,
    pub transports: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthenticatorSelection {
    pub resident_key: String,
    pub require_resident_key: bool,
    pub user_verification: String,
}

/// The body of `POST /api/passkeys`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPasskey {
    pub short_key: String,
    /// `None`: the name of the product that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// As in [`RegistrationOptions`].
    #[serde(default, skip_serializing_if = "crate::login::is_false")]
    pub conditional: bool,
    pub credential: RegistrationCredential,
}

/// `RegistrationResponseJSON`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationCredential {
    pub id: String,
    pub response: AttestationResponse,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttestationResponse {
    #[serde(rename = "clientDataJSON")]
    pub client_data_json: String,
    pub attestation_object: String,
    #[serde(default)]
    pub transports: Vec<String>,
}

/// `AuthenticationResponseJSON`: the encrypted content of a sign-in with a passkey.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssertionCredential {
    pub id: String,
    pub response: AssertionResponse,
    /// From the problem `second_factor_required`: the passkey is the second factor of that sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<String>,
}

impl std::fmt::Debug for AssertionCredential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AssertionCredential")
            .field("id", &self.id)
            .field("response", &self.response)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssertionResponse {
    #[serde(rename = "clientDataJSON")]
    pub client_data_json: String,
    pub authenticator_data: String,
    pub signature: String,
    #[serde(default)]
    pub user_handle: Option<String>,
}

/// The body of `PATCH /api/passkeys/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasskeyChange {
    pub label: String,
}

/// One of the person's passkeys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkey {
    pub id: String,
    pub credential_id: String,
    pub label: String,
    /// The product that made it, by its own statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Whether it is copied to the person's other devices.
    pub synced: bool,
    /// The host that it works for.
    pub host: String,
    /// Unix milliseconds.
    pub created_at: i64,
    /// The last sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<i64>,
}

/// The answer to `POST /api/passkeys`. `Debug` hides the codes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddedPasskey {
    #[serde(flatten)]
    pub passkey: Passkey,
    /// New recovery codes, which are shown once, if the account needs some and had none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recovery_codes: Vec<String>,
}

impl fmt::Debug for AddedPasskey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddedPasskey").field("passkey", &self.passkey).finish_non_exhaustive()
    }
}

/// The answer to `GET /api/passkeys`, with what a browser tells its passkey managers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkeys {
    /// Passkeys, oldest first.
    pub passkeys: Vec<Passkey>,
    /// The host of this site; `None` if passkeys do not work here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rp_id: Option<String>,
    /// The account's user handle; `None` before its first registration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    pub username: String,
    /// The display name; the name of the account if it has none.
    #[serde(default)]
    pub display_name: String,
}
