//! User keys as stored: 32 random bytes under the key-encryption key.

use crate::entropy::Entropy;
use crate::key_encryption::{KeyEncryptionError, KeyEncryptionKey};
use domain::ids::UserId;
use store::user_keys::{SealedKey, UserKey};
use zeroize::Zeroizing;

/// Makes a new user key in the stored form.
///
/// # Errors
/// Never for valid key sizes.
pub fn make(
    key: &KeyEncryptionKey,
    entropy: &dyn Entropy,
    user: &UserId,
    number: u32,
) -> Result<SealedKey, KeyEncryptionError> {
    let secret = Zeroizing::new(entropy.bytes::<32>());
    key.seal(entropy, &associated_data(user, number), secret.as_slice()).map(SealedKey)
}

/// Decrypts a user key.
///
/// # Errors
/// [`KeyEncryptionError::WrongKey`]: it belongs to another key-encryption key or row, or is erased.
pub fn open(key: &KeyEncryptionKey, stored: &UserKey) -> Result<Zeroizing<Vec<u8>>, KeyEncryptionError> {
    key.open(&associated_data(&stored.user, stored.version.number), &stored.key.0)
}

/// Returns the associated data, so that a row moved to another user cannot be decrypted.
fn associated_data(user: &UserId, number: u32) -> String {
    format!("user_keys/{user}/{number}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;
    use domain::UnixMs;
    use domain::user_key::UserKeyVersion;

    #[test]
    fn a_key_opens_in_its_own_row_alone() {
        let keys = [[1; 32], [2; 32]].map(|bytes| KeyEncryptionKey::new(&bytes).expect("32 bytes"));
        let sealed = make(&keys[0], &SystemEntropy, &"ada".into(), 1).expect("sealed");
        let row = |user: &UserId, number| UserKey {
            user: user.to_owned(),
            version: UserKeyVersion { number, ..UserKeyVersion::first(UnixMs::EPOCH) },
            key: sealed.clone(),
            made_by: None,
        };
        assert_eq!(open(&keys[0], &row(&"ada".into(), 1)).expect("opens").len(), 32);
        assert!(open(&keys[1], &row(&"ada".into(), 1)).is_err());
        assert!(open(&keys[0], &row(&"bob".into(), 1)).is_err());
        assert!(open(&keys[0], &row(&"ada".into(), 2)).is_err());
        assert!(open(&keys[0], &UserKey { key: SealedKey(String::new()), ..row(&"ada".into(), 1) }).is_err());
    }
}
