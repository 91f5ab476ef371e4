//! The handlers behind the per-route checks.

use crate::client::Client;
use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use tower::Service;

/// The handlers by path.
#[derive(Debug, Clone)]
pub struct Routes(pub Router);

impl Routes {
    /// Answers a request that has passed the per-route checks.
    pub async fn answer(&self, client: Client, mut request: Request) -> Response {
        request.extensions_mut().insert(client);
        // A router is always ready and never fails.
        let Ok(response) = Service::<Request>::call(&mut self.0.clone(), request).await;
        response
    }
}
