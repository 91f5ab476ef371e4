//! Authenticator data (section 6.1): an authenticator's signed statement about itself and the user.

use crate::{MAX_CREDENTIAL_ID, PasskeyError, PublicKey};
use aws_lc_rs::digest::{SHA256, digest};
use minicbor::Decoder;

const UP: u8 = 1;
const UV: u8 = 1 << 2;
const BE: u8 = 1 << 3;
const BS: u8 = 1 << 4;
const AT: u8 = 1 << 6;
const ED: u8 = 1 << 7;

/// The state that an authenticator reports, for the caller to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuthenticatorState {
    /// Whether the passkey may be copied to other devices (BE).
    pub backup_eligible: bool,
    /// Whether it is copied now (BS).
    pub backed_up: bool,
    /// The signature counter; always zero if the authenticator has none.
    pub sign_count: u32,
}

/// A credential that an authenticator has just made.
pub(crate) struct AttestedCredential<'a> {
    pub aaguid: [u8; 16],
    pub id: &'a [u8],
    pub public_key: PublicKey,
}

pub(crate) struct AuthenticatorData<'a> {
    pub state: AuthenticatorState,
    /// Whether the user was present and verified.
    pub user_verified: bool,
    pub credential: Option<AttestedCredential<'a>>,
}

/// Parses authenticator data and checks the relying party, and that the user was present and verified, unless
/// `unattended`.
///
/// # Errors
/// The first check that fails.
pub(crate) fn check<'a>(
    bytes: &'a [u8],
    relying_party: &str,
    unattended: bool,
) -> Result<AuthenticatorData<'a>, PasskeyError> {
    let invalid = PasskeyError::AuthenticatorData;
    let (hash, rest) = bytes.split_first_chunk::<32>().ok_or(invalid)?;
    let (&flags, rest) = rest.split_first().ok_or(invalid)?;
    let (sign_count, rest) = rest.split_first_chunk::<4>().ok_or(invalid)?;
    if hash.as_slice() != digest(&SHA256, relying_party.as_bytes()).as_ref() {
        return Err(PasskeyError::RelyingParty);
    }
    let has = |flag: u8| flags & flag != 0;
    if !has(UP) && !unattended {
        return Err(PasskeyError::UserPresence);
    }
    if !has(UV) && !unattended {
        return Err(PasskeyError::UserVerification);
    }
    // A passkey that may not be copied is never copied (section 6.1.3).
    if has(BS) && !has(BE) {
        return Err(invalid);
    }
    let (credential, rest) =
        if has(AT) { credential(rest).map(|(one, rest)| (Some(one), rest))? } else { (None, rest) };
    let rest = if has(ED) { after_extensions(rest)? } else { rest };
    if !rest.is_empty() {
        return Err(invalid);
    }
    let state = AuthenticatorState {
        backup_eligible: has(BE),
        backed_up: has(BS),
        sign_count: u32::from_be_bytes(*sign_count),
    };
    Ok(AuthenticatorData { state, user_verified: has(UP) && has(UV), credential })
}

/// Parses attested credential data (section 6.5.1) and returns what follows it.
fn credential(bytes: &[u8]) -> Result<(AttestedCredential<'_>, &[u8]), PasskeyError> {
    let invalid = PasskeyError::AuthenticatorData;
    let (aaguid, rest) = bytes.split_first_chunk::<16>().ok_or(invalid)?;
    let (length, rest) = rest.split_first_chunk::<2>().ok_or(invalid)?;
    let (id, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(invalid)?;
    if id.is_empty() || id.len() > MAX_CREDENTIAL_ID {
        return Err(PasskeyError::CredentialId);
    }
    let mut decoder = Decoder::new(rest);
    let public_key = PublicKey::decode(&mut decoder)?;
    let rest = rest.get(decoder.position()..).ok_or(invalid)?;
    Ok((AttestedCredential { aaguid: *aaguid, id, public_key }, rest))
}

/// Skips the extensions, a CBOR map.
fn after_extensions(bytes: &[u8]) -> Result<&[u8], PasskeyError> {
    let invalid = PasskeyError::AuthenticatorData;
    let mut decoder = Decoder::new(bytes);
    if decoder.datatype().map_err(|_| invalid)? != minicbor::data::Type::Map {
        return Err(invalid);
    }
    decoder.skip().map_err(|_| invalid)?;
    bytes.get(decoder.position()..).ok_or(invalid)
}
