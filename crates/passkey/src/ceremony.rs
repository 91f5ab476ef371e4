//! The two ceremonies (sections 7.1 and 7.2).

use crate::client_data::{self, Ceremony, Expected};
use crate::{AuthenticatorState, PasskeyError, PublicKey, authenticator_data};
use aws_lc_rs::digest::{SHA256, digest};
use minicbor::Decoder;

/// The response to `navigator.credentials.create()`.
#[derive(Debug, Clone, Copy)]
pub struct Registration<'a> {
    pub client_data_json: &'a [u8],
    pub attestation_object: &'a [u8],
}

/// The response to `navigator.credentials.get()`.
#[derive(Debug, Clone, Copy)]
pub struct Assertion<'a> {
    pub client_data_json: &'a [u8],
    pub authenticator_data: &'a [u8],
    pub signature: &'a [u8],
}

/// A registered passkey, to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPasskey {
    pub credential_id: Vec<u8>,
    pub public_key: PublicKey,
    /// The model of the authenticator, by its own statement; all zeros if it gives none.
    pub aaguid: [u8; 16],
    /// Whether the user was present and verified. Only [`verify_conditional_registration`] returns one without.
    pub user_verified: bool,
    pub state: AuthenticatorState,
}

/// Verifies a registration.
///
/// # Errors
/// The first check that fails.
pub fn verify_registration(expected: &Expected, received: &Registration) -> Result<NewPasskey, PasskeyError> {
    registered(expected, received, false)
}

/// Verifies a registration with conditional mediation. The browser made the passkey without asking after it had filled
/// in a password. The user need therefore neither be present nor verified (section 7.1, steps 15 and 16). Every sign-in
/// with it still verifies the user.
///
/// # Errors
/// The first check that fails.
pub fn verify_conditional_registration(
    expected: &Expected,
    received: &Registration,
) -> Result<NewPasskey, PasskeyError> {
    registered(expected, received, true)
}

fn registered(expected: &Expected, received: &Registration, unattended: bool) -> Result<NewPasskey, PasskeyError> {
    client_data::check(received.client_data_json, Ceremony::Registration, expected)?;
    let data = authenticator_data_of(received.attestation_object).ok_or(PasskeyError::AttestationObject)?;
    let data = authenticator_data::check(data, expected.relying_party, unattended)?;
    let credential = data.credential.ok_or(PasskeyError::NoCredential)?;
    Ok(NewPasskey {
        credential_id: credential.id.to_vec(),
        public_key: credential.public_key,
        aaguid: credential.aaguid,
        user_verified: data.user_verified,
        state: data.state,
    })
}

/// Verifies an assertion of the passkey with this key.
///
/// # Errors
/// The first check that fails.
pub fn verify_assertion(
    expected: &Expected,
    key: &PublicKey,
    received: &Assertion,
) -> Result<AuthenticatorState, PasskeyError> {
    client_data::check(received.client_data_json, Ceremony::Assertion, expected)?;
    let data = authenticator_data::check(received.authenticator_data, expected.relying_party, false)?;
    let hash = digest(&SHA256, received.client_data_json);
    let message = [received.authenticator_data, hash.as_ref()].concat();
    if key.verifies(&message, received.signature) { Ok(data.state) } else { Err(PasskeyError::Signature) }
}

/// Reads the authenticator data out of an attestation object (section 6.5.4). The statement is skipped.
fn authenticator_data_of(object: &[u8]) -> Option<&[u8]> {
    let mut decoder = Decoder::new(object);
    let (mut format, mut statement, mut data) = (None, None, None);
    for _ in 0..decoder.map().ok()?? {
        match decoder.str().ok()? {
            "fmt" if format.is_none() => format = Some(decoder.str().ok()?),
            "attStmt" if statement.is_none() => {
                let is_map = decoder.datatype().ok()? == minicbor::data::Type::Map;
                decoder.skip().ok()?;
                statement = is_map.then_some(());
            }
            "authData" if data.is_none() => data = Some(decoder.bytes().ok()?),
            _ => return None,
        }
    }
    let whole = decoder.position() == object.len() && format.is_some() && statement.is_some();
    data.filter(|_| whole)
}
