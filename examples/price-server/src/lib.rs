//! A program that knows nothing of payments: it tells a price to whoever asks. What stands before it sees
//! to it that they have paid.

use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

/// What it tells. The figure is made up: put a source of your own here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Price {
    pub pair: &'static str,
    pub price: &'static str,
    pub note: &'static str,
}

pub fn router() -> Router {
    Router::new().route("/price", get(price)).route("/health", get(|| async { "fine\n" }))
}

async fn price() -> Json<Price> {
    Json(Price { pair: "XMR/EUR", price: "123.45", note: "An example: this price is made up." })
}
