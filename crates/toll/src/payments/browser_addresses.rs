//! Addresses for people who pay from a browser. They are in account 1 of the wallet, apart from those that programs
//! share. They are few, so that wallets look for them by default.

use super::SubaddressIndex;
use super::address_pool::{AddressPool, NoAddresses};
use monero::NodeTransaction;
use store::address_assignments::AddressAssignment;
use tpat::{Address, ProofRefusal, ReceivedPayment, Transaction, Txid, ViewPair, WatchedAddresses};

/// The account of these addresses.
pub(super) const ACCOUNT: u32 = 1;

#[derive(Debug)]
pub struct BrowserAddresses {
    pair: ViewPair,
    addresses: AddressPool,
    count: u32,
}

/// The amount that a transaction pays, and its assignment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ScanResult {
    /// The transaction pays no assigned address, now and later.
    Nothing,
    /// The transaction pays an assigned address but cannot be counted.
    Refused(ProofRefusal),
    /// The node returned another transaction.
    Mistaken,
    Paid(Vec<(AddressAssignment, ReceivedPayment)>),
}

impl BrowserAddresses {
    /// Uses the first `count` subaddresses of the account.
    ///
    /// # Errors
    /// `count` is 0.
    pub fn new(pair: ViewPair, count: u32) -> Result<Self, NoAddresses> {
        Ok(Self { addresses: AddressPool::of_account(pair.clone(), ACCOUNT, count)?, pair, count })
    }

    pub fn count(&self) -> u32 {
        self.count
    }

    /// Returns the address of this index. `None`: the index is too large.
    pub fn address(&self, index: u32) -> Option<Address> {
        self.addresses.address(SubaddressIndex { account: ACCOUNT, index })
    }

    /// Returns the view key and the assignments to look for.
    pub(crate) fn scanner(&self, assignments: Vec<AddressAssignment>) -> TransactionScanner {
        let known =
            assignments.into_iter().filter_map(|assignment| Some((self.address(assignment.subaddress)?, assignment)));
        TransactionScanner { pair: self.pair.clone(), watched: known.collect() }
    }
}

#[derive(Debug)]
pub(crate) struct TransactionScanner {
    pair: ViewPair,
    watched: WatchedAddresses<AddressAssignment>,
}

impl TransactionScanner {
    pub(crate) fn examine(&self, txid: &Txid, seen: &NodeTransaction) -> ScanResult {
        let transaction = match Transaction::read(&seen.blob, txid) {
            Ok(transaction) => transaction,
            Err(ProofRefusal::OtherTransaction) => return ScanResult::Mistaken,
            // This kind of transaction cannot pay here.
            Err(_) => return ScanResult::Nothing,
        };
        match self.pair.scan(&transaction, &self.watched) {
            Ok(found) if found.is_empty() => ScanResult::Nothing,
            Ok(found) => ScanResult::Paid(
                found.into_iter().map(|(assignment, received)| (assignment.clone(), received)).collect(),
            ),
            Err(ProofRefusal::NoKey) => ScanResult::Nothing,
            Err(refusal) => ScanResult::Refused(refusal),
        }
    }
}
