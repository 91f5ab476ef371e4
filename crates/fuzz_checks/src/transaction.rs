//! Transactions: one encoding without trailing bytes, and a proof is valid for the proved bytes only.

use crate::vectors::VECTORS;
use monero_oxide::transaction::{NotPruned, Transaction as Parsed};
use tpat::{ProofRefusal, Transaction, Txid};

/// Checks `data`: the bytes of a transaction; with fewer than 64, the position and bytes of a change to a valid one.
pub(crate) fn check(data: &[u8]) {
    if data.len() >= 64 {
        judge(data);
    } else if let Some(([which, high, low, cut], with)) = data.split_first_chunk::<4>() {
        let vector = &VECTORS[usize::from(*which) % VECTORS.len()];
        let mut blob = vector.blob.clone();
        let at = usize::from(u16::from_be_bytes([*high, *low])) % blob.len();
        let end = (at + usize::from(*cut)).min(blob.len());
        blob.splice(at..end, with.iter().copied());
        judge(&blob);
    }
}

fn judge(blob: &[u8]) {
    let mut rest = blob;
    let parsed = Parsed::<NotPruned>::read(&mut rest).ok().filter(|_| rest.is_empty());
    let Some(parsed) = parsed else {
        assert!(matches!(
            Transaction::read(blob, &VECTORS[0].txid),
            Err(ProofRefusal::Unreadable | ProofRefusal::TooLarge)
        ));
        return;
    };
    assert_eq!(parsed.serialize(), blob, "one transaction has two forms");
    let txid = Txid(parsed.hash());
    let read = Transaction::read(blob, &txid);
    assert!(!matches!(read, Err(ProofRefusal::Unreadable | ProofRefusal::OtherTransaction)), "{read:?}");
    for vector in VECTORS.iter().filter(|vector| vector.blob != blob) {
        let proof = vector.proof();
        assert!(vector.verify(blob, &proof).is_err(), "other bytes are taken for those of the id");
        assert!(txid != vector.txid && vector.verify_as(blob, &txid, &proof).is_err(), "a proof serves twice");
    }
}
