//! The requests that a token admits, and how its quota is used up.

use crate::support::{Key, OLD, PRICE, PROOFS, World, entry, txid};
use domain::encoding::hmac_sha256;
use store::toll::TokenChange;
use toll::route::RouteTable;
use tpat::challenge::RouteId;
use tpat::{Binding, Thumbprint, Token};
use wire::toll::{Offer, RedeemedToken, TollCode};

async fn buy(world: &World, path: &str, key: Option<&Key>) -> (Offer, RedeemedToken) {
    let demand = world.client.demand(path).await;
    let name = u8::try_from(world.chain.asked() + 1).unwrap();
    world.pay(txid(name), &demand, PRICE);
    let payment = format!("{}:{}", txid(name), PROOFS[0]);
    let token = world.client.redeem(&payment, &demand.challenge, key).await.token();
    (demand, token)
}

#[tokio::test]
async fn a_token_is_good_for_its_requests_and_then_for_none() {
    let (world, key) = (World::new().await, Key::new());
    let (_, bought) = buy(&world, "/price", Some(&key)).await;
    for left in ["2", "1", "0"] {
        let reply = world.client.bound("/price/eur", &bought.token, &key).await;
        assert_eq!((reply.status, reply.header("tpat-quota")), (200, Some(left)));
        assert_eq!(reply.header("tpat-expires"), Some(bought.expires.to_string().as_str()));
        assert!(reply.seen("authorization").is_empty() && reply.seen("dpop").is_empty());
    }
    let spent = world.client.bound("/price/eur", &bought.token, &key).await;
    assert_eq!((spent.status, spent.code()), (402, TollCode::TokenSpent));
    assert_eq!(spent.challenge().get("jkt"), Some(key.jkt().as_str()), "with a new offer for the same key");
    assert_eq!((world.arrived(), world.used(&bought.token).await), (3, 3));
}

#[tokio::test]
async fn a_bound_token_needs_its_key_and_a_bearer_token_does_not() {
    let (world, key) = (World::new().await, Key::new());
    let (_, bought) = buy(&world, "/price", Some(&key)).await;
    assert_eq!(world.client.bearer("/price", &bought.token).await.code(), TollCode::BadPossession);
    assert_eq!(world.client.bound("/price", &bought.token, &Key::new()).await.code(), TollCode::BadPossession);
    let elsewhere = world.client.prove(&key, "GET", "/price/other", Some(&bought.token));
    let without = world.client.prove(&key, "GET", "/price", None);
    for proof in [elsewhere, without] {
        let request = world.client.request(http::Method::GET, "/price").header("dpop", proof);
        let request = request.header("authorization", format!("TPAT-Session {}", bought.token));
        assert_eq!(world.client.send(request).await.code(), TollCode::BadPossession);
    }
    let (_, open) = buy(&world, "/open", None).await;
    assert_eq!(world.client.bearer("/open", &open.token).await.status, 200);
    let (_, chosen) = buy(&world, "/open", Some(&key)).await;
    assert_eq!(world.client.bearer("/open", &chosen.token).await.code(), TollCode::BadPossession, "bound by choice");
    assert_eq!(world.client.bound("/open", &chosen.token, &key).await.status, 200);
}

#[tokio::test]
async fn a_token_opens_its_route_alone_and_is_not_made_by_others() {
    let world = World::new().await;
    let (demand, open) = buy(&world, "/open", None).await;
    let other = world.client.bearer("/broken/x", &open.token).await;
    assert_eq!((other.status, other.code()), (403, TollCode::OtherRoute));
    let mut forged = open.token.clone().into_bytes();
    forged[30] ^= 1;
    for token in [String::from_utf8(forged).unwrap(), demand.challenge, "AAAA".to_owned()] {
        let reply = world.client.bearer("/open", &token).await;
        assert_eq!((reply.status, reply.code()), (401, TollCode::Forged), "{token}");
    }
    assert_eq!(world.arrived(), 0);
}

#[tokio::test]
async fn an_upstream_that_fails_costs_nothing() {
    let world = World::new().await;
    let (_, bought) = buy(&world, "/broken/x", None).await;
    for _ in 0..5 {
        let reply = world.client.bearer("/broken/x", &bought.token).await;
        assert_eq!((reply.status, reply.header("tpat-quota")), (502, None));
    }
    assert_eq!(world.used(&bought.token).await, 0);
}

#[tokio::test]
async fn time_runs_out_and_a_route_that_is_gone_is_gone() {
    let world = World::new().await;
    let (_, bought) = buy(&world, "/open", None).await;
    world.later(1799);
    assert_eq!(world.client.bearer("/open", &bought.token).await.status, 200);
    world.later(1);
    let early = world.client.bearer("/open", &bought.token).await;
    assert_eq!((early.status, early.code()), (429, TollCode::TooMany), "its payment is still in no block");
    world.chain.change(txid(1), |tx| tx.block = Some(100));
    world.chain.height(101);
    world.payments.look_at_chain().await.unwrap();
    assert_eq!(world.client.bearer("/open", &bought.token).await.status, 200);
    world.later(1800);
    assert_eq!(world.client.bearer("/open", &bought.token).await.code(), TollCode::TokenSpent);
    world.gate.replace(RouteTable::default());
    assert_eq!(world.client.bearer("/open", &bought.token).await.status, 404);
}

#[tokio::test]
async fn a_payment_that_is_gone_puts_its_token_to_sleep_until_it_is_back() {
    let world = World::new().await;
    let (demand, bought) = buy(&world, "/open", None).await;
    assert_eq!(world.client.bearer("/open", &bought.token).await.status, 200);
    world.payments.look_at_chain().await.unwrap();
    world.chain.lose(txid(1));
    world.chain.height(101);
    world.payments.look_at_chain().await.unwrap();
    let asleep = world.client.bearer("/open", &bought.token).await;
    assert_eq!((asleep.status, asleep.code()), (403, TollCode::TokenSuspended));
    let payment = format!("{}:{}", txid(1), PROOFS[0]);
    let gone = world.client.redeem(&payment, &demand.challenge, None).await;
    assert_eq!((gone.status, gone.code()), (404, TollCode::NotFound));

    // It resumes without a new block.
    let mut tx = world.pay(txid(1), &demand, PRICE);
    world.payments.look_at_chain().await.unwrap();
    let back = world.client.bearer("/open", &bought.token).await;
    assert_eq!((back.status, back.header("tpat-quota")), (200, Some("1")));
    tx.block = Some(101);
    world.chain.add(txid(1), tx);
    world.chain.height(102);
    world.payments.look_at_chain().await.unwrap();
    let mined = world.client.bearer("/open", &bought.token).await;
    assert_eq!((mined.status, mined.header("tpat-quota")), (200, Some("0")));
}

#[tokio::test]
async fn an_administrators_change_applies_within_a_second() {
    let world = World::new().await;
    let (_, bought) = buy(&world, "/open", None).await;
    assert_eq!(world.client.bearer("/open", &bought.token).await.status, 200);
    let id = world.store.toll_tokens(1).await.unwrap().remove(0).id;
    world.store.change_toll_token(&id, TokenChange::Revoke, &entry(&id)).await.unwrap();
    world.payments.write_down().await;
    let revoked = world.client.bearer("/open", &bought.token).await;
    assert_eq!((revoked.status, revoked.code()), (403, TollCode::TokenRevoked));
}

#[tokio::test]
async fn more_at_once_than_a_token_has_are_not_let_through() {
    let world = World::new().await;
    let (_, bought) = buy(&world, "/open", None).await;
    let all = futures::future::join_all((0..50).map(|_| world.client.bearer("/open", &bought.token))).await;
    let passed = all.iter().filter(|reply| reply.status == 200).count();
    assert_eq!((passed, world.arrived()), (3, 3));
    assert!(all.iter().all(|reply| matches!(reply.status, 200 | 402)));
}

#[tokio::test]
async fn a_bound_token_outlasts_the_key_of_its_mac_and_what_a_thief_makes_with_that_opens_nothing() {
    let (world, key, thief) = (World::new().await, Key::new(), Key::new());
    let (_, bought) = buy(&world, "/price", Some(&key)).await;
    let (_, open) = buy(&world, "/open", None).await;
    let offer = world.client.demand("/open").await;
    let new = [9; 32];
    world.secrets.replace(&new, [&OLD], []);
    assert_eq!(world.client.bound("/price", &bought.token, &key).await.status, 200, "replaced");
    assert_eq!(world.client.bearer("/open", &open.token).await.status, 200);

    world.secrets.replace(&new, [], [&OLD]);
    // Fetches a nonce of the new key.
    world.client.get("/price").await;
    assert_eq!(world.client.bound("/price", &bought.token, &key).await.status, 200, "revoked");
    let bearer = world.client.bearer("/open", &open.token).await;
    assert_eq!((bearer.status, bearer.code()), (401, TollCode::Forged));
    world.pay(txid(9), &offer, PRICE);
    let late = world.client.redeem(&format!("{}:{}", txid(9), PROOFS[0]), &offer.challenge, None).await;
    assert_eq!(late.code(), TollCode::Forged);

    let secret = hmac_sha256(&OLD, &[b"token"]);
    let real = Token::authenticate(&secret, &bought.token).unwrap();
    let own = Thumbprint::parse(&thief.jkt()).unwrap();
    for (path, forged, key) in [
        ("/open", Token { routes: RouteId::of("open"), ..real }, &key),
        ("/price", Token { binding: Binding::Key(own), ..real }, &thief),
        ("/price", Token { expires: real.expires + 1, ..real }, &key),
        ("/price", Token { id: [1; 16], ..real }, &key),
        ("/price", Token { binding: Binding::Bearer, ..real }, &key),
    ] {
        let reply = world.client.bound(path, &forged.mint(&secret), key).await;
        assert_eq!((reply.status, reply.code()), (401, TollCode::Forged), "{forged:?}");
    }
}
