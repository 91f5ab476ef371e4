//! Attacks that need real proofs.

use super::{PRICE, mine, pay, redeem, selling, shown};
use crate::support::{Key, World};
use http::Method;
use regtest::{ProvenPayment, RegtestNetwork};
use wire::toll::{REDEEM, TollCode};

/// A wallet makes a different proof each time. In that program each was a new token.
#[tokio::test(flavor = "multi_thread")]
async fn attack_8_the_proof_made_again() {
    let regtest = RegtestNetwork::start().await.unwrap();
    let (world, key) = (World::real(&regtest, selling()).await, Key::new());
    let (demand, other) = (world.client.demand("/price").await, world.client.demand("/open").await);
    let paid = pay(&regtest, &demand, PRICE).await;
    let token = redeem(&world, &paid, &demand, &key).await.token();
    let again = regtest.payer.tx_proof(&paid.txid, &demand.address, &demand.message).await.unwrap();
    assert_ne!(again, paid.proof);
    let again = ProvenPayment { proof: again, ..paid.clone() };
    assert_eq!(redeem(&world, &again, &demand, &key).await.token(), token);
    assert_eq!(redeem(&world, &again, &demand, &Key::new()).await.code(), TollCode::AlreadyRedeemed);

    // For another challenge, with its message, by the payer itself.
    let proof = regtest.payer.tx_proof(&paid.txid, &demand.address, &other.message).await.unwrap();
    let elsewhere = redeem(&world, &ProvenPayment { proof, ..paid.clone() }, &other, &key).await;
    assert_eq!((elsewhere.status, elsewhere.code()), (422, TollCode::WrongMessage), "the address is the challenge's");
    // The wallet finds no payment to prove at the other address, or makes a proof of zero.
    if let Ok(proof) = regtest.payer.tx_proof(&paid.txid, &other.address, &other.message).await {
        let nothing = redeem(&world, &ProvenPayment { proof, ..paid.clone() }, &other, &key).await;
        assert_eq!(nothing.status, 422);
    }
    // A challenge for the same address, twenty challenges later.
    let mut same = world.client.demand("/price").await;
    while same.address != demand.address {
        same = world.client.demand("/price").await;
    }
    let proof = regtest.payer.tx_proof(&paid.txid, &same.address, &same.message).await.unwrap();
    let same = redeem(&world, &ProvenPayment { proof, ..paid }, &same, &key).await;
    assert_eq!((same.status, same.code()), (409, TollCode::AlreadyRedeemed));
    assert_eq!(world.store.toll_tokens(10).await.unwrap().len(), 1);
}

/// The reference wallet accepts a proof whose header is mangled. In that program, a person who had seen one proof had
/// many.
#[tokio::test(flavor = "multi_thread")]
async fn attack_9_the_proof_mangled() {
    let regtest = RegtestNetwork::start().await.unwrap();
    let (world, key) = (World::real(&regtest, selling()).await, Key::new());
    let demand = world.client.demand("/price").await;
    let paid = pay(&regtest, &demand, PRICE).await;
    let mangled = |head: &str| ProvenPayment { proof: paid.proof.replace("OutProofV2", head), ..paid.clone() };
    for head in ["OutGARBAGE", "Outxxxxxxx", "InProofV2", "OutProofV1", "OutProofV3", "", "outProofV2"] {
        let reply = redeem(&world, &mangled(head), &demand, &key).await;
        assert_eq!((reply.status, reply.code()), (400, TollCode::Malformed), "{head}");
    }
    // The wallet accepts the first of these.
    let garbage = mangled("OutGARBAGE").proof;
    let theirs = regtest.merchant.check_tx_proof(&paid.txid, &demand.address, &demand.message, &garbage);
    assert!(theirs.await.is_ok_and(|checked| checked.good));
    let wrong = regtest.payer.tx_proof(&paid.txid, &demand.address, "tpat1:another").await.unwrap();
    assert_eq!(
        redeem(&world, &ProvenPayment { proof: wrong, ..paid.clone() }, &demand, &key).await.code(),
        TollCode::WrongMessage
    );
    let empty = regtest.payer.tx_proof(&paid.txid, &demand.address, "").await.unwrap();
    assert_eq!(
        redeem(&world, &ProvenPayment { proof: empty, ..paid.clone() }, &demand, &key).await.code(),
        TollCode::WrongMessage
    );
    assert_eq!(world.store.toll_payments(10).await.unwrap(), []);
    redeem(&world, &paid, &demand, &key).await.token();
}

/// In that program the client could choose the address that it had paid: its own.
#[tokio::test(flavor = "multi_thread")]
async fn attack_12_an_address_of_the_clients_choice() {
    let regtest = RegtestNetwork::start().await.unwrap();
    let (world, key) = (World::real(&regtest, selling()).await, Key::new());
    let demand = world.client.demand("/price").await;
    let own = regtest.payer.create_address("own").await.unwrap().address;
    let to_itself = regtest.pay(&own, PRICE, &demand.message).await.unwrap();
    // For its own address, a wallet proves what it received.
    assert!(to_itself.proof.starts_with("InProofV2"));
    assert_eq!(redeem(&world, &to_itself, &demand, &key).await.code(), TollCode::Malformed);
    let other = regtest.merchant_address().await.unwrap();
    assert_ne!(other, demand.address);
    let paid = regtest.pay(&other, PRICE, &demand.message).await.unwrap();
    let reply = world.client.redeem(&format!("{}:{other}", shown(&paid)), &demand.challenge, Some(&key)).await;
    assert_eq!((reply.status, reply.code()), (422, TollCode::WrongMessage));
    let body = serde_json::json!({"challenge": demand.challenge, "jwk": key.jwk(), "tpat_subaddress_override": other});
    let request = world.client.request(Method::POST, REDEEM).header("authorization", format!("TPAT {}", shown(&paid)));
    let proof = world.client.prove(&key, "POST", REDEEM, None);
    let reply = world.client.send(request.header("dpop", proof).json(&body)).await;
    assert_eq!((reply.status, reply.code()), (400, TollCode::Malformed));
    // The same for money that stays locked.
    mine(&regtest, &world, 1).await;
    let locked = regtest.payer.transfer(&[(&demand.address, PRICE)], 100_000).await.unwrap();
    let proof = regtest.payer.tx_proof(&locked.txid, &demand.address, &demand.message).await.unwrap();
    let locked = redeem(&world, &ProvenPayment { txid: locked.txid, proof, fee: 0 }, &demand, &key).await;
    assert_eq!((locked.status, locked.code()), (422, TollCode::LockedFunds));
    assert_eq!(world.store.toll_payments(10).await.unwrap(), []);
}
