//! The only source of randomness.

use domain::UnixMs;
use domain::encoding::base64url;
use ulid::Ulid;

/// A cryptographically secure source of random bytes.
pub trait Entropy: Send + Sync {
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's source. Nothing is safe without it, so a failure ends the program.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is where randomness enters")]
    fn fill(&self, bytes: &mut [u8]) {
        if getrandom::fill(bytes).is_err() {
            tracing::error!("the system's random source failed");
            std::process::abort();
        }
    }
}

impl dyn Entropy + '_ {
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// Returns 256 random bits as text.
    pub fn secret(&self) -> String {
        base64url(&self.bytes::<32>())
    }

    /// Returns a new ULID: ordered by time, and unique everywhere.
    pub fn ulid(&self, now: UnixMs) -> String {
        let time = u64::try_from(now.as_millis()).unwrap_or_default();
        Ulid::from_parts(time, u128::from_be_bytes(self.bytes::<16>())).to_string()
    }
}
