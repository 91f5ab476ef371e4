//! Requests that opened or broke the first program of this kind. Each was seen to work there. Three more need real
//! proofs: see `regtest::attacks`.

use crate::support::{Key, PRICE, PROOFS, World, bundle, pricing, txid};
use http::Method;
use toll::pricing::Pricing;
use wire::toll::{Offer, TollCode};

/// Sells at ten times the price, which needs a block.
async fn world() -> World {
    World::with(Pricing { bundles: vec![bundle(10 * PRICE, 3)], ..pricing() }).await
}

fn payment() -> String {
    format!("{}:{}", txid(1), PROOFS[0])
}

async fn paid(world: &World) -> Offer {
    let demand = world.client.demand("/open").await;
    world.pay(txid(1), &demand, 10 * PRICE);
    demand
}

async fn mine(world: &World) {
    world.chain.change(txid(1), |tx| tx.block = Some(100));
    world.chain.height(101);
    world.payments.look_at_chain().await.unwrap();
}

/// In that program it ended the process.
#[tokio::test]
async fn attack_1_a_request_without_a_token() {
    let world = world().await;
    for _ in 0..3 {
        world.client.demand("/price").await;
    }
    assert_eq!((world.arrived(), world.client.get("/free").await.status), (0, 200));
}

#[tokio::test]
async fn attack_2_a_path_that_nobody_sells() {
    let world = world().await;
    let reply = world.client.get("/unknown").await;
    assert_eq!((reply.status, reply.header("www-authenticate"), world.arrived()), (404, None, 0));
}

/// That program read the token from the body.
#[tokio::test]
async fn attack_3_a_token_in_the_body() {
    let world = world().await;
    let body = serde_json::json!({"tpat_tx_hash": txid(1).to_string(), "tpat_tx_proof": PROOFS[0]});
    let reply = world.client.send(world.client.request(Method::GET, "/price").json(&body)).await;
    assert_eq!((reply.status, world.arrived()), (402, 0));
}

#[tokio::test]
async fn attack_4_a_malformed_token() {
    let world = world().await;
    for shown in ["TPAT", "TPAT :", "TPAT a:b", "tpat ::::", "TPAT-Session", "TPAT-Session ..", "TPAT \u{e9}"] {
        let reply = world.client.show("/price", shown).await;
        assert!(matches!(reply.status, 400..=402), "{shown}: {reply:?}");
    }
    let two = world.client.request(Method::GET, "/price").header("authorization", "TPAT a:b");
    let two = world.client.send(two.header("authorization", "Basic YTpi")).await;
    assert_eq!((two.status, two.code()), (400, TollCode::Malformed));
    assert_eq!((world.arrived(), world.chain.asked()), (0, 0));
}

/// That program asked to pay again.
#[tokio::test]
async fn attack_5_a_payment_without_a_block() {
    let world = world().await;
    let demand = paid(&world).await;
    let reply = world.client.redeem(&payment(), &demand.challenge, None).await;
    assert_eq!((reply.status, reply.header("www-authenticate")), (202, None));
    let shown = world.client.show("/open", &format!("TPAT {}", payment())).await;
    assert_eq!((shown.status, world.arrived()), (402, 0));
    assert_eq!(shown.challenge().get("hash"), Some(txid(1).to_string().as_str()), "old clients see what was refused");
}

#[tokio::test]
async fn attack_6_a_payment_alone_opens_nothing() {
    let world = world().await;
    let demand = paid(&world).await;
    mine(&world).await;
    assert_eq!(world.client.show("/open", &format!("TPAT {}", payment())).await.status, 402);
    let token = world.client.redeem(&payment(), &demand.challenge, None).await.token();
    assert_eq!(world.client.bearer("/open", &token.token).await.status, 200);
}

/// That program refused it for an hour, and then accepted it again as new.
#[tokio::test]
async fn attack_7_the_same_token_again() {
    let world = world().await;
    let demand = paid(&world).await;
    mine(&world).await;
    let token = world.client.redeem(&payment(), &demand.challenge, None).await.token();
    for expected in [200, 200, 200, 402, 402] {
        assert_eq!(world.client.bearer("/open", &token.token).await.status, expected);
    }
    world.later(3600);
    assert_eq!(world.client.bearer("/open", &token.token).await.status, 402);
    assert_eq!(world.client.redeem(&payment(), &demand.challenge, None).await.token().quota, 0);
}

/// In that program it ended the process.
#[tokio::test]
async fn attack_10_a_query_behind_the_path() {
    let world = world().await;
    let demand = paid(&world).await;
    mine(&world).await;
    let token = world.client.redeem(&payment(), &demand.challenge, None).await.token();
    assert_eq!(world.client.bearer("/open?x=1", &token.token).await.status, 200);
    for query in ["/open?x=1", "/open?", "/open?/free", "/open?a=%00&b"] {
        assert_eq!(world.client.get(query).await.status, 402, "{query}");
    }
    let last = world.client.bearer("/open/a?b=%2F..", &token.token).await;
    assert_eq!(last.json::<serde_json::Value>()["uri"], "/open/a?b=%2F..");
}

/// In that program the body chose the request's destination.
#[tokio::test]
async fn attack_11_a_body_that_names_another_upstream() {
    let world = world().await;
    let demand = paid(&world).await;
    mine(&world).await;
    let token = world.client.redeem(&payment(), &demand.challenge, None).await.token();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let body = serde_json::json!({"proxy": {"host": "127.0.0.1", "port": port}, "baseURL": "http://127.0.0.1"});
    let request = world.client.request(Method::POST, "/open").json(&body);
    let request = request.header("authorization", format!("TPAT-Session {}", token.token));
    let reply = world.client.send(request.header("x-forwarded-host", format!("127.0.0.1:{port}"))).await;
    assert_eq!((reply.status, world.arrived()), (200, 1));
    assert_eq!(reply.json::<serde_json::Value>()["body"], body.to_string());
    let nobody = std::pin::pin!(listener.accept());
    assert!(futures::poll!(nobody).is_pending(), "nobody came there");
}

#[tokio::test]
async fn attack_13_after_its_time() {
    let (world, key) = (world().await, Key::new());
    let demand = world.client.demand("/price").await;
    world.pay(txid(1), &demand, 10 * PRICE);
    mine(&world).await;
    let token = world.client.redeem(&payment(), &demand.challenge, Some(&key)).await.token();
    world.later(3600);
    world.client.get("/price").await;
    let over = world.client.bound("/price", &token.token, &key).await;
    assert_eq!((over.status, over.code()), (402, TollCode::TokenSpent));
    world.client.redeem(&payment(), &demand.challenge, Some(&key)).await;
    let over = world.client.bound("/price", &token.token, &key).await;
    assert_eq!((over.status, world.arrived()), (402, 0), "showing the payment again gives no more time");
}

/// A person who intercepts the traffic has challenge and proof of payment before their owner has a token.
#[tokio::test]
async fn attack_14_a_stolen_challenge_with_its_proof_of_payment() {
    let (world, key, thief) = (World::new().await, Key::new(), Key::new());
    for path in ["/price", "/open"] {
        world.client.get(path).await;
        let demand = world.client.demand_for(path, &key).await;
        assert_eq!(demand.jkt, Some(key.jkt()));
        world.pay(txid(1), &demand, PRICE);
        for tried in [
            world.client.redeem(&payment(), &demand.challenge, Some(&thief)).await,
            world.client.redeem(&payment(), &demand.challenge, None).await,
            world.client.in_place(path, &payment(), &demand.challenge, &thief).await,
        ] {
            assert_eq!((tried.status, tried.code()), (401, TollCode::BadPossession), "{path}");
        }
    }
    assert_eq!((world.arrived(), world.chain.asked()), (0, 0));
    assert_eq!(world.store.toll_payments(10).await.unwrap(), [], "nothing was written down");
    let demand = world.client.demand_for("/open", &key).await;
    world.pay(txid(1), &demand, PRICE);
    let token = world.client.redeem(&payment(), &demand.challenge, Some(&key)).await.token();
    assert_eq!(world.client.bearer("/open", &token.token).await.code(), TollCode::BadPossession);
    assert_eq!(world.client.bound("/open", &token.token, &key).await.status, 200);
}
