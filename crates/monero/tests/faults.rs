//! Nodes that are behind, lie about their answer's form, or talk without end.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use axum::Router;
use axum::routing::post;
use monero::{Claim, Error, Finding, FirstOf, Limits, Node, OwnVerifier, Verifier};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tpat::Txid;

const ADDRESS: &str = "87omSJnYpMKZyhxRpc2gy1PNJt8ZdGdfGBM8P8EGBdXAe3qajRsW6hwjZrqkpGzNUGTAE93S9ktpRXFDyt9fdQzTFPZufhV";
const PROOF: &str = "OutProofV2Jq9WRKEUPwuaWdzVC3C9e5BkGHUTdJ5y4NdUhP8Lda5RX1wVeLxvsBeRhLKZaHN62KjXMaUAJgihdXJUbpsWzJujKXi4YEMyvEq3fpwCceJm2mfj4DmxXzKCdGP6LsQvXMkW";

async fn node(answer: Value, limits: Limits) -> Node {
    text_node(answer.to_string(), limits).await
}

async fn text_node(answer: String, limits: Limits) -> Node {
    answering(answer.clone(), answer, limits).await
}

async fn answering(call: String, transactions: String, limits: Limits) -> Node {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let say = |text: String| post(move || std::future::ready(text.clone()));
    let router = Router::new().route("/json_rpc", say(call)).route("/get_transactions", say(transactions));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Node::new(&url, limits).expect("a node")
}

fn info(change: impl Fn(&mut Value)) -> Value {
    let mut info = json!({
        "height": 100, "top_block_hash": "ab", "target_height": 0, "synchronized": true, "nettype": "mainnet",
        "version": "0.18.0.0",
    });
    change(&mut info);
    json!({"jsonrpc": "2.0", "id": "0", "result": info})
}

#[tokio::test]
async fn a_node_that_is_behind_is_not_asked() {
    let limits = Limits::default();
    assert_eq!(node(info(|_| ()), limits).await.info_in_step().await.expect("in step").height, 100);
    for change in
        [|info: &mut Value| info["synchronized"] = json!(false), |info: &mut Value| info["target_height"] = json!(101)]
    {
        let behind = node(info(change), limits).await.info_in_step().await;
        assert!(matches!(behind, Err(Error::Behind(_))), "{behind:?}");
    }
}

#[tokio::test]
async fn answers_of_another_form() {
    let limits = Limits { longest: 1000, ..Limits::default() };
    let txid = tpat::Txid([1; 32]);
    for answer in ["", "{", "[]", "null", r#"{"status":1}"#, &"[".repeat(900), &" ".repeat(2000)] {
        let found = text_node(answer.to_owned(), limits).await.transaction(&txid).await;
        assert!(matches!(found, Err(Error::Malformed(_))), "{answer}: {found:?}");
    }
    let entry = |hex: &str, pool: bool| json!({"status": "OK", "txs": [{"as_hex": hex, "in_pool": pool, "double_spend_seen": false}]});
    for broken in [entry("abc", true), entry("zz", true), entry("ab", false)] {
        let found = node(broken.clone(), limits).await.transaction(&txid).await;
        assert!(matches!(found, Err(Error::Malformed(_))), "{broken}: {found:?}");
    }
    let busy = node(json!({"status": "BUSY"}), limits).await.transaction(&txid).await;
    assert!(matches!(busy, Err(Error::Refused { .. })), "{busy:?}");
    let missing = node(json!({"status": "OK", "missed_tx": ["ab"]}), limits).await.transaction(&txid).await;
    assert_eq!(missing.expect("an answer"), None);
}

/// A block past the chain's end, and a chain that is suddenly another.
#[tokio::test]
async fn a_node_that_contradicts_itself() {
    let limits = Limits::default();
    let entry = |block: u64| {
        json!({"status": "OK", "txs": [{"tx_hash": Txid([1; 32]).to_string(), "as_hex": "ab", "in_pool": false,
            "block_height": block, "double_spend_seen": false}]})
    };
    let claim = Claim {
        txid: Txid([1; 32]),
        address: ADDRESS.parse().expect("an address"),
        message: String::new(),
        proof: PROOF.parse().expect("a proof"),
    };
    let verify = async |block| {
        let node = answering(info(|_| ()).to_string(), entry(block).to_string(), limits).await;
        OwnVerifier::new(Arc::new(node)).verify(&claim).await
    };
    let lie = verify(101).await;
    assert!(matches!(lie, Err(Error::Unsteady(_))), "{lie:?}");
    // One that may have come just now; the bytes are none.
    assert!(matches!(verify(100).await, Ok(Finding::Refused(_))));

    let up = answering(info(|_| ()).to_string(), entry(99).to_string(), limits).await;
    assert_eq!(up.places(&[Txid([1; 32]).to_string(), Txid([2; 32]).to_string()]).await.expect("places").len(), 2);
    let away = Arc::new(Node::new("http://127.0.0.1:1", limits).expect("a node"));
    let both: Vec<Box<dyn Verifier>> = vec![Box::new(OwnVerifier::new(away)), Box::new(OwnVerifier::new(Arc::new(up)))];
    assert!(matches!(FirstOf::new(both).verify(&claim).await, Ok(Finding::Refused(_))), "the second is asked");
}

#[tokio::test]
async fn no_more_questions_at_once_than_may_be() {
    let limits = Limits { timeout: Duration::from_millis(300), at_once: 1, ..Limits::default() };
    // Nobody answers here, yet connections are taken.
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let node = Node::new(&format!("http://{}", listener.local_addr().expect("an address")), limits).expect("a node");
    let (first, second, third) = tokio::join!(node.info(), node.info(), node.info());
    let errors = [first, second, third].map(|answer| answer.expect_err("no answer"));
    assert!(errors.iter().any(|error| matches!(error, Error::Timeout(_))), "{errors:?}");
    assert!(errors.iter().any(|error| matches!(error, Error::Busy(_))), "{errors:?}");
    assert!(errors.iter().all(Error::is_passing));
}

#[test]
fn what_is_no_address_of_a_node() {
    for url in ["", "localhost:18081", "ftp://localhost/", "file:///etc/passwd"] {
        assert!(Node::new(url, Limits::default()).is_err(), "{url}");
    }
    let shown = format!("{}", Error::Timeout("http://127.0.0.1:1".to_owned()));
    assert!(shown.contains("127.0.0.1"));
}
