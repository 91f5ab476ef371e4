//! The one place where randomness enters.

use domain::UnixMs;
use domain::encoding::base64url;
use ulid::Ulid;

/// A source of random bytes that nobody can guess.
pub trait Entropy: Send + Sync {
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's source. Without it nothing here can be done safely: it ends the program.
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

    /// 256 bits as text.
    pub fn secret(&self) -> String {
        base64url(&self.bytes::<32>())
    }

    /// A new ULID: sorts by time, unique anywhere.
    pub fn ulid(&self, now: UnixMs) -> String {
        let time = u64::try_from(now).unwrap_or_default();
        Ulid::from_parts(time, u128::from_be_bytes(self.bytes::<16>())).to_string()
    }
}
