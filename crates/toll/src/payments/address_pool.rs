//! Subaddresses for payments, used in turn. The message that a proof signs distinguishes payments, not the address.

use domain::encoding::sha256;
use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use tpat::challenge::RouteId;
use tpat::{Address, ViewPair};

/// A permanent identifier of an address: account and index, or a part of its hash. A listed address has the first bytes
/// of its hash, so that the order of the list does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SubaddressIndex {
    pub account: u32,
    pub index: u32,
}

#[derive(Debug)]
pub struct AddressPool {
    source: AddressSource,
    next: AtomicUsize,
}

#[derive(Debug)]
enum AddressSource {
    Listed { order: Vec<SubaddressIndex>, addresses: HashMap<SubaddressIndex, Address> },
    Derived { pair: ViewPair, range: SubaddressRange, made: Vec<OnceLock<Address>> },
}

/// Subaddresses of one account, from an index on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct SubaddressRange {
    account: u32,
    first: u32,
}

/// No address for payments exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no subaddress is configured for payments")]
pub struct NoAddresses;

impl AddressPool {
    /// Uses a list of addresses.
    ///
    /// # Errors
    /// The list is empty.
    pub fn listed(addresses: impl IntoIterator<Item = Address>) -> Result<Self, NoAddresses> {
        let addresses: HashMap<_, _> =
            addresses.into_iter().map(|address| (SubaddressIndex::of(&address), address)).collect();
        let mut order: Vec<_> = addresses.keys().copied().collect();
        order.sort_by_key(|subaddress| (subaddress.account, subaddress.index));
        if order.is_empty() { Err(NoAddresses) } else { Ok(Self::from(AddressSource::Listed { order, addresses })) }
    }

    /// Uses the subaddresses 1 to `count` of the first account.
    ///
    /// # Errors
    /// `count` is 0.
    pub fn derived(pair: ViewPair, count: u32) -> Result<Self, NoAddresses> {
        Self::from_range(pair, SubaddressRange { account: 0, first: 1 }, count)
    }

    /// Uses `count` subaddresses of an account.
    ///
    /// # Errors
    /// `count` is 0.
    pub(super) fn of_account(pair: ViewPair, account: u32, count: u32) -> Result<Self, NoAddresses> {
        Self::from_range(pair, SubaddressRange { account, first: 0 }, count)
    }

    fn from_range(pair: ViewPair, range: SubaddressRange, count: u32) -> Result<Self, NoAddresses> {
        let made: Vec<_> = (0..count).map(|_| OnceLock::new()).collect();
        if made.is_empty() { Err(NoAddresses) } else { Ok(Self::from(AddressSource::Derived { pair, range, made })) }
    }

    /// Returns the next address in turn.
    pub(crate) fn next_subaddress(&self) -> SubaddressIndex {
        self.at(self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Returns the fixed address of a route, because old clients do not say which one they paid.
    pub(crate) fn of_route(&self, route: RouteId) -> SubaddressIndex {
        let number = u64::from_be_bytes(route.0) % (self.len() as u64).max(1);
        self.at(usize::try_from(number).unwrap_or_default())
    }

    /// Returns the address. `None`: it is no longer in the pool.
    pub fn address(&self, subaddress: SubaddressIndex) -> Option<Address> {
        match &self.source {
            AddressSource::Listed { addresses, .. } => addresses.get(&subaddress).copied(),
            AddressSource::Derived { pair, range, made } => {
                if subaddress.account != range.account {
                    return None;
                }
                let slot = made.get(usize::try_from(subaddress.index.checked_sub(range.first)?).ok()?)?;
                if let Some(address) = slot.get() {
                    return Some(*address);
                }
                let address = pair.subaddress(subaddress.account, subaddress.index)?;
                Some(*slot.get_or_init(|| address))
            }
        }
    }

    fn len(&self) -> usize {
        match &self.source {
            AddressSource::Listed { order, .. } => order.len(),
            AddressSource::Derived { made, .. } => made.len(),
        }
    }

    fn at(&self, number: usize) -> SubaddressIndex {
        match &self.source {
            AddressSource::Listed { order, .. } => order[number % order.len()],
            AddressSource::Derived { range: SubaddressRange { account, first }, made, .. } => {
                // The configured maximum fits.
                let index = first + u32::try_from(number % made.len()).unwrap_or_default();
                SubaddressIndex { account: *account, index }
            }
        }
    }
}

impl From<AddressSource> for AddressPool {
    fn from(source: AddressSource) -> Self {
        Self { source, next: AtomicUsize::new(0) }
    }
}

impl SubaddressIndex {
    fn of(address: &Address) -> Self {
        let hash = sha256(address.to_string().as_bytes());
        let number = |at: usize| hash[at..].first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
        Self { account: number(0), index: number(4) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESSES: [&str; 2] = [
        "87omSJnYpMKZyhxRpc2gy1PNJt8ZdGdfGBM8P8EGBdXAe3qajRsW6hwjZrqkpGzNUGTAE93S9ktpRXFDyt9fdQzTFPZufhV",
        "83Ys4RVKWzNZPUxy6rwm1deyUBxJx2T4hG33QSttDryHedNmKMHvHEKd4pJ3WgMvVN4oFhW5Lxk7o723KsckubTQ9qujGAM",
    ];

    fn known() -> Vec<Address> {
        ADDRESSES.iter().map(|text| text.parse().expect("an address")).collect()
    }

    #[test]
    fn a_list_in_another_order_names_the_same() {
        let addresses = known();
        let pool = AddressPool::listed(addresses.clone()).expect("a pool");
        let other = AddressPool::listed(addresses.into_iter().rev()).expect("a pool");
        for _ in 0..3 {
            let subaddress = pool.next_subaddress();
            assert_eq!(pool.address(subaddress), other.address(subaddress));
        }
        assert_eq!(pool.address(SubaddressIndex { account: 0, index: 1 }), None);
        assert!(AddressPool::listed([]).is_err());
        let route = RouteId::of("price");
        assert_eq!(pool.of_route(route), other.of_route(route));
    }
}
