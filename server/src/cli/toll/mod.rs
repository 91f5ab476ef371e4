//! `postern toll`

mod admin;
mod announce;
mod payments;
mod portal;
mod routes;
mod run;

pub use run::{BoundGate, listen};

use super::Outcome;
use super::process::start_log;
use crate::config::{Config, Layers};

#[derive(Debug, clap::Subcommand)]
pub enum TollCommand {
    /// Run the paid gate, a separate process next to the portal
    Run,
    /// List the routes, in the order in which they are tried
    Routes {
        /// Show the route that handles this request, and the reason why each earlier route does not
        #[arg(long, num_args = 2, value_names = ["METHOD", "URL"])]
        explain: Option<Vec<String>>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    #[command(flatten)]
    Books(admin::TollAdminCommand),
}

pub fn run(config: Config, layers: Layers, command: TollCommand) -> Outcome {
    match command {
        TollCommand::Run => {
            start_log(&config.settings.log)?;
            let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
            tokio::runtime::Builder::new_multi_thread()
                .worker_threads(threads)
                .enable_all()
                .build()?
                .block_on(run::serve(config, layers))
        }
        TollCommand::Books(command) => super::blocking(admin::run(config, command)),
        TollCommand::Routes { explain, json } => {
            // Upstreams hold connection pools, which need a runtime; no connection is opened here.
            super::blocking(async move { routes::run(&config.settings.toll, explain.as_deref(), json) })
        }
    }
}
