//! A node that is away, stops, and comes back.

use super::{PRICE, careful, mine, pay, redeem};
use crate::support::{Key, World};
use regtest::RegtestNetwork;
use wire::toll::TollCode;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_while_the_node_is_away() {
    let mut regtest = RegtestNetwork::start().await.unwrap();
    let (world, key) = (World::real(&regtest, careful()).await, Key::new());
    let (first, second) = (world.client.demand("/price").await, world.client.demand("/price").await);
    let (paid, later) = (pay(&regtest, &first, PRICE).await, pay(&regtest, &second, PRICE).await);
    assert_eq!(redeem(&world, &paid, &first, &key).await.status, 202);
    mine(&regtest, &world, 1).await;
    let token = redeem(&world, &paid, &first, &key).await.token();

    let unavailable = async || {
        let reply = redeem(&world, &later, &second, &key).await;
        assert_eq!((reply.status, reply.code()), (503, TollCode::NodeUnavailable));
        assert!(reply.header("retry-after").is_some() && reply.header("www-authenticate").is_none());
        assert!(world.payments.look_at_chain().await.is_err());
        // A token that was paid for still works.
        assert_eq!(redeem(&world, &paid, &first, &key).await.token().token, token.token);
        assert_eq!(world.client.bound("/price", &token.token, &key).await.status, 200);
    };
    regtest.pause_node(true);
    unavailable().await;
    regtest.pause_node(false);
    regtest.stop_node();
    unavailable().await;
    regtest.start_node().await.unwrap();
    world.payments.look_at_chain().await.unwrap();
    assert_eq!(redeem(&world, &later, &second, &key).await.token().quota, 100);
}
