//! The paid gate on the pages and in the commands of operators, and the actions that they take.

use crate::support::{Portal, Visitor, output_text, postern};
use domain::UnixMs;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use store::Store;
use store::toll::{ChainView, OfferTerms, PaymentId, Redemption, RedemptionOutcome, TransactionStatus};
use wire::paths;

const ADDRESS: &str = "87omSJnYpMKZyhxRpc2gy1PNJt8ZdGdfGBM8P8EGBdXAe3qajRsW6hwjZrqkpGzNUGTAE93S9ktpRXFDyt9fdQzTFPZufhV";
const DAY: i64 = 24 * 60 * 60_000;
const PRICE: i64 = 2_000_000_000;

/// Sells a token for a payment of `times` the price, which is in the pool; the token has the same name.
async fn sell(store: &dyn Store, name: &str, times: i64, now: UnixMs) {
    assert!(matches!(store.redeem(&payment(name, times, now)).await.unwrap(), RedemptionOutcome::Minted(_)));
}

/// Returns a payment of `times` the price, which is in the pool.
pub(crate) fn payment(name: &str, times: i64, now: UnixMs) -> Redemption {
    let terms =
        OfferTerms { price: PRICE, quota: 100, ttl_ms: DAY, confirmations: vec![(0, 0)], expires_at: now + DAY };
    Redemption {
        payment: PaymentId { txid: format!("tx-{name}"), account: 0, subaddress: 7 },
        challenge: name.to_owned(),
        route: "price".to_owned(),
        jkt: None,
        piconero: PRICE * times,
        outputs: vec![format!("output-{name}")],
        block: None,
        height: 100,
        terms,
        now,
    }
}

async fn act(visitor: &Visitor, method: Method, path: &str) -> StatusCode {
    visitor.send(method, &format!("{}/{path}", paths::TOLL_TOKENS), Some("{}".to_owned()), &[]).await.status
}

fn states(answer: &Value) -> Vec<(&str, &str)> {
    let rows = answer["tokens"].as_array().unwrap();
    rows.iter().map(|row| (row["id"].as_str().unwrap(), row["state"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn nobody_else_sees_or_acts() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    sell(portal.store(), "one", 1, portal.state.now()).await;
    let (stranger, alice) = (portal.browser("203.0.113.1"), portal.browser("203.0.113.2").signed_in("alice").await);
    for path in [paths::TOLL_ROUTES, paths::TOLL_PAYMENTS, paths::TOLL_TOKENS, paths::TOLL_DAYS] {
        assert_eq!(stranger.get(path).await.status, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(alice.get(path).await.code(), "forbidden", "{path}");
    }
    for (method, path) in [(Method::POST, "one/suspend"), (Method::POST, "one/resume"), (Method::DELETE, "one")] {
        assert_eq!(act(&alice, method, path).await, StatusCode::FORBIDDEN, "{path}");
    }
    assert!(portal.store().toll_token("one").await.unwrap().unwrap().is_awake());
}

#[tokio::test]
async fn routes_have_prices_and_health() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let settings = format!(
        "[toll]\naddresses = ['{ADDRESS}']\n[[toll.routes]]\nname = 'free'\npath = '/free'\nupstream = 'http://127.0.0.1:1'\n\
         [[toll.routes]]\nname = 'price'\nhosts = ['api.example']\nmethods = ['GET']\npath = '/price'\n\
         upstream = 'http://{}/below'\nprice = '0.002 XMR'\n",
        listener.local_addr().unwrap()
    );
    let portal = Portal::with(&settings).await;
    let routes = portal.administrator().await.get(paths::TOLL_ROUTES).await.json();
    let (free, price) = (&routes["routes"][0], &routes["routes"][1]);
    assert_eq!((&free["name"], &free["up"], &free["prices"]), (&json!("free"), &json!(false), &json!([])));
    assert_eq!((&price["hosts"], &price["methods"]), (&json!(["api.example"]), &json!(["GET"])));
    assert_eq!(price["up"], true);
    assert_eq!(price["prices"], json!([{"piconero": "2000000000", "quota": 100, "ttl_ms": 3_600_000}]));
}

#[tokio::test]
async fn payments_and_tokens_have_a_state() {
    let portal = Portal::start().await;
    let (store, now) = (portal.store(), portal.state.now());
    for name in ["open", "gone", "mined", "spent"] {
        sell(store, name, 1, now).await;
    }
    store.use_token("spent", 100).await.unwrap();
    let chain = ChainView { height: 102, settled_after: 20, now };
    store.observe("tx-gone", TransactionStatus::Gone, chain).await.unwrap();
    store.observe("tx-mined", TransactionStatus::Block(100), chain).await.unwrap();
    let root = portal.administrator().await;
    let payments = root.get(paths::TOLL_PAYMENTS).await.json();
    let mut found: Vec<_> = payments["payments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["token"].as_str().unwrap(), row["state"].as_str().unwrap()))
        .collect();
    found.sort_unstable();
    assert_eq!(found, [("gone", "gone"), ("mined", "mined"), ("open", "pool"), ("spent", "pool")]);
    let tokens = root.get(paths::TOLL_TOKENS).await.json();
    let mut found = states(&tokens);
    found.sort_unstable();
    assert_eq!(found, [("gone", "asleep"), ("mined", "open"), ("open", "open"), ("spent", "spent")]);
    portal.advance(DAY).await;
    let again = portal.browser("198.51.100.2").signed_in("root").await.get(paths::TOLL_TOKENS).await.json();
    assert!(states(&again).iter().all(|(_, state)| *state == "expired"));
}

#[tokio::test]
async fn a_token_is_held_resumed_and_taken_back_and_the_trail_knows() {
    let portal = Portal::start().await;
    sell(portal.store(), "one", 1, portal.state.now()).await;
    let root = portal.administrator().await;
    for (method, path, expected) in [
        (Method::POST, "one/resume", StatusCode::NOT_FOUND),
        (Method::POST, "one/suspend", StatusCode::NO_CONTENT),
        (Method::POST, "one/suspend", StatusCode::NOT_FOUND),
        (Method::POST, "one/resume", StatusCode::NO_CONTENT),
        (Method::DELETE, "one", StatusCode::NO_CONTENT),
        (Method::DELETE, "one", StatusCode::NOT_FOUND),
        (Method::POST, "other/suspend", StatusCode::NOT_FOUND),
    ] {
        assert_eq!(act(&root, method.clone(), path).await, expected, "{method} {path}");
        portal.advance(1000).await;
    }
    assert_eq!(states(&root.get(paths::TOLL_TOKENS).await.json()), [("one", "revoked")]);
    let audit = root.get(&format!("{}?user=root", paths::AUDIT)).await.json();
    let rows = audit["entries"].as_array().unwrap().iter().take(3);
    let done: Vec<_> = rows.map(|row| (row["event"].as_str().unwrap(), row["about"].as_str().unwrap())).collect();
    assert_eq!(done, [("toll_revoked", "one"), ("toll_resumed", "one"), ("toll_suspended", "one")]);
}

#[tokio::test]
async fn a_change_without_parameters_takes_none() {
    let portal = Portal::start().await;
    sell(portal.store(), "one", 1, portal.state.now()).await;
    let root = portal.administrator().await;
    for (body, expected) in [
        (r#"{"until":1}"#, StatusCode::BAD_REQUEST),
        ("[]", StatusCode::BAD_REQUEST),
        ("null", StatusCode::BAD_REQUEST),
        ("{}{}", StatusCode::BAD_REQUEST),
        (" {} ", StatusCode::NO_CONTENT),
    ] {
        for path in ["suspend", "resume"] {
            let path = format!("{}/one/{path}", paths::TOLL_TOKENS);
            assert_eq!(root.send(Method::POST, &path, Some(body.to_owned()), &[]).await.status, expected, "{body}");
            if expected == StatusCode::BAD_REQUEST {
                let token = portal.store().toll_token("one").await.unwrap().unwrap();
                assert!(token.is_awake(), "nothing was changed");
            }
        }
    }
    for path in [format!("{}/x/reset", paths::USERS), format!("{}/x/key", paths::USERS)] {
        let refused = root.send(Method::POST, &path, Some(r#"{"a":1}"#.to_owned()), &[]).await;
        assert_eq!(refused.code(), "bad_request", "{path}");
    }
    assert_eq!(root.prove_and_post(paths::ROTATE_USER_KEY, &json!({"a": 1})).await.code(), "bad_request");
}

#[tokio::test]
async fn the_page_says_when_a_token_ends() {
    let portal = Portal::start().await;
    sell(portal.store(), "one", 1, portal.state.now()).await;
    portal.advance(DAY - 3 * 3_600_000).await;
    let root = portal.administrator().await;
    let page = root.get(paths::TOLL_PAGE).await.text.replace("<!>", "");
    assert!(page.contains("ends <time") && page.contains(">in 3 hours</time>"), "{page}");
    portal.advance(4 * 3_600_000).await;
    let root = portal.browser("198.51.100.2").signed_in("root").await;
    let page = root.get(paths::TOLL_PAGE).await.text.replace("<!>", "");
    assert!(page.contains("ended <time") && page.contains(">1 hour ago</time>"), "{page}");
}

#[tokio::test]
async fn revenue_is_by_day_and_route() {
    let portal = Portal::start().await;
    let (store, now) = (portal.store(), portal.state.now());
    let today = now - now.as_millis().rem_euclid(DAY);
    store.count_challenges(today.as_millis() / DAY, "price", 9).await.unwrap();
    sell(store, "yesterday", 2, now - DAY).await;
    sell(store, "one", 1, now).await;
    sell(store, "two", 3, now).await;
    let root = portal.administrator().await;
    let row = |at: UnixMs, challenges, payments, piconero: i64| json!({"at": at, "route": "price", "challenges": challenges, "payments": payments, "piconero": piconero.to_string()});
    let days = root.get(paths::TOLL_DAYS).await.json();
    assert_eq!(days["days"], json!([row(today - DAY, 0, 1, 2 * PRICE), row(today, 9, 2, 4 * PRICE)]));
    let days = root.get(&format!("{}?days=1", paths::TOLL_DAYS)).await.json();
    assert_eq!(days["days"], json!([row(today, 9, 2, 4 * PRICE)]));
    for wrong in ["0", "-1", "x", "4000000000", "99999"] {
        let refused = root.get(&format!("{}?days={wrong}", paths::TOLL_DAYS)).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

#[tokio::test]
async fn the_command_line_shows_and_does_the_same() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let portal = Portal::in_folder(&folder.path().join("data"), None).await;
    let run = |arguments: &[&str]| postern(folder.path(), &[&["toll"], arguments].concat(), "");
    let json = |arguments: &[&str]| {
        let output = run(&[arguments, &["--json"]].concat());
        serde_json::from_slice::<Value>(&output.stdout).unwrap_or_else(|_| panic!("{}", output_text(&output)))
    };
    // By the real clock, which the command uses, this never expires.
    sell(portal.store(), "one", 3, UnixMs::from_millis(200_000_000_000_000)).await;
    assert_eq!(json(&["payments"])[0]["piconero"], "6000000000");
    let tokens = json(&["tokens"]);
    assert_eq!((&tokens[0]["left"], &tokens[0]["state"]), (&json!(300), &json!("open")));
    assert_eq!(json(&["revenue"])[0]["payments"], 1);
    assert!(output_text(&run(&["payments"])).contains("0.006 XMR"));
    assert!(output_text(&run(&["tokens"])).contains("300 of 300"));
    for (command, code) in [("suspend", 0), ("suspend", 3), ("resume", 0), ("revoke", 0), ("revoke", 3)] {
        let output = run(&[command, "one"]);
        assert_eq!(output.status.code(), Some(code), "{command}: {}", output_text(&output));
    }
    assert_eq!(json(&["tokens"])[0]["state"], "revoked");
    assert_eq!(run(&["revenue", "--days", "0"]).status.code(), Some(2));
}
