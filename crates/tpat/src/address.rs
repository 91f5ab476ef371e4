//! Addresses for payments to the gate: primary addresses and subaddresses.

use curve25519_dalek::EdwardsPoint;
use curve25519_dalek::traits::IsIdentity;
use monero_address::{AddressType, MoneroAddress, Network as Prefix};
use monero_oxide::ed25519::Point;
use wire::toll::Network;

/// Number of characters in an address of the two supported kinds.
const TEXT: usize = 95;

/// A primary address or subaddress, whose keys are in the large subgroup.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Address(MoneroAddress);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAddress {
    #[error("this is not a Monero address")]
    Malformed,
    #[error("only primary addresses and subaddresses are accepted")]
    Kind,
}

impl Address {
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        // Integrated addresses are longer.
        if text.len() > 2 * TEXT {
            return Err(InvalidAddress::Malformed);
        }
        let address = MoneroAddress::from_str_with_unchecked_network(text).map_err(|_| InvalidAddress::Malformed)?;
        if !matches!(address.kind(), AddressType::Legacy | AddressType::Subaddress) {
            return Err(InvalidAddress::Kind);
        }
        let keys: [EdwardsPoint; 2] = [address.spend().into(), address.view().into()];
        let good = keys.iter().all(|key| key.is_torsion_free() && !key.is_identity()) && address.to_string() == text;
        if good { Ok(Self(address)) } else { Err(InvalidAddress::Malformed) }
    }

    pub(crate) fn subaddress(network: Network, spend: EdwardsPoint, view: EdwardsPoint) -> Self {
        let prefix = match network {
            Network::Mainnet => Prefix::Mainnet,
            Network::Stagenet => Prefix::Stagenet,
            Network::Testnet => Prefix::Testnet,
        };
        Self(MoneroAddress::new(prefix, AddressType::Subaddress, Point::from(spend), Point::from(view)))
    }

    pub fn network(&self) -> Network {
        match self.0.network() {
            Prefix::Mainnet => Network::Mainnet,
            Prefix::Stagenet => Network::Stagenet,
            Prefix::Testnet => Network::Testnet,
        }
    }

    pub fn is_subaddress(&self) -> bool {
        self.0.is_subaddress()
    }

    /// Returns the public spend key, by which outputs to this address are found.
    pub(crate) fn spend_key(&self) -> [u8; 32] {
        self.spend().compress().0
    }

    pub(crate) fn spend(&self) -> EdwardsPoint {
        self.0.spend().into()
    }

    pub(crate) fn view(&self) -> EdwardsPoint {
        self.0.view().into()
    }
}

impl std::str::FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        Self::parse(text)
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Address({self})")
    }
}
