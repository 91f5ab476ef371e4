//! Addresses for people who pay from a browser: account 1 of the wallet, so that they are apart from those
//! that programs share, and few, so that the wallet looks for them by itself.

use super::Place;
use super::pool::{Empty, Pool};
use monero::Seen;
use store::leases::Lease;
use tpat::{Address, Received, Refusal, Transaction, Txid, ViewPair, Watched};

/// The account that has them.
pub const ACCOUNT: u32 = 1;

#[derive(Debug)]
pub struct People {
    pair: ViewPair,
    addresses: Pool,
    count: u32,
}

/// What of a transaction is for whom.
#[derive(Debug, PartialEq, Eq)]
pub enum Sight {
    /// Nothing, for good.
    Nothing,
    /// It pays a lent address and cannot be counted.
    Refused(Refusal),
    /// The node's bytes are of another transaction.
    Mistaken,
    Paid(Vec<(Lease, Received)>),
}

impl People {
    /// The first `count` subaddresses of the account.
    ///
    /// # Errors
    /// `count` is 0.
    pub fn new(pair: ViewPair, count: u32) -> Result<Self, Empty> {
        Ok(Self { addresses: Pool::of_account(pair.clone(), ACCOUNT, count)?, pair, count })
    }

    pub fn count(&self) -> u32 {
        self.count
    }

    /// `None`: there are not so many.
    pub fn address(&self, index: u32) -> Option<Address> {
        self.addresses.address(Place { account: ACCOUNT, index })
    }

    /// The view key, and what is looked for with it.
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
            // Of a kind that pays nobody here.
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
