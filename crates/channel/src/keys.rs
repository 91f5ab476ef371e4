//! The keys of one connection, derived from a user key.

use crate::frames::Direction;
use crate::{Opener, Sealer};
use hkdf::Hkdf;
use sha2::Sha256;
use std::fmt;
use zeroize::Zeroizing;

const PURPOSE: &[u8] = b"postern time v1";

/// The random values of both sides for this connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Randoms {
    pub client: [u8; 32],
    pub server: [u8; 32],
}

/// The keys of one connection, one for each direction.
pub struct Keys {
    to_server: Zeroizing<[u8; 32]>,
    to_client: Zeroizing<[u8; 32]>,
}

impl Keys {
    pub fn derive(user_key: &[u8; 32], jti: &str, randoms: &Randoms) -> Self {
        let salt = [randoms.client, randoms.server].concat();
        let hkdf = Hkdf::<Sha256>::new(Some(&salt), user_key);
        let key = |direction: Direction| {
            let mut key = Zeroizing::new([0; 32]);
            // The direction is the last byte, so that no `jti` makes two inputs equal. HKDF can return up to 8,160
            // bytes.
            let _ = hkdf.expand_multi_info(&[PURPOSE, jti.as_bytes(), &[direction as u8]], key.as_mut_slice());
            key
        };
        Self { to_server: key(Direction::ToServer), to_client: key(Direction::ToClient) }
    }

    /// Returns the client's halves.
    pub fn client(&self) -> (Sealer, Opener) {
        (Sealer::new(&self.to_server, Direction::ToServer), Opener::new(&self.to_client, Direction::ToClient))
    }

    /// Returns the server's halves.
    pub fn server(&self) -> (Sealer, Opener) {
        (Sealer::new(&self.to_client, Direction::ToClient), Opener::new(&self.to_server, Direction::ToServer))
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(..)")
    }
}
