//! Payments that are found by the view key alone.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

#[path = "support/made.rs"]
mod made;

use made::{Made, VIEW_KEY, made, primary};
use monero_oxide::ringct::EncryptedAmount;
use monero_oxide::transaction::Timelock;
use proptest::prelude::*;
use serde_json::Value;
use tpat::{ProofRefusal, ReceivedPayment, Transaction, Txid, ViewPair, WatchedAddresses};

type Place = (u32, u32);

const PLACES: [Place; 3] = [(1, 0), (1, 7), (1, 199)];

fn pair() -> ViewPair {
    ViewPair::new(&primary().parse().expect("an address"), VIEW_KEY).expect("a view key")
}

fn address(place: Place) -> String {
    pair().subaddress(place.0, place.1).expect("a subaddress").to_string()
}

fn watched(pair: &ViewPair, places: &[Place]) -> WatchedAddresses<Place> {
    places.iter().map(|&place| (pair.subaddress(place.0, place.1).expect("a subaddress"), place)).collect()
}

fn scan(transaction: &Made) -> Result<Vec<(Place, ReceivedPayment)>, ProofRefusal> {
    let read = Transaction::read(&transaction.serialize(), &Txid(transaction.hash()))?;
    let (pair, watched) = (pair(), watched(&pair(), &PLACES));
    Ok(pair.scan(&read, &watched)?.into_iter().map(|(place, received)| (*place, received)).collect())
}

fn totals(transaction: &Made) -> Result<Vec<(Place, u64)>, ProofRefusal> {
    Ok(scan(transaction)?.into_iter().map(|(place, received)| (place, received.total)).collect())
}

/// Checks payments of real wallets (0.18.0.0), one to an address and one to two at once. Only their own view key finds
/// them.
#[test]
fn real_payments_are_found() {
    for name in ["scan-single", "scan-multi"] {
        let path = format!("{}/tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let value: Value = serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("json");
        let text = |name: &str| value[name].as_str().expect("text");
        let hex = text("as_hex");
        let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex");
        let blob: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
        let transaction = Transaction::read(&blob, &text("txid").parse().expect("a txid")).expect("a transaction");
        let theirs = ViewPair::new(&text("primary").parse().expect("an address"), text("view_key")).expect("a key");
        let paid: Vec<(Place, u64)> = serde_json::from_value(value["paid"].clone()).expect("payments");
        let places: Vec<Place> = (0..2).flat_map(|account| (1..10).map(move |index| (account, index))).collect();
        let mut found: Vec<_> = theirs
            .scan(&transaction, &watched(&theirs, &places))
            .expect("scanned")
            .into_iter()
            .map(|(place, received)| (*place, received.total))
            .collect();
        found.sort_unstable();
        assert_eq!(found, paid, "{name}");
        let elsewhere = pair();
        assert_eq!(elsewhere.scan(&transaction, &watched(&elsewhere, &places)), Ok(Vec::new()));
        // With another wallet's view key, the same addresses are not seen either.
        assert_eq!(elsewhere.scan(&transaction, &watched(&theirs, &places)), Ok(Vec::new()));
    }
}

#[test]
fn one_address_two_addresses_and_one_twice() {
    let [first, second, third] = PLACES.map(address);
    assert_eq!(totals(&made(77, 0, &[(&first, 5)])), Ok(vec![((1, 0), 5)]));
    assert_eq!(totals(&made(77, 0, &[(&second, u64::MAX)])), Ok(vec![((1, 7), u64::MAX)]));
    assert_eq!(totals(&made(77, 0, &[(&third, 5), (&first, 6)])), Ok(vec![((1, 199), 5), ((1, 0), 6)]));
    assert_eq!(totals(&made(77, 0, &[(&first, 5), (&first, 6)])), Ok(vec![((1, 0), 11)]));
    let found = scan(&made(77, 0, &[(&first, 5), (&first, 6)])).expect("scanned");
    assert_eq!(found[0].1.outputs.iter().map(|output| output.index).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn addresses_that_nobody_watches() {
    for place in [(1, 1), (0, 7), (2, 7), (1, 200)] {
        assert_eq!(scan(&made(77, 0, &[(&address(place), 5)])), Ok(Vec::new()), "{place:?}");
    }
    let mixed = made(77, 0, &[(&address((1, 1)), 5), (&address((1, 7)), 6)]);
    assert_eq!(totals(&mixed), Ok(vec![((1, 7), 6)]));
}

#[test]
fn an_invalid_transaction_counts_for_nothing() {
    type Change = fn(&mut Made);
    type Locks = Result<Vec<u64>, ProofRefusal>;
    let cases: [(&str, Change, Locks); 9] = [
        ("unchanged", |_| (), Ok(vec![0])),
        ("locked", |tx| tx.prefix_mut().additional_timelock = Timelock::Block(9), Ok(vec![9])),
        ("no key", |tx| tx.prefix_mut().extra.clear(), Err(ProofRefusal::NoKey)),
        ("a key that is none", |tx| tx.prefix_mut().extra[4..].fill(2), Err(ProofRefusal::NoKey)),
        (
            "another key",
            |tx| tx.prefix_mut().extra = made(78, 0, &[(&address((1, 7)), 5)]).prefix().extra.clone(),
            Ok(vec![]),
        ),
        (
            "one key more that is none",
            |tx| tx.prefix_mut().extra.extend([vec![4, 1], vec![2; 32]].concat()),
            Err(ProofRefusal::NoKey),
        ),
        (
            "another view tag",
            |tx| tx.prefix_mut().outputs[0].view_tag = tx.prefix().outputs[0].view_tag.map(|tag| tag ^ 1),
            Ok(vec![]),
        ),
        (
            "one output key twice",
            |tx| tx.prefix_mut().outputs[1].key = tx.prefix().outputs[0].key,
            Err(ProofRefusal::BurnedOutput),
        ),
        (
            "an amount that is not there",
            |tx| {
                let Made::V2 { proofs: Some(proofs), .. } = tx else { panic!("version 2") };
                let EncryptedAmount::Compact { amount } = &mut proofs.base.encrypted_amounts[0] else {
                    panic!("compact")
                };
                amount[5] ^= 0xff;
            },
            Err(ProofRefusal::ForgedAmount),
        ),
    ];
    for (name, change, expected) in cases {
        let mut changed = made(77, 0, &[(&address((1, 7)), 5)]);
        change(&mut changed);
        let locks = scan(&changed).map(|found| found.iter().map(|(_, received)| received.unlock_time).collect());
        assert_eq!(locks, expected, "{name}");
    }
    let nothing = made(77, 0, &[(&address((1, 7)), 0)]);
    assert_eq!(scan(&nothing), Err(ProofRefusal::NothingReceived));
}

proptest! {
    #[test]
    fn fuzz_scan_finds_no_more_than_was_paid(at in 0..2000_usize, bit in 0..8_u8) {
        let paid = made(77, 0, &[(&address((1, 7)), 5)]);
        let mut blob = paid.serialize();
        let at = at % blob.len();
        blob[at] ^= 1 << bit;
        if let Ok(changed) = Made::read(&mut blob.as_slice()) && let Ok(found) = totals(&changed) {
            prop_assert!(found.is_empty() || found == [((1, 7), 5)], "{found:?}");
        }
    }
}
