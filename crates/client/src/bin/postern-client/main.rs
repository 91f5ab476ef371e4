//! `postern-client`: Postern from a terminal.

mod args;
mod cli_error;
mod confirmation;
mod context;
mod get;
mod keys;
mod login;
mod logout;
mod manual;
mod menu;
mod notices;
mod output;
mod print;
mod server_keys;
mod sessions;
mod style;
mod terminal;
mod terminal_prompt;
mod time;
mod toll;
mod whoami;

use args::{Args, Command};
use clap::Parser;
use cli_error::{CliError, Outcome};
use context::Context;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = Args::parse();
    let json = args.json;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let outcome = runtime.map_err(CliError::from).and_then(|runtime| runtime.block_on(run(args)));
    if matches!(outcome, Err(CliError::Interrupted)) {
        terminal::restore();
    }
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => stop.report(json),
    }
}

async fn run(args: Args) -> Outcome {
    let context = Context::new(&args)?;
    match args.command {
        Command::Login(args) => login::run(&context, args).await,
        Command::Menu => menu::run(&context, &context.session().await?).await,
        Command::Keys { what } => keys::run(&context, what).await,
        Command::Time(args) => time::run(&context, args).await,
        Command::Sessions { what } => sessions::run(&context, what).await,
        Command::Notices { dismiss } => notices::run(&context, dismiss).await,
        Command::Logout { here } => logout::run(&context, here).await,
        Command::Whoami => whoami::run(&context, &context.session().await?).await,
        Command::Get(args) => get::run(&context, args).await,
        Command::Toll { what } => toll::run(&context, what).await,
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { folder } => manual::pages(&folder),
    }
}
