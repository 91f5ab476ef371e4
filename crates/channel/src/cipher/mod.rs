//! AES-256-GCM: aws-lc where it can be linked, because a service encrypts for thousands; the `aes-gcm` crate in
//! browsers. The results are identical.

#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(any(target_arch = "wasm32", test))]
mod portable;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use native::Cipher;
#[cfg(target_arch = "wasm32")]
pub(crate) use portable::Cipher;

pub(crate) const TAG: usize = 16;
const NONCE: usize = 12;

/// The tag is invalid: another key, nonce, associated data or content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AuthenticationFailed;

#[cfg(test)]
mod tests {
    use super::{native, portable};

    #[test]
    fn both_give_the_same_and_read_each_other() {
        let (key, nonce, associated) = ([7; 32], [9; 12], b"associated");
        let (native, portable) = (native::Cipher::new(&key), portable::Cipher::new(&key));
        for length in [0, 1, 15, 16, 17, 1000] {
            let message: Vec<u8> = (0..length).map(|at: usize| at.to_le_bytes()[0]).collect();
            let (mut one, mut other) = (message.clone(), message.clone());
            let tag = native.seal(nonce, associated, &mut one);
            assert_eq!(tag, portable.seal(nonce, associated, &mut other));
            assert_eq!(one, other);
            assert_eq!(portable.open(nonce, associated, &mut one, tag.expect("sealed")), Ok(()));
            assert_eq!(native.open(nonce, associated, &mut other, tag.expect("sealed")), Ok(()));
            assert_eq!((&one, &other), (&message, &message));
        }
    }
}
