//! Finds the payments of a transaction to watched addresses, with the view key and without a proof
//! (`wallet2::scan_output`, `is_out_to_acc_precomp`, with the additional checks of `verify`).

use crate::address::Address;
use crate::proof::point;
use crate::refusal::ProofRefusal;
use crate::subaddress::ViewPair;
use crate::transaction::{ConcealedOutput, Transaction};
use crate::verify::{Output, ReceivedPayment, candidates, opened, sum, tagged, transaction_keys};
use curve25519_dalek::{EdwardsPoint, Scalar};
use std::collections::HashMap;
use zeroize::Zeroizing;

/// The watched addresses, each with its owner.
#[derive(Debug, Clone)]
pub struct WatchedAddresses<T>(HashMap<[u8; 32], T>);

impl<T> FromIterator<(Address, T)> for WatchedAddresses<T> {
    fn from_iter<I: IntoIterator<Item = (Address, T)>>(addresses: I) -> Self {
        Self(addresses.into_iter().map(|(address, owner)| (address.spend_key(), owner)).collect())
    }
}

impl ViewPair {
    /// Returns the payment of a transaction to each watched address, in the order of its outputs; most pay nothing. As
    /// with a proof, an amount that differs from its commitment, or a repeated output key, makes the whole payment
    /// invalid.
    ///
    /// # Errors
    /// [`ProofRefusal`]: invalid keys, a forged amount, or an output that cannot be spent.
    pub fn scan<'a, T>(
        &self,
        transaction: &Transaction,
        watched: &'a WatchedAddresses<T>,
    ) -> Result<Vec<(&'a T, ReceivedPayment)>, ProofRefusal> {
        let keys = transaction_keys(transaction)?;
        let secrets: Vec<_> = keys.iter().map(|key| self.shared(key)).collect();
        let mut found: Vec<([u8; 32], Vec<Output>)> = Vec::new();
        for (index, hidden) in transaction.outputs.iter().enumerate() {
            let Some((spend, scalar)) = owner(hidden, &secrets, index, watched) else { continue };
            let output = opened(hidden, &scalar, index)?;
            match found.iter_mut().find(|(known, _)| *known == spend) {
                Some((_, outputs)) => outputs.push(output),
                None => found.push((spend, vec![output])),
            }
        }
        let received = found.into_iter().filter_map(|(spend, outputs)| {
            watched.0.get(&spend).map(|owner| sum(transaction, outputs).map(|received| (owner, received)))
        });
        received.collect()
    }
}

/// Returns the spend key of an output's watched address (`P - sG`), with `s`.
fn owner<T>(
    hidden: &ConcealedOutput,
    secrets: &[Zeroizing<[u8; 32]>],
    index: usize,
    watched: &WatchedAddresses<T>,
) -> Option<([u8; 32], Scalar)> {
    candidates(secrets, index).find_map(|secret| {
        let scalar = tagged(hidden, secret, index)?;
        let spend = point(hidden.key)? - EdwardsPoint::mul_base(&scalar);
        let spend = spend.compress().0;
        watched.0.contains_key(&spend).then_some((spend, scalar))
    })
}
