//! A node that is away or behind: no payment is requested that could not be found.

use crate::support::made::made;
use crate::support::{Browser, Chain, Key, NodeState, PRICE, PROOFS, World, pricing, txid};
use http::Method;
use toll::pricing::{Allowance, Pricing};
use wire::toll::TollCode;

const PATH: &str = "/price";
const STILL: &str = "/.well-known/tpat/still?back=%2Fprice";

/// Takes the node away, and lets two checks fail.
async fn gone(world: &World, node_state: NodeState) {
    world.chain.node_state(node_state);
    for _ in 0..2 {
        assert!(world.payments.look_at_chain().await.is_err());
        world.later(5);
    }
}

async fn back(world: &World) {
    world.chain.node_state(NodeState::Good);
    world.payments.look_at_chain().await.unwrap();
}

#[tokio::test]
async fn nobody_is_asked_for_money_until_the_node_is_back() {
    let (world, key) = (World::new().await, Key::new());
    world.payments.look_at_chain().await.unwrap();
    let demand = world.client.demand(PATH).await;
    world.pay(txid(1), &demand, PRICE);
    let token = world.client.redeem(&format!("{}:{}", txid(1), PROOFS[0]), &demand.challenge, Some(&key)).await.token();
    for node_state in [NodeState::Down, NodeState::Behind] {
        world.chain.node_state(node_state);
        assert!(world.payments.look_at_chain().await.is_err());
        assert_eq!(world.client.get(PATH).await.status, 402, "one look that fails is no outage");
        gone(&world, node_state).await;
        let reply = world.client.get(PATH).await;
        assert_eq!(
            (reply.status, reply.code(), reply.header("retry-after")),
            (503, TollCode::NodeUnavailable, Some("30"))
        );
        assert!(reply.header("www-authenticate").is_none(), "there is nothing to pay");
        let page = Browser::at(1).open(&world, PATH).await;
        assert_eq!((page.status, page.header("retry-after"), page.header("refresh")), (503, Some("30"), Some("30")));
        let html = page.html();
        assert!(html.contains("Do not pay now") && !html.contains("monero:") && !html.contains("<form"), "{html}");
        let still = Browser::at(1).open(&world, STILL).await;
        assert_eq!((still.status, still.header("refresh")), (503, None));
        // Free routes and paid tokens still work.
        assert_eq!(world.client.get("/free").await.status, 200);
        world.client.get(PATH).await;
        assert!(world.payments.is_away() && world.client.get(PATH).await.header("dpop-nonce").is_none());
        back(&world).await;
        assert_eq!(world.client.get(PATH).await.status, 402);
        gone(&world, node_state).await;
        assert_eq!(world.client.bound(PATH, &token.token, &key).await.status, 200);
        back(&world).await;
    }
    // A client whose token is used up sees no price either.
    assert_eq!(world.client.bound(PATH, &token.token, &key).await.status, 200);
    gone(&world, NodeState::Down).await;
    let spent = world.client.bound(PATH, &token.token, &key).await;
    assert_eq!((spent.status, spent.code()), (503, TollCode::NodeUnavailable));
    assert!(spent.header("www-authenticate").is_none());
}

#[tokio::test]
async fn a_browser_with_an_offer_waits_and_its_payment_is_found() {
    let world = World::with_browser_addresses(Chain::new(), pricing(), tempfile::tempdir().unwrap(), 3).await;
    let browser = Browser::at(1);
    let address = browser.open(&world, PATH).await.address();
    gone(&world, NodeState::Down).await;
    for path in [PATH, STILL] {
        let page = browser.open(&world, path).await;
        assert!(page.status == 503 && !page.html().contains(&address), "{}", page.html());
    }
    world.chain.send(&made(77, 0, &[(&address, PRICE)]));
    back(&world).await;
    world.payments.follow().await.unwrap();
    assert_eq!(browser.open(&world, PATH).await.status, 303);
}

#[tokio::test]
async fn nobody_is_asked_for_money_while_the_verifier_does_not_answer() {
    let world = World::new().await;
    world.payments.check_verifier().await.unwrap();
    world.chain.verifier_is_gone(true);
    assert!(world.payments.check_verifier().await.is_err());
    assert_eq!(world.client.get(PATH).await.status, 402, "one check that fails is no outage");
    world.later(5);
    assert!(world.payments.check_verifier().await.is_err());
    assert!(world.payments.verifier_is_away() && !world.payments.chain_is_away());
    let reply = world.client.get(PATH).await;
    assert_eq!((reply.status, reply.code()), (503, TollCode::NodeUnavailable));
    assert_eq!(world.client.get("/free").await.status, 200);
    world.chain.verifier_is_gone(false);
    world.payments.check_verifier().await.unwrap();
    assert_eq!(world.client.get(PATH).await.status, 402);
}

#[tokio::test]
async fn requests_for_nothing_need_no_node() {
    let allowance = Some(Allowance { requests: 1, window_ms: 60_000 });
    let world = World::with(Pricing { allowance, signed_in_free: true, ..pricing() }).await;
    gone(&world, NodeState::Down).await;
    assert_eq!(world.client.get(PATH).await.status, 200);
    assert_eq!(world.client.get(PATH).await.status, 503);
    let signed_in = world.client.request(Method::GET, PATH).header("cookie", "signed-in");
    assert_eq!(world.client.send(signed_in).await.status, 200);
}
