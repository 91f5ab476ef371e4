//! The chain loses its newest blocks, or the pool a transaction.

use super::{PRICE, mine, pay, redeem, selling};
use crate::support::{Key, World};
use regtest::RegtestNetwork;
use wire::toll::TollCode;

#[tokio::test(flavor = "multi_thread")]
async fn tokens_sleep_while_their_payment_is_gone() {
    let regtest = RegtestNetwork::start().await.unwrap();
    let (world, key) = (World::real(&regtest, selling()).await, Key::new());
    let opens = async |token: &str| world.client.bound("/price", token, &key).await.status;
    let demand = world.client.demand("/price").await;
    let paid = pay(&regtest, &demand, PRICE).await;
    let token = redeem(&world, &paid, &demand, &key).await.token().token;
    assert_eq!(opens(&token).await, 200);

    // Into a block, out of it again and back into the pool: the token stays valid.
    mine(&regtest, &world, 1).await;
    assert!(!redeem(&world, &paid, &demand, &key).await.token().provisional);
    regtest.node.pop_blocks(1).await.unwrap();
    world.payments.look_at_chain().await.unwrap();
    let popped = redeem(&world, &paid, &demand, &key).await.token();
    assert_eq!((popped.token.as_str(), popped.provisional, opens(&token).await), (token.as_str(), true, 200));

    // Out of the pool too: no node knows it any more.
    let blob = regtest.node.transaction(&paid.txid).await.unwrap().unwrap().blob;
    regtest.node.flush_pool(&[paid.txid]).await.unwrap();
    mine(&regtest, &world, 1).await;
    let asleep = world.client.bound("/price", &token, &key).await;
    assert_eq!((asleep.status, asleep.code()), (403, TollCode::TokenSuspended));
    assert_eq!(redeem(&world, &paid, &demand, &key).await.code(), TollCode::NotFound);

    // Back in the pool: the token resumes without a new block, and once mined it is valid as before.
    regtest.node.send(&blob).await.unwrap();
    world.payments.look_at_chain().await.unwrap();
    assert_eq!(opens(&token).await, 200);
    mine(&regtest, &world, 1).await;
    assert_eq!(opens(&token).await, 200);
    // An unknown transaction is not requested again for two seconds.
    world.later(2);
    assert!(!redeem(&world, &paid, &demand, &key).await.token().provisional);
    // Deep enough, it is no longer watched.
    mine(&regtest, &world, 20).await;
    assert_eq!(world.store.unsettled().await.unwrap(), [""; 0]);
}
