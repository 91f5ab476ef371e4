//! The verifier here and the reference wallet's, on the same two hundred proofs, most of them invalidated.

use regtest::RegtestNetwork;
use tpat::{Address, OutProof, ProofRefusal, Txid, verify};

const MESSAGE: &str = "tpat1:challenge-abc";
/// Number of characters of a proof with one part.
const ONE_PART: usize = 142;

/// A small generator of its own: the same proofs in each run (Steele and others, `SplitMix64`).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((number ^ (number >> 31)) % limit as u64).expect("small")
    }
}

struct Case {
    txid: Txid,
    address: String,
    message: String,
    proof: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_proofs_are_judged_alike() {
    let regtest = RegtestNetwork::start().await.expect("a network");
    let addresses = [
        regtest.merchant_address().await.expect("an address"),
        regtest.merchant_address().await.expect("an address"),
        regtest.merchant.address().await.expect("an address"),
    ];
    let [first, second, primary] = [&addresses[0], &addresses[1], &addresses[2]];
    let mut good = Vec::new();
    for payments in [vec![(first.as_str(), 11)], vec![(first, 12), (second, 13)], vec![(primary, 14)]] {
        regtest.payer.refresh().await.expect("refreshed");
        let sent = regtest.payer.transfer(&payments, 0).await.expect("sent");
        for (address, _) in payments {
            let proof = regtest.payer.tx_proof(&sent.txid, address, MESSAGE).await.expect("a proof");
            let (address, message) = (address.to_owned(), MESSAGE.to_owned());
            good.push(Case { txid: sent.txid, address, message, proof });
        }
    }
    let mut numbers = Numbers(1);
    let (mut both, mut neither, mut stricter) = (0, 0, 0);
    for round in 0..200 {
        let case = spoil(&good, &addresses, &mut numbers, round);
        let theirs = regtest.merchant.check_tx_proof(&case.txid, &case.address, &case.message, &case.proof).await;
        let theirs = theirs.ok().filter(|checked| checked.good).map(|checked| checked.received);
        match (judge(&regtest, &case).await, theirs) {
            (Some(Ok(ours)), Some(theirs)) if ours == theirs => both += 1,
            // The wallet accepts a proof that shows no payment, one with a mangled header, and one of several parts of
            // which any but the right one is no point or number.
            (Some(Err(ProofRefusal::NothingReceived)), Some(0)) => stricter += 1,
            (None, Some(_)) if !case.proof.starts_with("OutProofV2") || case.proof.len() > ONE_PART => stricter += 1,
            (None | Some(Err(_)), None) => neither += 1,
            (ours, theirs) => panic!("{round}: {ours:?} here, {theirs:?} there: {}", case.proof),
        }
    }
    println!("good for both: {both}, for neither: {neither}, stricter here: {stricter}");
    assert!(both >= 20 && neither >= 50 && stricter >= 5, "{both} {neither} {stricter}");
}

/// Verifies a proof. `None`: it cannot be parsed.
async fn judge(regtest: &RegtestNetwork, case: &Case) -> Option<Result<u64, ProofRefusal>> {
    let proof: OutProof = case.proof.parse().ok()?;
    let address: Address = case.address.parse().ok()?;
    let seen = regtest.node.transaction(&case.txid).await.expect("an answer").expect("in the pool");
    Some(verify(&seen.blob, &case.txid, &address, case.message.as_bytes(), &proof).map(|received| received.total))
}

fn spoil(good: &[Case], addresses: &[String; 3], numbers: &mut Numbers, round: usize) -> Case {
    let from = &good[numbers.below(good.len())];
    let mut case = Case {
        txid: from.txid,
        address: from.address.clone(),
        message: from.message.clone(),
        proof: from.proof.clone(),
    };
    match round % 8 {
        0 => {}
        1 => case.message.push('x'),
        2 => case.address.clone_from(&addresses[numbers.below(3)]),
        3 => case.txid = good[numbers.below(good.len())].txid,
        4 => case.proof.replace_range(3..10, "GARBAGE"),
        5 => case.proof.truncate(case.proof.len() - 1 - numbers.below(20)),
        _ => {
            let digits = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
            let at = 10 + numbers.below(case.proof.len() - 10);
            let digit = char::from(digits[numbers.below(58)]);
            case.proof.replace_range(at..=at, &digit.to_string());
        }
    }
    case
}
