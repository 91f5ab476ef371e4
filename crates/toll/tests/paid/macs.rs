//! MACs under an agreed key, in place of proofs of possession.

use crate::support::{Key, OLD, PRICE, PROOFS, Reply, World, bundle, pricing, txid};
use domain::encoding::base64url;
use http::Method;
use jwe::PrivateKey;
use toll::pricing::Pricing;
use tpat::Thumbprint;
use tpat::mac::{AgreedKey, Agreement, CoveredRequest, EphemeralPoint, KeyAnswer, WINDOW};
use wire::toll::{MAC_HEADER, MAC_KEY_HEADER, PROOF_HEADER, REDEEM, RedeemRequest, TollCode};

/// The client's side of an agreement.
struct Agreed {
    answer: KeyAnswer,
    key: AgreedKey,
    token: String,
}

impl Agreed {
    fn mac(&self, number: u64, method: &str, url: &str) -> String {
        self.key.sign(self.answer.id, number, CoveredRequest { method, url }).to_string()
    }
}

async fn world() -> World {
    World::with(Pricing { bundles: vec![bundle(PRICE, 200)], ..pricing() }).await
}

async fn buy(world: &World, path: &str, key: Option<&Key>) -> String {
    let demand = world.client.demand(path).await;
    let name = u8::try_from(world.chain.asked() + 1).unwrap();
    world.pay(txid(name), &demand, PRICE);
    world.chain.change(txid(name), |tx| tx.block = Some(100));
    world.chain.height(101);
    world.payments.look_at_chain().await.unwrap();
    let payment = format!("{}:{}", txid(name), PROOFS[0]);
    world.client.redeem(&payment, &demand.challenge, key).await.token().token
}

/// Sends a request to `/price` with a signed point.
async fn propose(world: &World, key: &Key, token: &str, point: &str) -> Reply {
    let proof = key.prove_with("GET", &world.client.url("/price"), &world.client.nonce(), Some(token), Some(point));
    let request = world.client.request(Method::GET, "/price").header(PROOF_HEADER, proof);
    let reply = world.client.send(request.header("authorization", format!("TPAT-Session {token}"))).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply
}

async fn agree(world: &World, key: &Key, token: &str) -> Agreed {
    let mut random = [0; 32];
    aws_lc_rs::rand::fill(&mut random).unwrap();
    let own = PrivateKey::generate(&random).unwrap();
    let client = EphemeralPoint::of(&own.public()).unwrap();
    let reply = propose(world, key, token, &client.to_string()).await;
    let answer: KeyAnswer = reply.header(MAC_KEY_HEADER).unwrap().parse().unwrap();
    let secret = own.agree(&answer.point.jwk()).unwrap();
    let holder = Thumbprint::of(&key.jwk().thumbprint_input());
    let key = AgreedKey::derive(&secret, &Agreement { id: answer.id, holder, token, client, gate: answer.point });
    Agreed { answer, key, token: token.to_owned() }
}

async fn show(world: &World, path: &str, token: &str, mac: &str) -> Reply {
    let request = world.client.request(Method::GET, path).header("authorization", format!("TPAT-Session {token}"));
    world.client.send(request.header(MAC_HEADER, mac)).await
}

async fn numbered(world: &World, agreed: &Agreed, number: u64) -> Reply {
    show(world, "/price", &agreed.token, &agreed.mac(number, "GET", &world.client.url("/price"))).await
}

fn is_refused(reply: &Reply) -> bool {
    reply.status == 401 && reply.code() == TollCode::UseDpopNonce && reply.header("dpop-nonce").is_some()
}

#[tokio::test]
async fn a_mac_admits_one_request_for_each_number() {
    let (world, key) = (world().await, Key::new());
    let token = buy(&world, "/price", Some(&key)).await;
    let agreed = agree(&world, &key, &token).await;
    for (number, left) in [(1, "198"), (3, "197"), (2, "196"), (5000, "195"), (5001 - WINDOW, "194")] {
        let reply = numbered(&world, &agreed, number).await;
        assert_eq!((reply.status, reply.header("tpat-quota")), (200, Some(left)), "{number}");
        assert!(reply.header("dpop-nonce").is_some() && reply.header(MAC_KEY_HEADER).is_none());
        assert!(reply.seen("tpat-mac").is_empty() && reply.seen("authorization").is_empty());
    }
    for used in [1, 2, 3, 5000, 5000 - WINDOW, 5001 - WINDOW] {
        assert!(is_refused(&numbered(&world, &agreed, used).await), "{used}");
    }
    let query = agreed.mac(5001, "GET", &world.client.url("/price"));
    assert_eq!(show(&world, "/price?day=1", &token, &query).await.status, 200, "the query is not covered");
    assert_eq!((world.arrived(), world.used(&token).await), (7, 7));
}

#[tokio::test]
async fn fifty_at_once_pass_and_their_copies_do_not() {
    let (world, key) = (world().await, Key::new());
    let token = buy(&world, "/price", Some(&key)).await;
    let agreed = agree(&world, &key, &token).await;
    for expected in [50, 0] {
        let all = futures::future::join_all((1..=50).rev().map(|number| numbered(&world, &agreed, number))).await;
        assert_eq!(all.iter().filter(|reply| reply.status == 200).count(), expected);
        assert!(all.iter().all(|reply| reply.status == 200 || is_refused(reply)));
    }
    assert_eq!(world.arrived(), 51);
}

#[tokio::test]
async fn a_mac_is_of_its_request_token_and_key_alone() {
    let (world, key) = (world().await, Key::new());
    let (token, other) = (buy(&world, "/price", Some(&key)).await, buy(&world, "/price", Some(&key)).await);
    let (agreed, others) = (agree(&world, &key, &token).await, agree(&world, &key, &other).await);
    let url = world.client.url("/price");
    let good = agreed.mac(1, "GET", &url);
    let named = |agreed: &Agreed| base64url(&agreed.answer.id.0);
    for (case, mac) in [
        ("method", agreed.mac(1, "HEAD", &url)),
        ("path", agreed.mac(1, "GET", &world.client.url("/price/eur"))),
        ("scheme", agreed.mac(1, "GET", &url.replace("http:", "https:"))),
        ("host", agreed.mac(1, "GET", "http://api.example/price")),
        ("number", good.replacen(".1.", ".2.", 1)),
        ("key of another token", others.mac(1, "GET", &url)),
        ("tag of another key", others.mac(1, "GET", &url).replace(&named(&others), &named(&agreed))),
        ("unknown key", good.replace(&named(&agreed), &base64url(&[0; 16]))),
        ("no number", good.replacen(".1.", ".0.", 1)),
        ("form", format!("{good}.")),
        ("nothing", String::new()),
    ] {
        assert!(is_refused(&show(&world, "/price", &token, &mac).await), "{case}");
    }
    let request = || {
        let request = world.client.request(Method::GET, "/price");
        request.header("authorization", format!("TPAT-Session {token}")).header(MAC_HEADER, &good)
    };
    assert!(is_refused(&world.client.send(request().header("host", "api.example")).await), "arrived at another host");
    assert!(is_refused(&world.client.send(request().header(MAC_HEADER, &good)).await), "no choice of two");
    let both = world.client.send(request().header(PROOF_HEADER, "junk")).await;
    assert_eq!(both.code(), TollCode::BadPossession, "a proof decides");
    assert_eq!(world.arrived(), 2);

    // Nothing of that has used the number up.
    assert_eq!(show(&world, "/price", &token, &good).await.status, 200);
    let proof = world.client.prove(&key, "GET", "/price", Some(&token));
    let both = world.client.send(request().header(PROOF_HEADER, proof)).await;
    assert_eq!(both.status, 200, "a proof decides");
}

#[tokio::test]
async fn a_mac_buys_and_proves_nothing_else() {
    let (world, key) = (world().await, Key::new());
    let token = buy(&world, "/price", Some(&key)).await;
    let (agreed, open) = (agree(&world, &key, &token).await, buy(&world, "/open", None).await);
    let mac = |path| agreed.mac(1, "GET", &world.client.url(path));
    assert_eq!(show(&world, "/open", &token, &mac("/open")).await.code(), TollCode::OtherRoute);
    let alone = world.client.send(world.client.request(Method::GET, "/price").header(MAC_HEADER, mac("/price"))).await;
    assert_eq!((alone.status, alone.challenge().get("jkt")), (402, None), "an offer for any key");
    assert_eq!(show(&world, "/open", &open, "junk").await.status, 200, "a bearer token needs no proof");

    let demand = world.client.demand("/price").await;
    world.pay(txid(9), &demand, PRICE);
    let redeem = world.client.request(Method::POST, REDEEM).header(MAC_HEADER, mac(REDEEM));
    let redeem = redeem.header("authorization", format!("TPAT {}:{}", txid(9), PROOFS[0]));
    let body = RedeemRequest { challenge: demand.challenge, jwk: Some(key.jwk()) };
    assert_eq!(world.client.send(redeem.json(&body)).await.code(), TollCode::BadPossession);
}

#[tokio::test]
async fn a_key_is_agreed_on_only_with_a_point_and_the_fifth_replaces_the_first() {
    let (world, key) = (world().await, Key::new());
    let token = buy(&world, "/price", Some(&key)).await;
    let old = world.client.bound("/price", &token, &key).await;
    assert_eq!((old.status, old.header(MAC_KEY_HEADER)), (200, None), "an old client");
    for wrong in [String::new(), "AAAA".to_owned(), base64url(&[4; 65]), base64url(&[2; 33])] {
        assert_eq!(propose(&world, &key, &token, &wrong).await.header(MAC_KEY_HEADER), None, "{wrong}");
    }
    let mut all = Vec::new();
    for _ in 0..5 {
        all.push(agree(&world, &key, &token).await);
    }
    assert!(is_refused(&numbered(&world, &all[0], 1).await));
    for agreed in &all[1..] {
        assert_eq!(numbered(&world, agreed, 1).await.status, 200);
    }
}

#[tokio::test]
async fn a_key_ends_after_a_minute_and_with_the_gate() {
    let (world, key) = (world().await, Key::new());
    let token = buy(&world, "/price", Some(&key)).await;
    let agreed = agree(&world, &key, &token).await;
    assert_eq!(agreed.answer.seconds, 60);
    // It does not depend on the server's keys.
    world.secrets.replace(&[9; 32], [], [&OLD]);
    world.later(59);
    assert_eq!(numbered(&world, &agreed, 1).await.status, 200);
    world.later(1);
    assert!(is_refused(&numbered(&world, &agreed, 2).await));
    world.secrets.replace(&OLD, [], []);
    assert!(is_refused(&numbered(&world, &agreed, 3).await));
    let agreed = agree(&world, &key, &token).await;
    assert_eq!(numbered(&world, &agreed, 1).await.status, 200);

    let World { chain, directory, store, payments, stop, .. } = world;
    stop.send(true).unwrap();
    payments.write_down().await;
    drop((store, payments));
    let pricing = Pricing { bundles: vec![bundle(PRICE, 200)], ..pricing() };
    let world = World::on(chain, pricing, directory, 1000).await;
    world.later(60);
    assert!(is_refused(&numbered(&world, &agreed, 2).await), "its used numbers are lost");
    let agreed = agree(&world, &key, &token).await;
    assert_eq!(numbered(&world, &agreed, 1).await.status, 200);
}
