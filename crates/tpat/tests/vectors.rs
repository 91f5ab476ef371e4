//! Proofs made by real wallets (0.18.0.0 and 0.18.5.3) in a chain of their own, and every way to invalidate them.

mod support;

use monero_oxide::ringct::EncryptedAmount;
use monero_oxide::transaction::{Input, NotPruned, Timelock};
use proptest::prelude::*;
use support::{Vector, payer, vectors};
use tpat::{Address, OutProof, ProofRefusal, Transaction, verify};

type Changed = monero_oxide::transaction::Transaction<NotPruned>;

const OTHER: &str = "87omSJnYpMKZyhxRpc2gy1PNJt8ZdGdfGBM8P8EGBdXAe3qajRsW6hwjZrqkpGzNUGTAE93S9ktpRXFDyt9fdQzTFPZufhV";

#[test]
fn real_proofs_are_good() {
    for vector in vectors() {
        let received = vector.verify().expect("good");
        assert!(received.total > 0 && received.unlock_time == 0);
        assert_eq!(received.total, received.outputs.iter().map(|output| output.amount).sum::<u64>());
        assert_eq!(vector.proof.parse::<OutProof>().expect("a proof").to_string(), vector.proof);
    }
    let single = Vector::read("outproof-single-0").verify().expect("good");
    assert_eq!((single.total, single.outputs.len()), (2_000_000_000, 1));
}

#[test]
fn another_message_address_or_transaction() {
    let good = Vector::read("outproof-single-1");
    for message in ["", "tpat1:challenge-abd", "tpat1:challenge-abc ", "TPAT1:challenge-abc"] {
        assert_eq!(good.with_message(message), Err(ProofRefusal::Signature), "{message}");
    }
    let other = OTHER.parse().expect("an address");
    assert_eq!(verify(&good.blob, &good.txid, &other, &good.message, &good.parsed()), Err(ProofRefusal::Signature));
    let elsewhere = Vector::read("outproof-single-0");
    assert_eq!(
        verify(&elsewhere.blob, &good.txid, &good.address, &good.message, &good.parsed()),
        Err(ProofRefusal::OtherTransaction)
    );
    assert_eq!(
        verify(&elsewhere.blob, &elsewhere.txid, &good.address, &good.message, &good.parsed()),
        Err(ProofRefusal::Signature)
    );
    let multi = Vector::read("outproof-multi");
    assert_eq!(
        verify(&multi.blob, &multi.txid, &multi.address, &multi.message, &good.parsed()),
        Err(ProofRefusal::KeyCount)
    );
}

#[test]
fn each_changed_character_of_a_proof_is_refused() {
    for vector in vectors() {
        for position in 0..vector.proof.len() {
            for other in ['1', 'z', '0', 'l', ' ', '\u{e9}'] {
                let mut proof: Vec<char> = vector.proof.chars().collect();
                if proof[position] == other {
                    continue;
                }
                proof[position] = other;
                let proof: String = proof.into_iter().collect();
                let received = proof.parse::<OutProof>().ok().and_then(|proof| vector.with_proof(&proof).ok());
                // A part over another address's key is ignored, whatever its content.
                let spare = vector.proof.len() > 142 && position >= 10;
                let refused = received.is_none() || (spare && received == vector.verify().ok());
                assert!(refused, "{position} {other}");
            }
        }
    }
}

#[test]
fn other_kinds_of_proof_are_none() {
    let vector = Vector::read("outproof-single-0");
    let body = &vector.proof[10..];
    for prefix in ["OutProofV1", "OutGARBAGE", "Outxxxxxxx", "OUTPROOFV2", "InProofV2", "InProofV1", "OutProofV3", ""] {
        assert!(format!("{prefix}{body}").parse::<OutProof>().is_err(), "{prefix}");
    }
    assert!(vector.inproof.as_deref().expect("an in-proof").parse::<OutProof>().is_err());
    assert!(format!("{}{}", vector.proof, body.repeat(17)).parse::<OutProof>().is_err());
    assert!("OutProofV2".parse::<OutProof>().is_err());
}

#[test]
fn points_and_scalars_have_one_form() {
    let vector = Vector::read("outproof-single-0");
    let (secret, signature) = vector.proof[10..].split_at(44);
    let with = |secret: &[u8], signature: &[u8]| {
        let text = format!("OutProofV2{}{}", monero_base58::encode(secret), monero_base58::encode(signature));
        text.parse::<OutProof>()
    };
    let secret = monero_base58::decode(secret).expect("base58");
    let signature = monero_base58::decode(signature).expect("base58");
    assert!(with(&secret, &signature).is_ok());
    // The order of the group, added to a scalar, gives an equal scalar with other bytes.
    let order: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    for half in [0, 32] {
        let mut changed = signature.clone();
        let mut carry = 0_u16;
        for (byte, add) in changed[half..half + 32].iter_mut().zip(order) {
            let sum = u16::from(*byte) + u16::from(add) + carry;
            *byte = (sum & 0xff) as u8;
            carry = sum >> 8;
        }
        assert!(with(&secret, &changed).is_err());
    }
    let mut identity = [0; 32];
    identity[0] = 1;
    // y = -1 has order two; y = 0 order four; p + 1 is the identity in a second form.
    let mut minus_one = [0xff; 32];
    (minus_one[0], minus_one[31]) = (0xec, 0x7f);
    let mut second_form = [0xff; 32];
    (second_form[0], second_form[31]) = (0xee, 0x7f);
    for point in [identity, minus_one, [0; 32], second_form, [2; 32]] {
        assert!(with(&point, &signature).is_err(), "{point:?}");
    }
}

#[test]
fn changed_bytes_are_another_transaction() {
    let vector = Vector::read("outproof-single-0");
    for position in 0..vector.blob.len() {
        let mut blob = vector.blob.clone();
        blob[position] ^= 1;
        let refused = verify(&blob, &vector.txid, &vector.address, &vector.message, &vector.parsed());
        assert!(
            matches!(refused, Err(ProofRefusal::OtherTransaction | ProofRefusal::Unreadable)),
            "{position}: {refused:?}"
        );
    }
    let longer = [vector.blob.as_slice(), &[0]].concat();
    assert_eq!(Transaction::read(&longer, &vector.txid), Err(ProofRefusal::Unreadable));
    assert_eq!(Transaction::read(&vector.blob[1..], &vector.txid).err(), Some(ProofRefusal::Unreadable));
    assert_eq!(Transaction::read(&vec![0; 200_000], &vector.txid), Err(ProofRefusal::TooLarge));
}

/// Nodes do not check the written amount of an output: a payer may write any, in a valid transaction, and prove it. The
/// commitment shows the real one.
#[test]
fn a_forged_amount_is_refused() {
    let vector = Vector::read("outproof-single-0");
    let mine = vector.verify().expect("good").outputs[0].index;
    let mut forged = payer::transaction(&vector);
    assert_eq!(payer::judge(&vector, &forged), vector.verify());
    let Changed::V2 { proofs: Some(proofs), .. } = &mut forged else { panic!("version 2") };
    let EncryptedAmount::Compact { amount } = &mut proofs.base.encrypted_amounts[mine] else { panic!("compact") };
    amount[5] ^= 0xff;
    assert_eq!(payer::judge(&vector, &forged), Err(ProofRefusal::ForgedAmount));
}

#[test]
fn transactions_of_other_kinds_are_refused() {
    type Change = fn(&mut Changed, usize);
    let cases: [(&str, Change, Result<u64, ProofRefusal>); 9] = [
        ("unchanged", |_, _| (), Ok(0)),
        ("locked", |tx, _| tx.prefix_mut().additional_timelock = Timelock::Block(100_000), Ok(100_000)),
        (
            "locked by time",
            |tx, _| tx.prefix_mut().additional_timelock = Timelock::Time(1_900_000_000),
            Ok(1_900_000_000),
        ),
        ("no view tag", |tx, mine| tx.prefix_mut().outputs[mine].view_tag = None, Err(ProofRefusal::Version)),
        (
            "another view tag",
            |tx, mine| {
                tx.prefix_mut().outputs[mine].view_tag =
                    Some(tx.prefix().outputs[mine].view_tag.map_or(0, |tag| tag ^ 1));
            },
            Err(ProofRefusal::NothingReceived),
        ),
        (
            "another key",
            |tx, mine| tx.prefix_mut().outputs[mine].key = tx.prefix().outputs[1 - mine].key,
            Err(ProofRefusal::NothingReceived),
        ),
        (
            "one key twice",
            |tx, mine| tx.prefix_mut().outputs[1 - mine].key = tx.prefix().outputs[mine].key,
            Err(ProofRefusal::BurnedOutput),
        ),
        ("no transaction key", |tx, _| tx.prefix_mut().extra.clear(), Err(ProofRefusal::NoKey)),
        (
            "more keys",
            |tx, _| {
                let key = tx.prefix().extra[1..33].to_vec();
                tx.prefix_mut().extra.extend([vec![4, 1], key].concat());
            },
            Err(ProofRefusal::KeyCount),
        ),
    ];
    let vector = Vector::read("outproof-single-0");
    let mine = vector.verify().expect("good").outputs[0].index;
    for (name, change, expected) in cases {
        let mut changed = payer::transaction(&vector);
        change(&mut changed, mine);
        assert_eq!(payer::judge(&vector, &changed).map(|received| received.unlock_time), expected, "{name}");
    }
}

#[test]
fn mined_and_old_transactions_are_refused() {
    let vector = Vector::read("outproof-single-0");
    let mut prefix = payer::transaction(&vector).prefix().clone();
    prefix.inputs = vec![Input::Gen(81)];
    let mined = Changed::V2 { prefix: prefix.clone(), proofs: None };
    assert_eq!(payer::judge(&vector, &mined), Err(ProofRefusal::Coinbase));
    let old = Changed::V1 { prefix, signatures: Vec::new() };
    assert!(matches!(payer::judge(&vector, &old), Err(ProofRefusal::Version | ProofRefusal::Unreadable)));
}

#[test]
fn addresses() {
    for vector in vectors() {
        assert!(vector.address.is_subaddress());
        let text = vector.address.to_string();
        for wrong in [&text[1..], &format!("{text}1"), &text.replace('8', "9"), "", &"8".repeat(300)] {
            assert!(Address::parse(wrong).is_err(), "{wrong}");
        }
    }
}

#[test]
fn a_proof_takes_at_most_a_millisecond() {
    if cfg!(debug_assertions) {
        return;
    }
    for (name, keys) in [("outproof-single-0", 1), ("outproof-multi", 4)] {
        let vector = Vector::read(name);
        let started = std::time::Instant::now();
        for _ in 0..200 {
            let proof = vector.proof.parse().expect("a proof");
            vector.with_proof(&proof).expect("good");
        }
        let each = started.elapsed() / 200;
        println!("{name}: {each:?}");
        assert!(each.as_micros() <= 1000 * keys, "{name}: {each:?}");
    }
}

proptest! {
    #[test]
    fn fuzz_proof_one_bit(bit in 0..96 * 8_usize) {
        let vector = Vector::read("outproof-single-0");
        let (secret, signature) = vector.proof[10..].split_at(44);
        let mut bytes = [monero_base58::decode(secret).expect("base58"), monero_base58::decode(signature).expect("base58")].concat();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let text = format!("OutProofV2{}{}", monero_base58::encode(&bytes[..32]), monero_base58::encode(&bytes[32..]));
        if let Ok(proof) = text.parse() {
            prop_assert!(vector.with_proof(&proof).is_err());
        }
    }

    #[test]
    fn fuzz_proof_of_any_text(text in "OutProofV2[1-9A-HJ-NP-Za-km-z]{132}|OutProofV2.{0,300}|.{0,60}") {
        if let Ok(proof) = text.parse::<OutProof>() {
            prop_assert_eq!(proof.to_string(), text);
        }
    }

    #[test]
    fn fuzz_transaction_of_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let txid = tpat::Txid([0; 32]);
        prop_assert!(Transaction::read(&bytes, &txid).is_err());
    }

    #[test]
    fn fuzz_transaction_spoiled(at in 0..2200_usize, with in prop::collection::vec(any::<u8>(), 0..12), cut in 0..40_usize) {
        let vector = Vector::read("outproof-multi");
        let mut blob = vector.blob.clone();
        let at = at.min(blob.len());
        let end = (at + cut).min(blob.len());
        blob.splice(at..end, with);
        if blob != vector.blob {
            prop_assert!(Transaction::read(&blob, &vector.txid).is_err());
        }
    }
}
