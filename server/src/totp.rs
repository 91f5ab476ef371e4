//! Generators of one-time codes as stored: the secret under the key-encryption key.

use crate::entropy::Entropy;
use crate::key_encryption::{KeyEncryptionError, KeyEncryptionKey};
use domain::UnixMs;
use domain::ids::UserId;
use domain::totp::{self, Matched, SECRET_BYTES};
use store::given_codes::UsedCode;
use store::second_factors::Totp;
use store::user_keys::SealedKey;
use zeroize::Zeroizing;

/// Makes a secret, and its stored form.
///
/// # Errors
/// Every key-encryption key is retired.
pub fn make(
    key: &KeyEncryptionKey,
    entropy: &dyn Entropy,
    user: &UserId,
    id: &str,
) -> Result<(Zeroizing<Vec<u8>>, SealedKey), KeyEncryptionError> {
    let secret = Zeroizing::new(entropy.bytes::<SECRET_BYTES>().to_vec());
    let sealed = key.seal(entropy, &associated_data(user, id), &secret)?;
    Ok((secret, SealedKey(sealed)))
}

/// Checks a code of a generator in use. `None`: it is wrong, or it or a newer one was used. It must still be used up in
/// the store.
///
/// # Errors
/// The secret cannot be decrypted.
pub fn check(
    key: &KeyEncryptionKey,
    row: &Totp,
    code: &str,
    now: UnixMs,
) -> Result<Option<UsedCode>, KeyEncryptionError> {
    let secret = open(key, row)?;
    let matched = totp::check(&secret, code, row.drift, now).filter(|matched| matched.step > row.last_step);
    Ok(matched.map(|matched| used(row, matched, now)))
}

/// Checks the first code of a new generator.
///
/// # Errors
/// The secret cannot be decrypted.
pub fn check_first(
    key: &KeyEncryptionKey,
    row: &Totp,
    code: &str,
    now: UnixMs,
) -> Result<Option<UsedCode>, KeyEncryptionError> {
    let secret = open(key, row)?;
    Ok(totp::check_first(&secret, code, now).map(|matched| used(row, matched, now)))
}

fn open(key: &KeyEncryptionKey, row: &Totp) -> Result<Zeroizing<Vec<u8>>, KeyEncryptionError> {
    key.open(&associated_data(&row.user, &row.id), &row.secret.0)
}

fn used(row: &Totp, matched: Matched, now: UnixMs) -> UsedCode {
    UsedCode { id: row.id.clone(), user: row.user.clone(), step: matched.step, drift: matched.drift, now }
}

/// Returns the associated data, so that a row moved to another user cannot be decrypted.
fn associated_data(user: &UserId, id: &str) -> String {
    format!("totp/{user}/{id}")
}
