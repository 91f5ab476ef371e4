//! `postern-client`: Postern from a terminal.

mod args;
mod customer;
mod desk;
mod get;
mod keys;
mod login;
mod logout;
mod manual;
mod menu;
mod output;
mod print;
mod server_keys;
mod sessions;
mod stop;
mod terminal;
mod time;
mod toll;
mod whoami;

use args::{Args, Command};
use clap::Parser;
use desk::Desk;
use std::process::ExitCode;
use stop::{Outcome, Stop};

fn main() -> ExitCode {
    let args = Args::parse();
    let json = args.json;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let outcome = runtime.map_err(Stop::from).and_then(|runtime| runtime.block_on(run(args)));
    if matches!(outcome, Err(Stop::Interrupted)) {
        terminal::restore();
    }
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => stop.tell(json),
    }
}

async fn run(args: Args) -> Outcome {
    let desk = Desk::new(&args)?;
    match args.command {
        Command::Login(wish) => login::run(&desk, wish).await,
        Command::Menu => menu::run(&desk, &desk.session().await?).await,
        Command::Keys { what } => keys::run(&desk, what).await,
        Command::Time(wish) => time::run(&desk, wish).await,
        Command::Sessions { what } => sessions::run(&desk, what).await,
        Command::Logout { here } => logout::run(&desk, here).await,
        Command::Whoami => whoami::run(&desk, &desk.session().await?).await,
        Command::Get(wish) => get::run(&desk, wish).await,
        Command::Toll { what } => toll::run(&desk, what).await,
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { folder } => manual::pages(&folder),
    }
}
