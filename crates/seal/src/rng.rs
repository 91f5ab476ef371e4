//! The operating system's (in a browser: WebCrypto's) random source for the padding of RSA-OAEP.

use rand_core::{CryptoRng, Error, RngCore};

/// A generator for `rsa`, which requires methods that cannot fail. The content key is drawn first, by `try_fill_bytes`:
/// a source that fails is noticed there.
pub(crate) struct OsRng;

impl RngCore for OsRng {
    fn next_u32(&mut self) -> u32 {
        rand_core::impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        rand_core::impls::next_u64_via_fill(self)
    }

    /// Fills the bytes with random values.
    ///
    /// # Panics
    /// The random source failed. Weak randomness must never be used, and the trait has no other way to report it.
    fn fill_bytes(&mut self, dest: &mut [u8]) {
        assert!(self.try_fill_bytes(dest).is_ok(), "the system's random source failed");
    }

    #[expect(clippy::disallowed_methods, reason = "this is where a client's randomness enters")]
    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), Error> {
        const UNAVAILABLE: Option<core::num::NonZeroU32> = core::num::NonZeroU32::new(Error::CUSTOM_START);
        getrandom::fill(dest).map_err(|_| Error::from(UNAVAILABLE.unwrap_or(core::num::NonZeroU32::MAX)))
    }
}

impl CryptoRng for OsRng {}
