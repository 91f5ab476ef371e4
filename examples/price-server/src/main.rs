//! `LISTEN=127.0.0.1:3005 price-server`

use std::env::var;
use std::error::Error;
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(var("LISTEN").as_deref().unwrap_or("127.0.0.1:3005")).await?;
    println!("A price is told at http://{}/price, to everybody: put the gate before it", listener.local_addr()?);
    axum::serve(listener, price_server::router()).await?;
    Ok(())
}
