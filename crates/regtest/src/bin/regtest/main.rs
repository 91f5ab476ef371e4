//! Runs the network for tests in other languages, or creates its snapshot.

use regtest::{Error, RegtestNetwork};
use serde_json::json;
use std::process::ExitCode;
use tokio::io::AsyncReadExt;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => run().await,
        ["bake", directory] => RegtestNetwork::bake(directory.as_ref()).await,
        _ => {
            eprintln!("usage: regtest, or regtest bake DIRECTORY");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("regtest: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Reads lines from standard input: a number mines that many blocks, and `payer` kills the paying wallet and starts it
/// again. Prints a line when that is done, and ends with the input.
async fn run() -> Result<(), Error> {
    let mut regtest = RegtestNetwork::start().await?;
    let primary = regtest.merchant.address().await?;
    let view_key = regtest.merchant.view_key().await?;
    let world = json!({
        "node": regtest.node_url(), "payer": regtest.payer_url(), "merchant": regtest.merchant_url(),
        "merchant_address": primary, "merchant_view_key": view_key,
    });
    println!("{world}");
    let mut input = tokio::io::stdin();
    let mut line = Vec::new();
    let mut byte = [0];
    while input.read(&mut byte).await? == 1 {
        if byte != *b"\n" {
            line.push(byte[0]);
            continue;
        }
        let command = String::from_utf8_lossy(&line).trim().to_owned();
        line.clear();
        if command == "payer" {
            regtest.start_payer().await?;
            println!("started");
            continue;
        }
        let blocks = command.parse().unwrap_or(1);
        regtest.mine(blocks).await?;
        println!("mined {blocks}");
    }
    Ok(())
}
