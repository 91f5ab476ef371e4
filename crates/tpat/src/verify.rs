//! Verifies whether a proof shows that a transaction paid an address, and how much (`wallet2::check_tx_proof`,
//! `crypto::check_tx_proof`, with additional checks).

use crate::address::Address;
use crate::keccak;
use crate::proof::{OutProof, ProofPart, point};
use crate::refusal::ProofRefusal;
use crate::transaction::{ConcealedOutput, Transaction, Txid};
use curve25519_dalek::traits::VartimeMultiscalarMul;
use curve25519_dalek::{EdwardsPoint, Scalar};
use monero_oxide::ed25519::Commitment;

/// An output that belongs to the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Output {
    /// Its index in the transaction.
    pub index: usize,
    /// Unique among honest payers: two outputs with one key can be spent only once.
    pub one_time_key: [u8; 32],
    /// Piconero.
    pub amount: u64,
}

/// The content of a valid proof. It does not show that the money can be spent: see `unlock_time`, and wait for
/// confirmations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedPayment {
    pub outputs: Vec<Output>,
    /// Piconero in all outputs.
    pub total: u64,
    /// The transaction's lock; anything except zero prevents spending.
    pub unlock_time: u64,
}

/// Verifies a proof over a message. If a transaction pays several addresses, each of its keys is for one address. Only
/// the proof's parts for this address's keys can be valid: at least one must be, and the others are ignored. `blob`:
/// the transaction's complete bytes, which are hashed here, so that their source need not be trusted.
///
/// # Errors
/// [`ProofRefusal`].
pub fn verify(
    blob: &[u8],
    txid: &Txid,
    address: &Address,
    message: &[u8],
    proof: &OutProof,
) -> Result<ReceivedPayment, ProofRefusal> {
    let transaction = Transaction::read(blob, txid)?;
    let keys = transaction_keys(&transaction)?;
    if keys.len() != proof.0.len() {
        return Err(ProofRefusal::KeyCount);
    }
    let prefix = keccak::hash(&[&txid.0, message]);
    let secrets: Vec<Option<[u8; 32]>> = keys
        .iter()
        .zip(&proof.0)
        .map(|(key, part)| is_signed(&prefix, key, address, part).then(|| part.secret.mul_by_cofactor().compress().0))
        .collect();
    if secrets.iter().all(Option::is_none) {
        return Err(ProofRefusal::Signature);
    }
    received(&transaction, address, &secrets)
}

/// Returns the transaction's key, then those of its outputs.
pub(crate) fn transaction_keys(transaction: &Transaction) -> Result<Vec<EdwardsPoint>, ProofRefusal> {
    let keys = transaction.keys.main.iter().chain(&transaction.keys.additional);
    let keys: Option<Vec<_>> = keys.map(|&bytes| point(bytes)).collect();
    keys.filter(|_| transaction.keys.main.is_some()).ok_or(ProofRefusal::NoKey)
}

/// Whether a part is signed: `c = Hs(prefix | D | X | Y | H("TXPROOF_V2") | R | A | B)`, with `X = cR + rB` (`cR + rG`,
/// and zeros in place of `B`, if the address is primary) and `Y = cD + rA`.
pub(crate) fn is_signed(prefix: &[u8; 32], key: &EdwardsPoint, address: &Address, part: &ProofPart) -> bool {
    let ProofPart { secret, c, r } = *part;
    let (view, spend) = (address.view(), address.spend());
    let sum =
        |first: EdwardsPoint, second: EdwardsPoint| EdwardsPoint::vartime_multiscalar_mul([c, r], [first, second]);
    let (x, named) = if address.is_subaddress() {
        (sum(*key, spend), spend.compress().0)
    } else {
        (EdwardsPoint::vartime_double_scalar_mul_basepoint(&c, key, &r), [0; 32])
    };
    let y = sum(secret, view);
    let bytes = |point: EdwardsPoint| point.compress().0;
    let expected = keccak::scalar(&[
        prefix,
        &bytes(secret),
        &bytes(x),
        &bytes(y),
        &keccak::hash(&[b"TXPROOF_V2"]),
        &bytes(*key),
        &bytes(view),
        &named,
    ]);
    expected == c
}

fn received(
    transaction: &Transaction,
    address: &Address,
    secrets: &[Option<[u8; 32]>],
) -> Result<ReceivedPayment, ProofRefusal> {
    let mut outputs = Vec::new();
    for (index, hidden) in transaction.outputs.iter().enumerate() {
        for secret in candidates(secrets, index).flatten() {
            let Some(scalar) = owned(hidden, address, secret, index) else { continue };
            outputs.push(opened(hidden, &scalar, index)?);
            break;
        }
    }
    sum(transaction, outputs)
}

/// Returns possible secrets of an output: the transaction's, then the output's own.
pub(crate) fn candidates<T>(secrets: &[T], index: usize) -> impl Iterator<Item = &T> {
    secrets.first().into_iter().chain(secrets.get(index + 1))
}

/// Returns `s = Hs(8D | n)`, if the output's view tag and key (`sG + B`) match.
fn owned(hidden: &ConcealedOutput, address: &Address, secret: &[u8; 32], index: usize) -> Option<Scalar> {
    let scalar = tagged(hidden, secret, index)?;
    let key = EdwardsPoint::mul_base(&scalar) + address.spend();
    (key.compress().0 == hidden.key).then_some(scalar)
}

/// Returns `s = Hs(8D | n)`, if the output's view tag matches; one in 256 does by chance.
pub(crate) fn tagged(hidden: &ConcealedOutput, secret: &[u8; 32], index: usize) -> Option<Scalar> {
    let position = keccak::varint(index);
    let tag = keccak::hash(&[b"view_tag", secret, &position])[0];
    (tag == hidden.view_tag).then(|| keccak::scalar(&[secret, &position]))
}

/// Decrypts the amount of an output.
///
/// # Errors
/// [`ProofRefusal::ForgedAmount`].
pub(crate) fn opened(hidden: &ConcealedOutput, scalar: &Scalar, index: usize) -> Result<Output, ProofRefusal> {
    let amount = amount(hidden, scalar).ok_or(ProofRefusal::ForgedAmount)?;
    Ok(Output { index, one_time_key: hidden.key, amount })
}

/// Adds up all outputs of one address.
///
/// # Errors
/// One of them can be spent only if another is not; or the sum is zero.
pub(crate) fn sum(transaction: &Transaction, outputs: Vec<Output>) -> Result<ReceivedPayment, ProofRefusal> {
    let unique =
        |output: &Output| transaction.outputs.iter().filter(|hidden| hidden.key == output.one_time_key).count() == 1;
    if !outputs.iter().all(unique) {
        return Err(ProofRefusal::BurnedOutput);
    }
    let total = outputs.iter().try_fold(0_u64, |sum, output| sum.checked_add(output.amount));
    let total = total.filter(|&total| total > 0).ok_or(ProofRefusal::NothingReceived)?;
    Ok(ReceivedPayment { outputs, total, unlock_time: transaction.unlock_time })
}

/// Returns the amount, if it matches the output's commitment. Nodes do not check the written amount, so that a payer
/// could claim any.
fn amount(hidden: &ConcealedOutput, scalar: &Scalar) -> Option<u64> {
    let scalar = scalar.to_bytes();
    let pad = keccak::hash(&[b"amount", &scalar]);
    let mut amount = hidden.amount;
    amount.iter_mut().zip(pad).for_each(|(byte, pad)| *byte ^= pad);
    let amount = u64::from_le_bytes(amount);
    let mask = keccak::scalar(&[b"commitment_mask", &scalar]);
    let commitment = Commitment::new(monero_oxide::ed25519::Scalar::from(mask), amount).commit();
    (commitment.compress().to_bytes() == hidden.commitment).then_some(amount)
}
