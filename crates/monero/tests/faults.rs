//! Nodes that are behind, return answers of another form, or answer without end.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use axum::Router;
use axum::routing::post;
use monero::{ClaimResult, Error, FallbackVerifier, Node, NodeVerifier, PaymentClaim, RpcLimits, Verifier};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tpat::Txid;

const ADDRESS: &str = "87omSJnYpMKZyhxRpc2gy1PNJt8ZdGdfGBM8P8EGBdXAe3qajRsW6hwjZrqkpGzNUGTAE93S9ktpRXFDyt9fdQzTFPZufhV";
const PROOF: &str = "OutProofV2Jq9WRKEUPwuaWdzVC3C9e5BkGHUTdJ5y4NdUhP8Lda5RX1wVeLxvsBeRhLKZaHN62KjXMaUAJgihdXJUbpsWzJujKXi4YEMyvEq3fpwCceJm2mfj4DmxXzKCdGP6LsQvXMkW";

async fn node(answer: Value, limits: RpcLimits) -> Node {
    text_node(answer.to_string(), limits).await
}

async fn text_node(answer: String, limits: RpcLimits) -> Node {
    answering(answer.clone(), answer, limits).await
}

async fn answering(call: String, transactions: String, limits: RpcLimits) -> Node {
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
    let limits = RpcLimits::default();
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
    let limits = RpcLimits { longest: 1000, ..RpcLimits::default() };
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
    let limits = RpcLimits::default();
    let entry = |block: u64| {
        json!({"status": "OK", "txs": [{"tx_hash": Txid([1; 32]).to_string(), "as_hex": "ab", "in_pool": false,
            "block_height": block, "double_spend_seen": false}]})
    };
    let claim = PaymentClaim {
        txid: Txid([1; 32]),
        address: ADDRESS.parse().expect("an address"),
        message: String::new(),
        proof: PROOF.parse().expect("a proof"),
    };
    let verify = async |block| {
        let node = answering(info(|_| ()).to_string(), entry(block).to_string(), limits).await;
        NodeVerifier::new(Arc::new(node)).verify(&claim).await
    };
    let lie = verify(101).await;
    assert!(matches!(lie, Err(Error::Unsteady(_))), "{lie:?}");
    // The block may be new; the bytes are invalid.
    assert!(matches!(verify(100).await, Ok(ClaimResult::Refused(_))));

    let up = answering(info(|_| ()).to_string(), entry(99).to_string(), limits).await;
    assert_eq!(up.positions(&[Txid([1; 32]).to_string(), Txid([2; 32]).to_string()]).await.expect("places").len(), 2);
    let away = Arc::new(Node::new("http://127.0.0.1:1", limits).expect("a node"));
    let both: Vec<Box<dyn Verifier>> =
        vec![Box::new(NodeVerifier::new(away)), Box::new(NodeVerifier::new(Arc::new(up)))];
    assert!(
        matches!(FallbackVerifier::new(both).verify(&claim).await, Ok(ClaimResult::Refused(_))),
        "the second is asked"
    );
}

#[tokio::test]
async fn no_more_questions_at_once_than_may_be() {
    let limits = RpcLimits { timeout: Duration::from_millis(300), at_once: 1, ..RpcLimits::default() };
    // This listener accepts connections and never answers.
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let node = Node::new(&format!("http://{}", listener.local_addr().expect("an address")), limits).expect("a node");
    let (first, second, third) = tokio::join!(node.info(), node.info(), node.info());
    let errors = [first, second, third].map(|answer| answer.expect_err("no answer"));
    assert!(errors.iter().any(|error| matches!(error, Error::Timeout(_))), "{errors:?}");
    assert!(errors.iter().any(|error| matches!(error, Error::Busy(_))), "{errors:?}");
    assert!(errors.iter().all(Error::is_passing));
}

#[test]
fn invalid_node_addresses_are_refused() {
    for url in ["", "localhost:18081", "ftp://localhost/", "file:///etc/passwd"] {
        assert!(Node::new(url, RpcLimits::default()).is_err(), "{url}");
    }
    let shown = format!("{}", Error::Timeout("http://127.0.0.1:1".to_owned()));
    assert!(shown.contains("127.0.0.1"));
}

/// Starts a node that has every transaction but one, and records the number of transactions in each request.
async fn counting(missing: Txid) -> (String, Arc<parking_lot::Mutex<Vec<usize>>>) {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let asked = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let note = Arc::clone(&asked);
    let answer = move |axum::Json(question): axum::Json<Value>| {
        let names: Vec<String> = serde_json::from_value(question["txs_hashes"].clone()).expect("names");
        note.lock().push(names.len());
        let there = names.iter().rev().filter(|name| **name != missing.to_string());
        let entry = |name: &String| {
            json!({"tx_hash": name, "as_hex": &name[..2], "in_pool": false, "block_height": 7, "block_timestamp": 9,
                "double_spend_seen": false})
        };
        let txs: Vec<Value> = there.map(entry).collect();
        std::future::ready(axum::Json(json!({"status": "OK", "txs": txs})))
    };
    let router = Router::new().route("/get_transactions", post(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, asked)
}

#[tokio::test]
async fn as_many_transactions_to_a_question_as_surely_fit() {
    let txids: Vec<Txid> = (0..7).map(|name| Txid([name; 32])).collect();
    for (longest, expected) in [(2_000_000, vec![3, 3, 1]), (1000, vec![1; 7]), (16 << 20, vec![7])] {
        let (url, asked) = counting(txids[4]).await;
        let node = Node::new(&url, RpcLimits { longest, ..RpcLimits::default() }).expect("a node");
        let found = node.transactions(&txids).await.expect("an answer");
        assert_eq!(*asked.lock(), expected);
        let blobs: Vec<Option<u8>> = found.iter().map(|seen| seen.as_ref().map(|seen| seen.blob[0])).collect();
        assert_eq!(blobs, [Some(0), Some(1), Some(2), Some(3), None, Some(5), Some(6)], "in their order");
        assert_eq!(found[0].as_ref().map(|seen| (seen.block, seen.since)), Some((Some(7), Some(9))));
    }
    let (url, _) = counting(txids[4]).await;
    let node = Node::new(&url, RpcLimits { longest: 200, ..RpcLimits::default() }).expect("a node");
    assert!(node.transactions(&[txids[0]]).await.is_ok());
    assert!(matches!(node.pool().await, Err(Error::Refused { .. })), "another path");
}

#[tokio::test]
async fn names_of_the_pool_and_of_a_block() {
    let name = "ab".repeat(32);
    let block = |names: Value| {
        let header = json!({"height": 7, "hash": "h", "prev_hash": "p"});
        json!({"result": {"block_header": header, "tx_hashes": names}}).to_string()
    };
    let limits = RpcLimits::default();
    let node = answering(block(json!([name])), String::new(), limits).await;
    let found = node.block(7).await.expect("a block");
    assert_eq!((found.hash.as_str(), found.previous.as_str(), found.txids), ("h", "p", vec![Txid([0xab; 32])]));
    for wrong in [json!(["ab"]), json!([7]), json!({})] {
        let node = answering(block(wrong), String::new(), limits).await;
        assert!(matches!(node.block(7).await, Err(Error::Malformed(_))));
    }
}
