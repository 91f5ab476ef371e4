//! Derives a key from an agreed secret: Concat KDF (NIST SP 800-56A) as in RFC 7518, section 4.6.2.

use crate::ALG;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Returns the key that wraps the content key.
pub(crate) fn wrapping_key(secret: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    concat_kdf(secret, ALG, b"", b"", 256)
}

/// Does one round, because no requested key is longer than the hash.
fn concat_kdf(secret: &[u8; 32], algorithm: &str, apu: &[u8], apv: &[u8], bits: u32) -> Zeroizing<[u8; 32]> {
    let mut hash = Sha256::new();
    hash.update(1_u32.to_be_bytes());
    hash.update(secret);
    for part in [algorithm.as_bytes(), apu, apv] {
        hash.update(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.update(bits.to_be_bytes());
    Zeroizing::new(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PrivateKey;
    use domain::encoding::base64url;

    /// Checks the example of RFC 7518, appendix C.
    #[test]
    fn the_example_of_the_rfc() {
        let alice = r#"{"kty":"EC","crv":"P-256","x":"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0","y":"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps","d":"0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo"}"#;
        let bob = r#"{"kty":"EC","crv":"P-256","x":"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ","y":"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck","d":"VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"}"#;
        let (alice, bob) = (PrivateKey::from_jwk(alice).expect("a key"), PrivateKey::from_jwk(bob).expect("a key"));
        let secret = alice.agree(&bob.public()).expect("agreed");
        assert_eq!(secret, bob.agree(&alice.public()).expect("agreed"));
        let key = concat_kdf(&secret, "A128GCM", b"Alice", b"Bob", 128);
        assert_eq!(base64url(&key[..16]), "VqqN6vgjbSBcIijNcacQGg");
    }
}
