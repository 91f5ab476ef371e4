//! `postern migrate`

use super::{Failure, Outcome};
use crate::config::{Config, without_password};
use store::transfer::{TransferOutcome, reopen, transfer};

/// Move an installation from an SQLite file to PostgreSQL.
///
/// Stop the server first: a server that still runs cannot write to the SQLite file during the move or after it. The
/// key-encryption key stays where it is.
#[derive(Debug, clap::Args)]
pub(super) struct MigrateArgs {
    /// The SQLite database [default: the database_url of the settings]
    #[arg(long, value_name = "sqlite:FILE")]
    from: Option<String>,
    /// An empty PostgreSQL database; the password may be in PGPASSWORD or in ~/.pgpass
    #[arg(long, value_name = "postgres://...", required_unless_present = "reopen")]
    to: Option<String>,
    /// Show the rows that would be moved; change nothing
    #[arg(long)]
    dry_run: bool,
    /// Allow writes to the SQLite database again, after an abandoned move
    #[arg(long, conflicts_with_all = ["to", "dry_run"])]
    reopen: bool,
}

pub(super) async fn run(config: Config, args: MigrateArgs) -> Outcome {
    let from = args.from.unwrap_or_else(|| config.database_url());
    if args.reopen {
        reopen(&from).await.map_err(Failure::from)?;
        println!("{} accepts writes again.", without_password(&from));
        return Ok(());
    }
    let Some(to) = args.to else { return Ok(()) };
    let (mut tables, mut rows) = (0, 0_u64);
    let outcome = transfer(&from, &to, args.dry_run, |table| {
        tables += 1;
        rows += table.rows.rows;
        println!("{:>12}  {}  {}", table.rows.rows, table.rows, table.name);
    })
    .await?;
    match outcome {
        TransferOutcome::Tried => println!("{rows} rows in {tables} tables would be moved. Nothing was changed."),
        TransferOutcome::Moved => println!(
            "{rows} rows in {tables} tables were moved, read back and compared. {} accepts no more writes.\n\
             Set database_url to the new database and start the server. The key-encryption key stays where it is.",
            without_password(&from)
        ),
        TransferOutcome::WasThere => println!("Nothing to do: all {rows} rows in {tables} tables are there already."),
    }
    Ok(())
}
