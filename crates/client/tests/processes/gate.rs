//! A gate that verifies proofs of payments that the network has.

use super::wallet::prepared;
use super::world::Shared;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::sync::Arc;
use tpat::header::{RefusedCredential, write};
use wire::toll::{Network, Offer, Piconero, REDEEM};

const ADDRESS: &str = "87omSJnYpMKZyhxRpc2gy1PNJt8ZdGdfGBM8P8EGBdXAe3qajRsW6hwjZrqkpGzNUGTAE93S9ktpRXFDyt9fdQzTFPZufhV";
const PRICE: u64 = 2_000_000_000;
const CHALLENGE: &str = "challenge";

pub(crate) async fn open(shared: Arc<Shared>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/price", get(price)).route(REDEEM, post(redeem)).with_state(shared);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn price(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    shared.step("price", false).await;
    if headers.contains_key("authorization") && *shared.left.lock() > 0 {
        shared.step("paid price", false).await;
        let left = {
            let mut left = shared.left.lock();
            *left -= 1;
            left.to_string()
        };
        let bought = if shared.files.steps.lock().is_empty() {
            "the price".into_response()
        } else {
            shared.files.answer(&headers)
        };
        return ([("tpat-quota", left)], bought).into_response();
    }
    let environment: &dyn client::Environment = &client::SystemEnvironment;
    let demand = Offer {
        address: ADDRESS.to_owned(),
        min_amt: Piconero(PRICE),
        ttl: 30,
        v: 1,
        realm: headers["host"].to_str().unwrap().to_owned(),
        message: format!("tpat1:{CHALLENGE}"),
        challenge: CHALLENGE.to_owned(),
        expires: u64::try_from(environment.now() / 1000).unwrap() + 3600,
        ttl_s: 3600,
        quota: 6,
        conf: 0,
        network: Network::Mainnet,
        redeem: REDEEM.to_owned(),
        jkt: None,
        title: String::new(),
        accepts: Vec::new(),
    };
    (StatusCode::PAYMENT_REQUIRED, [("www-authenticate", write(&demand, RefusedCredential::default()))]).into_response()
}

async fn redeem(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    shared.step("redeem", false).await;
    let credential = headers["authorization"].to_str().unwrap().strip_prefix("TPAT ").unwrap();
    let (txid, proof) = credential.split_once(':').unwrap();
    if !shared.network.lock().contains(txid) {
        let problem = json!({"status": 404, "code": "not_found", "title": "Not seen.", "retry_after": 1});
        let media_type = [("content-type", wire::problem::MEDIA_TYPE)];
        return (StatusCode::NOT_FOUND, media_type, problem.to_string()).into_response();
    }
    let sent = prepared().into_iter().find(|prepared| prepared["tx_hash"] == txid).unwrap();
    let message = format!("tpat1:{CHALLENGE}");
    let (txid, address) = (txid.parse().unwrap(), ADDRESS.parse().unwrap());
    let received = tpat::verify(&blob(&sent), &txid, &address, message.as_bytes(), &proof.parse().unwrap()).unwrap();
    assert_eq!(received.total, PRICE);
    shared.step("redeem", true).await;
    let token = json!({
        "token": format!("token-of-{txid}"), "expires": 4_000_000_000_u64, "quota": 6, "provisional": false,
        "remainder": "0",
    });
    Json(token).into_response()
}

fn blob(prepared: &Value) -> Vec<u8> {
    let hex = prepared["tx_blob"].as_str().unwrap();
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}
