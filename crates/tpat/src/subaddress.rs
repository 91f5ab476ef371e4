//! Derives a wallet's subaddresses from its private view key, which can see payments but not spend.

use crate::address::Address;
use crate::{hex, keccak};
use curve25519_dalek::{EdwardsPoint, Scalar};
use wire::toll::Network;
use zeroize::Zeroizing;

/// A wallet's private view key and public spend key. Its holder sees incoming payments.
#[derive(Clone)]
pub struct ViewPair {
    network: Network,
    view: Zeroizing<Scalar>,
    spend: EdwardsPoint,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidViewKey {
    #[error("a view key is 64 hexadecimal digits in lower case")]
    Malformed,
    #[error("a pool of subaddresses needs the wallet's primary address")]
    Subaddress,
    #[error("the view key belongs to another wallet than the address")]
    OtherWallet,
}

impl ViewPair {
    /// Creates it from the wallet's primary address and private view key, in hexadecimal.
    pub fn new(primary: &Address, view_key: &str) -> Result<Self, InvalidViewKey> {
        if primary.is_subaddress() {
            return Err(InvalidViewKey::Subaddress);
        }
        let bytes = Zeroizing::new(hex::read(view_key).ok_or(InvalidViewKey::Malformed)?);
        let view = Scalar::from_canonical_bytes(*bytes).into_option().map(Zeroizing::new);
        let view = view.ok_or(InvalidViewKey::Malformed)?;
        if EdwardsPoint::mul_base(&view) != primary.view() {
            return Err(InvalidViewKey::OtherWallet);
        }
        Ok(Self { network: primary.network(), view, spend: primary.spend() })
    }

    /// Returns the subaddress of an account at an index (`m = Hs("SubAddr" 0 a account index)`, `D = B + mG`, `C =
    /// aD`). Account 0, index 0 is the primary address: `None`.
    pub fn subaddress(&self, account: u32, index: u32) -> Option<Address> {
        if (account, index) == (0, 0) {
            return None;
        }
        let view = Zeroizing::new(self.view.to_bytes());
        let offset = keccak::scalar(&[b"SubAddr\0", view.as_slice(), &account.to_le_bytes(), &index.to_le_bytes()]);
        let spend = self.spend + EdwardsPoint::mul_base(&offset);
        Some(Address::subaddress(self.network, spend, spend * *self.view))
    }

    /// Returns `8aR`, the secret that payer and receiver share, for a public key of a transaction.
    pub(crate) fn shared(&self, key: &EdwardsPoint) -> Zeroizing<[u8; 32]> {
        Zeroizing::new((key * *self.view).mul_by_cofactor().compress().0)
    }
}

impl std::fmt::Debug for ViewPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ViewPair(..)")
    }
}
