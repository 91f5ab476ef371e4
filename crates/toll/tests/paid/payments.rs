//! Payments that become a token, and others that do not.

use crate::support::{Key, PRICE, PROOFS, Tx, World, bundle, pricing, txid};
use http::Method;
use toll::pricing::Pricing;
use wire::toll::{CHALLENGE_HEADER, PendingRedemption, Piconero, REDEEM, TollCode, TollProblem};

fn payment(name: u8) -> String {
    format!("{}:{}", txid(name), PROOFS[0])
}

#[tokio::test]
async fn the_same_client_gets_the_same_token_and_another_gets_none() {
    let (world, key) = (World::new().await, Key::new());
    let demand = world.client.demand("/price").await;
    world.pay(txid(1), &demand, PRICE);
    let first = world.client.redeem(&payment(1), &demand.challenge, Some(&key)).await.token();
    assert_eq!((first.quota, first.provisional, first.remainder), (3, true, Piconero(0)));
    assert_eq!(first.expires, world.seconds() + 3600);
    let again = format!("{}:{}", txid(1), PROOFS[1]);
    assert_eq!(world.client.redeem(&again, &demand.challenge, Some(&key)).await.token(), first);
    assert_eq!(world.chain.asked(), 1, "what was counted once is not asked for again");

    let thief = world.client.redeem(&payment(1), &demand.challenge, Some(&Key::new())).await;
    assert_eq!((thief.status, thief.code()), (409, TollCode::AlreadyRedeemed));
    let other = world.client.demand("/price").await;
    let other = world.client.redeem(&payment(1), &other.challenge, Some(&key)).await;
    assert!(matches!(other.code(), TollCode::AlreadyRedeemed | TollCode::WrongMessage), "{other:?}");
    assert_eq!(world.store.toll_tokens(10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_payment_that_is_seen_is_never_asked_for_again() {
    let (world, key) = (World::with(Pricing { bundles: vec![bundle(10 * PRICE, 3)], ..pricing() }).await, Key::new());
    let demand = world.client.demand("/price").await;
    let missing = world.client.redeem(&payment(1), &demand.challenge, Some(&key)).await;
    assert_eq!((missing.status, missing.code()), (404, TollCode::NotFound));
    assert_eq!(missing.header("retry-after"), Some("5"));
    world.pay(txid(2), &demand, 10 * PRICE);
    for _ in 0..3 {
        let pending = world.client.redeem(&payment(2), &demand.challenge, Some(&key)).await;
        let PendingRedemption { have, need, retry_after, .. } = pending.json();
        assert_eq!((pending.status, have, need), (202, 0, 1));
        assert_eq!(pending.header("retry-after"), Some(retry_after.to_string().as_str()));
    }
    world.chain.change(txid(2), |tx| tx.block = Some(100));
    world.chain.height(101);
    world.payments.look_at_chain().await.unwrap();
    // Long after the challenge has expired.
    world.later(7200);
    world.client.get("/price").await;
    let token = world.client.redeem(&payment(2), &demand.challenge, Some(&key)).await.token();
    assert_eq!((token.quota, token.provisional, token.expires), (3, false, world.seconds() + 3600));
}

#[tokio::test]
async fn too_little_is_topped_up_and_more_buys_more() {
    let (world, key) = (World::new().await, Key::new());
    let demand = world.client.demand("/price").await;
    world.pay(txid(1), &demand, PRICE - 1);
    for _ in 0..2 {
        let short = world.client.redeem(&payment(1), &demand.challenge, Some(&key)).await;
        let TollProblem { code, have, need, .. } = short.json();
        assert_eq!((short.status, code), (402, TollCode::Underpaid));
        assert_eq!((have, need), (Some(Piconero(PRICE - 1)), Some(Piconero(PRICE))));
        assert_eq!(short.header("www-authenticate"), None, "no new challenge for a payment that was seen");
    }
    world.pay(txid(2), &demand, 2 * PRICE + 5);
    let token = world.client.redeem(&payment(2), &demand.challenge, Some(&key)).await.token();
    assert_eq!((token.quota, token.remainder), (9, Piconero(4)));
    assert_eq!(world.client.redeem(&payment(1), &demand.challenge, Some(&key)).await.token(), token);
}

#[tokio::test]
async fn locked_and_double_spent_payments_are_refused() {
    let (world, key) = (World::new().await, Key::new());
    let demand = world.client.demand("/price").await;
    let redeem = async |name| world.client.redeem(&payment(name), &demand.challenge, Some(&key)).await;
    let tx = world.pay(txid(1), &demand, PRICE);
    for (change, code) in [
        (Tx { unlock_time: 100_000, ..tx.clone() }, TollCode::LockedFunds),
        (Tx { double_spend_seen: true, ..tx.clone() }, TollCode::DoubleSpent),
        (Tx { message: "tpat1:other".to_owned(), ..tx.clone() }, TollCode::WrongMessage),
    ] {
        world.chain.add(txid(1), change);
        let reply = redeem(1).await;
        assert_eq!((reply.status, reply.code()), (422, code));
    }
    // Two outputs of one key can be spent once.
    world.chain.add(txid(3), tx.clone());
    redeem(3).await.token();
    world.chain.add(txid(4), tx.clone());
    let burnt = redeem(4).await;
    assert_eq!((burnt.status, burnt.code()), (409, TollCode::AlreadyRedeemed));
}

#[tokio::test]
async fn only_payments_in_time_count_after_the_end() {
    let (world, key) = (World::new().await, Key::new());
    let demand = world.client.demand("/price").await;
    let redeem = async |name| world.client.redeem(&payment(name), &demand.challenge, Some(&key)).await;
    let in_time = world.pay(txid(1), &demand, PRICE);
    world.later(3601);
    world.client.get("/price").await;
    world.chain.add(txid(2), Tx { since: world.seconds(), output: 2, ..in_time.clone() });
    let late = redeem(2).await;
    assert_eq!((late.status, late.code()), (422, TollCode::ExpiredChallenge));
    let listed = world.store.late_payments(10).await.unwrap();
    assert_eq!((listed.len(), &listed[0].id.txid), (1, &txid(2).to_string()));
    let problem = late.json::<wire::toll::TollProblem>();
    assert_eq!(problem.reference.as_deref(), Some(listed[0].challenge.as_str()));
    assert!(problem.title.contains(&listed[0].challenge) && problem.title.contains("ask the operator"), "{problem:?}");
    assert_eq!(redeem(1).await.token().quota, 3);
    world.later(86_400);
    world.client.get("/price").await;
    assert_eq!(redeem(1).await.status, 200, "what was counted is answered for ever");
    assert_eq!(redeem(3).await.code(), TollCode::NotFound);
    assert_eq!(redeem(2).await.code(), TollCode::ExpiredChallenge);
    // In time by its node's report, and presented when it is no longer looked for.
    world.chain.add(txid(4), Tx { since: world.seconds() - 90_000, output: 4, ..in_time });
    let late = redeem(4).await;
    assert_eq!((late.status, late.code()), (422, TollCode::ExpiredChallenge));
    let mut listed: Vec<_> = world.store.late_payments(10).await.unwrap().into_iter().map(|p| p.id.txid).collect();
    listed.sort();
    assert_eq!(listed, [txid(2).to_string(), txid(4).to_string()]);
}

#[tokio::test]
async fn nothing_malformed_or_forged_reaches_a_node() {
    let (world, key) = (World::new().await, Key::new());
    let demand = world.client.demand("/price").await;
    world.pay(txid(1), &demand, PRICE);
    let good = payment(1);
    let mangled = |from: &str, to: &str| good.replace(from, to);
    for wrong in [
        "",
        ":",
        &good[1..],
        &good[..70],
        &mangled("OutProofV2", "OutGARBAGE"),
        &mangled("OutProofV2", "InProofV2"),
        &mangled("OutProofV2", "OutProofV1"),
    ] {
        let reply = world.client.redeem(wrong, &demand.challenge, Some(&key)).await;
        assert_eq!((reply.status, reply.code()), (400, TollCode::Malformed), "{wrong}");
    }
    let mut forged = demand.challenge.clone().into_bytes();
    forged[40] ^= 1;
    for challenge in [String::from_utf8(forged).unwrap(), String::new(), format!("{}A", demand.challenge)] {
        let reply = world.client.redeem(&good, &challenge, Some(&key)).await;
        assert_eq!((reply.status, reply.code()), (400, TollCode::Forged), "{challenge}");
    }
    let post = |body: &'static str| {
        let request = world.client.request(Method::POST, REDEEM).header("authorization", format!("TPAT {good}"));
        world.client.send(request.body(body))
    };
    for body in ["", "{", "[]", r#"{"challenge":1}"#, r#"{"challenge":"a","address":"8"}"#] {
        assert_eq!(post(body).await.code(), TollCode::Malformed, "{body}");
    }
    assert_eq!(world.chain.asked(), 0);
}

#[tokio::test]
async fn a_payment_needs_its_key_and_each_proof_serves_once() {
    let (world, key) = (World::new().await, Key::new());
    let demand = world.client.demand("/price").await;
    world.pay(txid(1), &demand, PRICE);
    let none = world.client.redeem(&payment(1), &demand.challenge, None).await;
    assert_eq!((none.status, none.code()), (401, TollCode::BadPossession));
    let proof = world.client.prove(&key, "POST", REDEEM, None);
    let send = |proof: String| {
        let body = serde_json::json!({"challenge": demand.challenge, "jwk": key.jwk()});
        let request =
            world.client.request(Method::POST, REDEEM).header("authorization", format!("TPAT {}", payment(1)));
        world.client.send(request.header("dpop", proof).json(&body))
    };
    let other = send(world.client.prove(&Key::new(), "POST", REDEEM, None)).await;
    assert_eq!(other.code(), TollCode::BadPossession);
    world.later(61);
    let stale = send(proof).await;
    assert_eq!((stale.status, stale.code()), (401, TollCode::UseDpopNonce));
    assert!(stale.header("dpop-nonce").is_some() && stale.header("www-authenticate").unwrap().contains("DPoP"));
    let proof = world.client.prove(&key, "POST", REDEEM, None);
    send(proof.clone()).await.token();
    assert_eq!(send(proof).await.code(), TollCode::BadPossession, "seen before");
}

#[tokio::test]
async fn a_request_that_shows_its_payment_is_redeemed_and_forwarded_in_one() {
    let (world, key) = (World::new().await, Key::new());
    let demand = world.client.demand("/price").await;
    let none = world.client.in_place("/price", &payment(1), &demand.challenge, &key).await;
    assert_eq!(none.status, 404);
    world.later(0);
    world.pay(txid(2), &demand, PRICE);
    let reply = world.client.in_place("/price?x=1", &payment(2), &demand.challenge, &key).await;
    assert_eq!((reply.status, reply.header("tpat-quota")), (200, Some("2")));
    assert_eq!(reply.header("cache-control"), Some("no-store"), "it has a token in it");
    for gone in ["authorization", CHALLENGE_HEADER, "dpop"] {
        assert!(reply.seen(gone).is_empty(), "{gone}");
    }
    let token = reply.header("tpat-token").unwrap().to_owned();
    assert_eq!(world.client.bound("/price", &token, &key).await.status, 200);
    let other = world.client.in_place("/open", &payment(2), &demand.challenge, &key).await;
    assert_eq!((other.status, other.code()), (403, TollCode::OtherRoute));
    let third = world.client.in_place("/price", &payment(2), &demand.challenge, &key).await;
    assert_eq!((third.header("tpat-token"), third.header("tpat-quota")), (Some(token.as_str()), Some("0")));
    assert_eq!((world.arrived(), world.chain.asked()), (3, 2));
}

#[tokio::test]
async fn fifty_at_once_make_one_token() {
    let (world, key) = (World::new().await, Key::new());
    let demand = world.client.demand("/price").await;
    world.pay(txid(1), &demand, PRICE);
    let payment = payment(1);
    let thieves: Vec<Key> = (0..25).map(|_| Key::new()).collect();
    let shown = (0..50).map(|n| {
        let key = if n % 2 == 0 { &key } else { &thieves[n / 2] };
        world.client.redeem(&payment, &demand.challenge, Some(key))
    });
    let replies = futures::future::join_all(shown).await;
    let mut tokens: Vec<String> =
        replies.iter().filter(|reply| reply.status == 200).map(|reply| reply.token().token).collect();
    assert!(!tokens.is_empty() && replies.iter().all(|reply| matches!(reply.status, 200 | 409)));
    tokens.dedup();
    assert_eq!((tokens.len(), world.store.toll_tokens(10).await.unwrap().len()), (1, 1));
}
