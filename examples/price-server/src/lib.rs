//! A program without any code about payments: it answers every request with a price. The gate in front of it requires
//! payment.

use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

/// Returns the answer. The figure is invented: use a source of your own here.
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
