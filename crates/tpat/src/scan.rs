//! What a transaction pays to addresses that are watched, by the view key alone: no proof is shown
//! (`wallet2::scan_output`, `is_out_to_acc_precomp`, with what `verify` asks beyond those).

use crate::address::Address;
use crate::proof::point;
use crate::refusal::Refusal;
use crate::subaddress::ViewPair;
use crate::transaction::{Hidden, Transaction};
use crate::verify::{Output, Received, candidates, opened, sum, tagged, transaction_keys};
use curve25519_dalek::{EdwardsPoint, Scalar};
use std::collections::HashMap;
use zeroize::Zeroizing;

/// Addresses to be looked for, each with its owner.
#[derive(Debug, Clone)]
pub struct Watched<T>(HashMap<[u8; 32], T>);

impl<T> FromIterator<(Address, T)> for Watched<T> {
    fn from_iter<I: IntoIterator<Item = (Address, T)>>(addresses: I) -> Self {
        Self(addresses.into_iter().map(|(address, owner)| (address.spend_key(), owner)).collect())
    }
}

impl ViewPair {
    /// What a transaction pays to each of the watched addresses of this wallet, in the order of its outputs;
    /// most pay nothing to any. As with a proof, whoever pays with an amount that is not in its commitment, or
    /// to one output key twice, has paid nothing at all.
    ///
    /// # Errors
    /// [`Refusal`]: the keys are none, an amount is forged, or an output cannot be spent.
    pub fn scan<'a, T>(
        &self,
        transaction: &Transaction,
        watched: &'a Watched<T>,
    ) -> Result<Vec<(&'a T, Received)>, Refusal> {
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

/// The spend key of a watched address that an output is for (`P - sG`), with `s`.
fn owner<T>(
    hidden: &Hidden,
    secrets: &[Zeroizing<[u8; 32]>],
    index: usize,
    watched: &Watched<T>,
) -> Option<([u8; 32], Scalar)> {
    candidates(secrets, index).find_map(|secret| {
        let scalar = tagged(hidden, secret, index)?;
        let spend = point(hidden.key)? - EdwardsPoint::mul_base(&scalar);
        let spend = spend.compress().0;
        watched.0.contains_key(&spend).then_some((spend, scalar))
    })
}
