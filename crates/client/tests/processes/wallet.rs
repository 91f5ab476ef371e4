//! A monero-wallet-rpc as far as the client asks one. What it signs was made by a real one, for the address of the
//! gate that is played here.

use super::world::Shared;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Debug, Clone)]
struct Wallet {
    shared: Arc<Shared>,
    asked: Arc<AtomicUsize>,
}

pub fn prepared() -> Vec<Value> {
    serde_json::from_str(include_str!("prepared.json")).unwrap()
}

pub async fn open(shared: Arc<Shared>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/json_rpc", post(answer)).with_state(Wallet { shared, asked: Arc::default() });
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn answer(State(wallet): State<Wallet>, Json(question): Json<Value>) -> Json<Value> {
    let method = question["method"].as_str().unwrap();
    wallet.shared.step(method, false).await;
    let result = wallet.does(method, &question["params"]);
    wallet.shared.step(method, true).await;
    Json(match result {
        Ok(result) => json!({"result": result}),
        Err(code) => json!({"error": {"code": code, "message": "no"}}),
    })
}

impl Wallet {
    fn does(&self, method: &str, params: &Value) -> Result<Value, i64> {
        match method {
            "refresh" | "store" => Ok(json!({})),
            "get_address" => Ok(json!({"address": "the payer's"})),
            // Each is another transaction: two that are sent have paid twice.
            "transfer" => match *self.shared.refusal.lock() {
                Some(code) => Err(code),
                None => Ok(prepared()[self.asked.fetch_add(1, Ordering::SeqCst) % 2].clone()),
            },
            "relay_tx" => {
                let txid = params["hex"].as_str().unwrap().strip_prefix("signed ").unwrap();
                self.shared.network.lock().insert(txid.to_owned());
                Ok(json!({"tx_hash": txid}))
            }
            "check_tx_key" => {
                let known = self.shared.network.lock().contains(params["txid"].as_str().unwrap());
                if known { Ok(json!({"in_pool": true, "confirmations": 0, "received": 1})) } else { Err(-1) }
            }
            other => panic!("the client asks {other}"),
        }
    }
}
