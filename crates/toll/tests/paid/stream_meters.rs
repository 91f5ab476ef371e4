//! Streams pay for their time after their answer has begun.

use crate::support::{PRICE, PROOFS, World, entry, pricing, txid};
use futures::{SinkExt, StreamExt};
use http::Method;
use store::toll::TokenChange;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use toll::pricing::{Allowance, Pricing};
use wire::toll::Offer;

fn payment(name: u8) -> String {
    format!("{}:{}", txid(name), PROOFS[0])
}

/// Buys a token of three requests.
async fn bought(world: &World) -> (Offer, String) {
    let demand = world.client.demand("/open").await;
    world.pay(txid(1), &demand, PRICE);
    let token = world.client.redeem(&payment(1), &demand.challenge, None).await.token().token;
    (demand, token)
}

async fn stream(world: &World, token: &str) -> reqwest::Response {
    let request = world.client.request(Method::GET, "/open/stream");
    let mut response = request.header("authorization", format!("TPAT-Session {token}")).send().await.unwrap();
    assert_eq!(response.headers()["tpat-quota"], "2");
    assert_eq!(response.chunk().await.unwrap().unwrap(), "first");
    response
}

/// Waits until the gate has charged this number of requests.
async fn charged(world: &World, token: &str, requests: i64) {
    while world.used(token).await != requests {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_stream_ends_with_its_token_and_a_top_up_extends_it() {
    let world = World::new().await;
    let (demand, token) = bought(&world).await;
    let mut response = stream(&world, &token).await;
    for used in [2, 3] {
        world.later(60);
        charged(&world, &token, used).await;
    }
    world.pay(txid(2), &demand, PRICE);
    world.client.redeem(&payment(2), &demand.challenge, None).await.token();
    for used in [4, 5, 6] {
        world.later(60);
        charged(&world, &token, used).await;
    }
    world.later(60);
    assert!(response.chunk().await.is_err(), "cut, and the client sees that it did not get all");
    assert_eq!(world.used(&token).await, 6);
}

#[tokio::test]
async fn a_token_that_is_taken_back_ends_its_streams() {
    let world = World::new().await;
    let (_, token) = bought(&world).await;
    let mut response = stream(&world, &token).await;
    let id = world.store.toll_tokens(1).await.unwrap().remove(0).id;
    world.store.change_toll_token(&id, TokenChange::Suspend, &entry(&id)).await.unwrap();
    world.payments.write_down().await;
    assert!(response.chunk().await.is_err());
}

#[tokio::test]
async fn a_tunnel_ends_with_its_token() {
    let world = World::new().await;
    let (_, token) = bought(&world).await;
    let mut request = format!("ws://{}/open/socket", world.address).into_client_request().unwrap();
    assert!(connect_async(request.clone()).await.is_err(), "it is not free");
    request.headers_mut().insert("authorization", format!("TPAT-Session {token}").parse().unwrap());
    let (mut socket, _) = connect_async(request.clone()).await.unwrap();
    world.later(60);
    charged(&world, &token, 2).await;
    socket.send(Message::text("one")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("one"));
    world.later(60);
    charged(&world, &token, 3).await;
    world.later(60);
    assert!(!matches!(socket.next().await, Some(Ok(_))));
    assert!(connect_async(request).await.is_err(), "used up");
}

#[tokio::test]
async fn a_free_stream_ends_after_its_first_period() {
    let allowance = Some(Allowance { requests: 1, window_ms: 3_600_000 });
    let world = World::with(Pricing { allowance, ..pricing() }).await;
    let mut response = world.client.request(Method::GET, "/open/stream").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.chunk().await.unwrap().unwrap(), "first");
    world.later(60);
    assert!(response.chunk().await.is_err());
    assert_eq!(world.client.get("/open/stream").await.status, 402);
}
