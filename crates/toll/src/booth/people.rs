//! Addresses for people who pay from a browser. They are in account 1 of the wallet, apart from those that programs
//! share. They are few, so that the wallet looks for them by default.

use super::Place;
use super::pool::{Empty, Pool};
use monero::Seen;
use store::leases::Lease;
use tpat::{Address, Received, Refusal, Transaction, Txid, ViewPair, Watched};

/// The account of these addresses.
pub const ACCOUNT: u32 = 1;

#[derive(Debug)]
pub struct People {
    pair: ViewPair,
    addresses: Pool,
    count: u32,
}

/// What a transaction pays, and to which assignment.
#[derive(Debug, PartialEq, Eq)]
pub enum Sight {
    /// Nothing, now and later.
    Nothing,
    /// It pays an assigned address but cannot be counted.
    Refused(Refusal),
    /// The node returned another transaction.
    Mistaken,
    Paid(Vec<(Lease, Received)>),
}

impl People {
    /// Uses the first `count` subaddresses of the account.
    ///
    /// # Errors
    /// `count` is 0.
    pub fn new(pair: ViewPair, count: u32) -> Result<Self, Empty> {
        Ok(Self { addresses: Pool::of_account(pair.clone(), ACCOUNT, count)?, pair, count })
    }

    pub fn count(&self) -> u32 {
        self.count
    }

    /// Returns the address of this index. `None`: the index is too large.
    pub fn address(&self, index: u32) -> Option<Address> {
        self.addresses.address(Place { account: ACCOUNT, index })
    }

    /// Returns the view key and the assignments to look for.
    pub fn watch(&self, leases: Vec<Lease>) -> Watch {
        let known = leases.into_iter().filter_map(|lease| Some((self.address(lease.subaddress)?, lease)));
        Watch { pair: self.pair.clone(), watched: known.collect() }
    }
}

#[derive(Debug)]
pub struct Watch {
    pair: ViewPair,
    watched: Watched<Lease>,
}

impl Watch {
    pub fn look(&self, txid: &Txid, seen: &Seen) -> Sight {
        let transaction = match Transaction::read(&seen.blob, txid) {
            Ok(transaction) => transaction,
            Err(Refusal::OtherTransaction) => return Sight::Mistaken,
            // A kind of transaction that cannot pay here.
            Err(_) => return Sight::Nothing,
        };
        match self.pair.scan(&transaction, &self.watched) {
            Ok(found) if found.is_empty() => Sight::Nothing,
            Ok(found) => Sight::Paid(found.into_iter().map(|(lease, received)| (lease.clone(), received)).collect()),
            Err(Refusal::NoKey) => Sight::Nothing,
            Err(refusal) => Sight::Refused(refusal),
        }
    }
}
