//! A person without script, and machines that look for prices.

use crate::support::{PRICE, PROOFS, Reply, Tx, World, bundle, pricing, txid};
use http::Method;
use reqwest::redirect::Policy;
use toll::pricing::Pricing;
use wire::toll::{PRICES, PriceList};

const ACCEPT: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

/// Opens a page as a browser does.
async fn open(world: &World, path: &str, cookie: &str) -> Reply {
    let request = world.client.request(Method::GET, path).header("accept", ACCEPT);
    world.client.send(request.header("cookie", cookie)).await
}

/// Sends the form. Follows no redirect.
async fn paste(world: &World, fields: &[(&str, &str)]) -> Reply {
    let http = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
    let body = fields.iter().map(|(name, value)| format!("{name}={}", value.replace('/', "%2F").replace('?', "%3F")));
    let request = http.post(world.client.url("/.well-known/tpat/paid"));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    world.client.send(request.body(body.collect::<Vec<_>>().join("&"))).await
}

/// Pays the amount that the page asks for, into the pool.
fn pay(world: &World, page: &Reply, name: u8, amount: u64) -> String {
    let challenge = page.challenge();
    let text = |name| challenge.get(name).unwrap().to_owned();
    let tx = Tx {
        address: text("address"),
        message: text("message"),
        amount,
        block: None,
        unlock_time: 0,
        double_spend_seen: false,
        since: world.seconds(),
        output: name,
    };
    world.chain.add(txid(name), tx);
    text("challenge")
}

fn html(page: &Reply) -> String {
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    String::from_utf8(page.body.clone()).unwrap()
}

#[tokio::test]
async fn a_person_pays_pastes_and_reads_on() {
    let world = World::new().await;
    let page = open(&world, "/price/gold?in=eur", "").await;
    assert_eq!(page.status, 402);
    let text = html(&page);
    let address = page.challenge().get("address").unwrap().to_owned();
    assert!(text.contains(&address) && text.contains("<svg") && !text.contains("<script"), "{text}");
    assert!(text.contains("value=\"/price/gold?in=eur\""), "{text}");

    let challenge = pay(&world, &page, 1, PRICE);
    let txid = format!(" {} ", txid(1));
    let fields = [("challenge", &*challenge), ("txid", &txid), ("proof", PROOFS[0]), ("back", "/price/gold?in=eur")];
    let opened = paste(&world, &fields).await;
    assert_eq!((opened.status, opened.header("location")), (303, Some("/price/gold?in=eur")), "{opened:?}");
    let set = opened.header("set-cookie").unwrap();
    assert!(set.contains("HttpOnly; SameSite=Lax") && set.contains("Max-Age=3600"), "{set}");
    let cookie = format!("theirs=1; {}", set.split(';').next().unwrap());

    for left in ["2", "1", "0"] {
        let answer = open(&world, "/price/gold?in=eur", &cookie).await;
        assert_eq!((answer.status, answer.header("tpat-quota")), (200, Some(left)));
        assert_eq!(answer.seen("cookie"), ["theirs=1"], "what is behind the gate does not see it");
    }
    assert_eq!(open(&world, "/price/gold", &cookie).await.status, 402);
    assert_eq!(open(&world, "/open/x", &cookie).await.status, 402, "another route has another cookie");
}

#[tokio::test]
async fn a_waiting_browser_sees_its_state_and_pays_nothing_again() {
    let world = World::with(Pricing { bundles: vec![bundle(10 * PRICE, 3)], ..pricing() }).await;
    let page = open(&world, "/price", "").await;
    let challenge = pay(&world, &page, 1, 10 * PRICE);
    let name = txid(1).to_string();
    let fields = [("challenge", &*challenge), ("txid", &name), ("proof", PROOFS[0]), ("back", "/price")];
    let waiting = paste(&world, &fields).await;
    assert_eq!(waiting.status, 202);
    let text = html(&waiting);
    assert!(text.contains("0 of 1") && text.contains("Do not pay again") && text.contains(PROOFS[0]), "{text}");
    world.chain.change(txid(1), |tx| tx.block = Some(100));
    world.chain.height(101);
    world.payments.look_at_chain().await.unwrap();
    assert_eq!(paste(&world, &fields).await.status, 303);
}

#[tokio::test]
async fn a_wrong_proof_is_explained_and_can_be_pasted_again() {
    let world = World::new().await;
    let page = open(&world, "/price", "").await;
    let challenge = pay(&world, &page, 1, PRICE);
    let name = txid(9).to_string();
    for (fields, status, says) in [
        ([("challenge", &*challenge), ("txid", &name), ("proof", PROOFS[0]), ("back", "/")], 404, "No node knows"),
        ([("challenge", "AAAA"), ("txid", &name), ("proof", PROOFS[0]), ("back", "/")], 400, "did not issue"),
        ([("challenge", &*challenge), ("txid", "<b>"), ("proof", "<b>"), ("back", "//evil.example")], 400, "&lt;b&gt;"),
    ] {
        let declined = paste(&world, &fields).await;
        assert_eq!(declined.status, status);
        let text = html(&declined);
        assert!(text.contains(says) && !text.contains("<b>") && !text.contains("evil"), "{text}");
        assert_eq!(declined.header("set-cookie"), None);
    }
    let half = paste(&world, &[("challenge", &challenge)]).await;
    assert_eq!(half.status, 400);
    let get = world.client.get("/.well-known/tpat/paid").await;
    assert_eq!(get.status, 400);
}

#[tokio::test]
async fn programs_get_what_programs_read_and_find_prices() {
    let world = World::new().await;
    let program = world.client.get("/price").await;
    assert_eq!(program.header("content-type"), Some("application/json"));
    let posted = world.client.request(Method::POST, "/price").header("accept", ACCEPT);
    assert_eq!(world.client.send(posted).await.header("content-type"), Some("application/json"));

    let list: PriceList = world.client.get(PRICES).await.json();
    let found: Vec<_> =
        list.routes.iter().map(|route| (route.name.as_str(), route.path.as_str(), route.bound)).collect();
    assert_eq!(found, [("price", "/price/**", true), ("open", "/open/**", false), ("broken", "/broken/**", false)]);
    let bundle = &list.routes[0].bundles[0];
    let demand = world.client.demand("/price").await;
    assert_eq!(
        (bundle.min_amt, bundle.quota, bundle.ttl_s, bundle.conf),
        (demand.min_amt, demand.quota, demand.ttl_s, demand.conf)
    );
    assert_eq!((bundle.name.as_str(), list.network), (demand.accepts[0].name.as_str(), demand.network));
}
