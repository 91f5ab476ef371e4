//! Transactions of unusual kinds.

use crate::{claim, verifiers};
use monero::ClaimResult;
use regtest::{ProvenPayment, RegtestNetwork};

/// The name, the payments and the lock of a case.
type Case<'a> = (&'a str, &'a [(&'a str, u64)], u64);

const MESSAGE: &str = "tpat1:challenge-abc";

#[tokio::test(flavor = "multi_thread")]
async fn locks_many_outputs_many_addresses_and_the_primary_one() {
    let regtest = RegtestNetwork::start().await.expect("a network");
    let first = regtest.merchant_address().await.expect("an address");
    let second = regtest.merchant_address().await.expect("an address");
    let primary = regtest.merchant.address().await.expect("an address");
    let cases: [Case<'_>; 5] = [
        ("locked", &[(&first, 3)], 100_000),
        ("one address twice", &[(&first, 5), (&first, 6)], 0),
        ("two addresses", &[(&first, 7), (&second, 8)], 0),
        ("primary", &[(&primary, 9)], 0),
        ("all", &[(&first, 1), (&second, 2), (&primary, 4)], 0),
    ];
    for (name, payments, unlock_time) in cases {
        regtest.payer.refresh().await.expect("refreshed");
        let sent = regtest.payer.transfer(payments, unlock_time).await.expect("sent");
        for address in [&first, &second, &primary] {
            let amounts = payments.iter().filter(|(to, _)| to == address).map(|(_, amount)| *amount);
            let (count, total) = (amounts.clone().count(), amounts.sum::<u64>());
            if count == 0 {
                continue;
            }
            let proof = regtest.payer.tx_proof(&sent.txid, address, MESSAGE).await.expect("a proof");
            let paid = ProvenPayment { txid: sent.txid, proof, fee: sent.fee };
            for verifier in verifiers(&regtest) {
                let ClaimResult::Paid(payment) =
                    verifier.verify(&claim(&paid, address, MESSAGE)).await.expect("an answer")
                else {
                    panic!("{name}: not paid")
                };
                let received = payment.received;
                assert_eq!((received.total, received.outputs.len()), (total, count), "{name}");
                assert_eq!(received.unlock_time, unlock_time, "{name}");
            }
        }
    }
}
