//! The body of an encrypted request.

use crate::browser::keys::DeviceKeys;
use wire::challenge::Challenge;
use wire::envelope::EnvelopeKind;

#[cfg(feature = "seal")]
pub fn seal(kind: EnvelopeKind, challenge: &Challenge, keys: Option<&DeviceKeys>, plaintext: &[u8]) -> Option<String> {
    use crate::browser::{clock, page};

    let Challenge { short_key, key, .. } = challenge;
    let client = keys.map(|keys| (&keys.signing, &keys.receiving));
    let origin = page::origin();
    let envelope = seal::seal(key, kind, short_key, &origin, client, clock::now() / 1000, plaintext).ok()?;
    let request = wire::login::SealedRequest {
        encrypted_username_password: envelope,
        short_key: short_key.clone(),
        delivery: wire::login::Delivery::Cookies,
    };
    serde_json::to_string(&request).ok()
}

/// Returns `None`: the server renders the form but encrypts nothing, and does not link the `rsa` crate.
#[cfg(not(feature = "seal"))]
pub fn seal(_: EnvelopeKind, _: &Challenge, _: Option<&DeviceKeys>, _: &[u8]) -> Option<String> {
    None
}
