//! A payment from the pool into a block, out of it again, and gone; and a node that is away.

use crate::{claim, verifiers};
use monero::{ClaimResult, Error, Node, NodeVerifier, RpcLimits, VerifiedPayment, Verifier};
use regtest::RegtestNetwork;
use std::sync::Arc;
use std::time::Duration;
use tpat::{ProofRefusal, ViewPair};

const MESSAGE: &str = "tpat1:challenge-abc";
const PRICE: u64 = 2_000_000_000;

async fn paid(verifier: &dyn Verifier, claim: &monero::PaymentClaim) -> VerifiedPayment {
    match verifier.verify(claim).await.expect("an answer") {
        ClaimResult::Paid(payment) => payment,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_from_pool_to_block_and_back() {
    let regtest = RegtestNetwork::start().await.expect("a network");

    let primary = regtest.merchant.address().await.expect("an address").parse().expect("an address");
    let view_key = regtest.merchant.view_key().await.expect("a key");
    let pool = ViewPair::new(&primary, &view_key).expect("a view key");
    let created = regtest.merchant.create_address("new").await.expect("an address");
    let address = pool.subaddress(0, created.address_index).expect("a subaddress").to_string();
    assert_eq!(address, created.address, "derived here and by the wallet");
    assert!(pool.subaddress(0, 0).is_none());

    let sent = regtest.pay(&address, PRICE, MESSAGE).await.expect("paid");
    let claim = claim(&sent, &address, MESSAGE);
    for verifier in verifiers(&regtest) {
        let payment = paid(&*verifier, &claim).await;
        assert_eq!((payment.received.total, payment.received.outputs.len()), (PRICE, 1));
        assert_eq!((payment.block, payment.confirmations, payment.double_spend_seen), (None, 0, false));
        let other = monero::PaymentClaim { message: "tpat1:challenge-abd".to_owned(), ..claim.clone() };
        assert_eq!(verifier.verify(&other).await.expect("an answer"), ClaimResult::Refused(ProofRefusal::Signature));
        let other = monero::PaymentClaim { address: primary, ..claim.clone() };
        assert_eq!(verifier.verify(&other).await.expect("an answer"), ClaimResult::Refused(ProofRefusal::Signature));
        let other = monero::PaymentClaim { txid: tpat::Txid([0; 32]), ..claim.clone() };
        assert_eq!(verifier.verify(&other).await.expect("an answer"), ClaimResult::NotFound);
    }

    let newest = regtest.mine(1).await.expect("mined");
    for verifier in verifiers(&regtest) {
        let payment = paid(&*verifier, &claim).await;
        assert_eq!((payment.block, payment.confirmations), (Some(newest), 1));
    }
    regtest.mine(9).await.expect("mined");
    for verifier in verifiers(&regtest) {
        assert_eq!(paid(&*verifier, &claim).await.confirmations, 10);
    }

    regtest.node.pop_blocks(10).await.expect("popped");
    let own = NodeVerifier::new(regtest.node.clone());
    assert_eq!(paid(&own, &claim).await.block, None);
    regtest.node.flush_pool(&[sent.txid]).await.expect("flushed");
    for verifier in verifiers(&regtest) {
        assert_eq!(verifier.verify(&claim).await.expect("an answer"), ClaimResult::NotFound);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_gone_slow_and_back() {
    let mut regtest = RegtestNetwork::start().await.expect("a network");
    let address = regtest.merchant_address().await.expect("an address");
    let sent = regtest.pay(&address, PRICE, MESSAGE).await.expect("paid");
    regtest.mine(1).await.expect("mined");
    let claim = claim(&sent, &address, MESSAGE);
    let verifier = |limits| NodeVerifier::new(Arc::new(Node::new(&regtest.node_url(), limits).expect("a node")));
    let own = verifier(RpcLimits::default());
    let hurried = verifier(RpcLimits { timeout: Duration::from_millis(500), ..RpcLimits::default() });
    assert_eq!(paid(&own, &claim).await.confirmations, 1);

    regtest.pause_node(true);
    let error = hurried.verify(&claim).await.expect_err("no answer");
    assert!(matches!(error, Error::Timeout(_)) && error.is_passing(), "{error:?}");
    regtest.pause_node(false);
    regtest.stop_node();
    let error = own.verify(&claim).await.expect_err("no answer");
    assert!(matches!(error, Error::Unreachable(..)) && error.is_passing(), "{error:?}");
    regtest.start_node().await.expect("started");
    assert_eq!(paid(&own, &claim).await.confirmations, 1);
}
