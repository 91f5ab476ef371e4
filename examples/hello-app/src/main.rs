//! `ISSUER=https://auth.example.com ORIGIN=https://hello.example.com hello-app`

use postern_verify::Guard;
use std::env::var;
use std::error::Error;
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let issuer = var("ISSUER").unwrap_or_else(|_| "http://localhost:3000".to_owned());
    let origin = var("ORIGIN").unwrap_or_else(|_| "http://hello.localhost:3006".to_owned());
    let guard = Guard::new(&issuer, &origin)?;
    let listener = TcpListener::bind(var("LISTEN").as_deref().unwrap_or("127.0.0.1:3006")).await?;
    println!("Hello from {}, to whoever has a token of {issuer} for {origin}", listener.local_addr()?);
    axum::serve(listener, hello_app::router(&guard)).await?;
    Ok(())
}
