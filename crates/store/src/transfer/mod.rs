//! The move of an installation from an SQLite file to PostgreSQL.
//!
//! Tables and columns come from the schema, so that a new table is never left behind. The rows go through PostgreSQL's
//! text format in one transaction, and are read back and compared before it commits. An interrupted move leaves an empty
//! database, and can be started again.

mod error;
mod rows;
mod source;
mod target;

use crate::sql::{MIGRATIONS, SchemaState, schema_state, server};
use source::{Source, Table};
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use target::Target;

pub use error::TransferError;
pub use rows::Digest;

/// The number of rows of one table, with a hash that does not depend on their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferredTable {
    pub name: String,
    pub rows: Digest,
}

/// The result of a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferOutcome {
    /// Every row is in the target, and the source takes no more writes.
    Moved,
    /// Every row was in the target already.
    WasThere,
    /// A dry run: the move can begin.
    Tried,
}

/// Moves every row of the SQLite database `from` to the PostgreSQL database `to`. Calls `report` for each table.
///
/// The source is locked against writes meanwhile. After a move it refuses writes, so that nothing is written to the old
/// place and lost: [`reopen`] allows them again. `dry_run` changes neither side.
///
/// # Errors
/// Nothing was moved.
pub async fn transfer(
    from: &str,
    to: &str,
    dry_run: bool,
    mut report: impl FnMut(&TransferredTable),
) -> Result<TransferOutcome, TransferError> {
    let (connect, is_empty) = check_sides(from, to).await?;
    let mut connection = connect.disable_statement_logging().connect().await?;
    if !dry_run {
        MIGRATIONS.run(&mut connection).await.map_err(crate::Error::from)?;
    }

    let mut source = Source::lock(from, dry_run).await?;
    let tables = source.tables().await?;
    let mut target = Target::begin(connection).await?;
    // Without its tables, the target is empty.
    if dry_run && is_empty {
        for table in &tables {
            report(&TransferredTable { name: table.name.clone(), rows: source.digest(table).await? });
        }
        return Ok(TransferOutcome::Tried);
    }
    target.check(&tables).await?;
    let filled = target.filled(&tables).await?;
    if !filled.is_empty() {
        compare(&mut source, &mut target, &tables, &filled, &mut report).await?;
        if !dry_run {
            source.refuse_writes(&tables).await?;
        }
        return Ok(TransferOutcome::WasThere);
    }
    let mut references = Vec::new();
    for table in tables.iter().filter(|_| !dry_run) {
        references.extend(target.drop_references(table).await?);
    }
    for table in &tables {
        let rows = if dry_run { source.digest(table).await? } else { target.fill(table, &mut source).await? };
        if !dry_run && target.digest(table).await? != rows {
            return Err(TransferError::Differs(table.name.clone()));
        }
        report(&TransferredTable { name: table.name.clone(), rows });
    }
    if dry_run {
        return Ok(TransferOutcome::Tried);
    }
    target.make(references).await?;
    // In this order: an interruption in between leaves a source that still works, and a target that is complete.
    target.commit().await?;
    source.refuse_writes(&tables).await?;
    Ok(TransferOutcome::Moved)
}

/// Returns the target's server, and whether its tables do not exist yet.
///
/// # Errors
/// A side has another engine or version, or the target is behind a pooler.
async fn check_sides(from: &str, to: &str) -> Result<(PgConnectOptions, bool), TransferError> {
    if !from.starts_with("sqlite:") || !(to.starts_with("postgres:") || to.starts_with("postgresql:")) {
        return Err(TransferError::Engines);
    }
    let (connect, is_pooled) = server(to)?;
    if is_pooled {
        return Err(TransferError::Pooler);
    }
    let is_ready =
        |side, schema: SchemaState| if schema.is_newer { Err(TransferError::Newer { side }) } else { Ok(schema) };
    let old = is_ready("source", schema_state(from).await?)?;
    if !old.pending.is_empty() {
        return Err(TransferError::Older(old.pending.join(", ")));
    }
    let new = is_ready("target", schema_state(to).await?)?;
    Ok((connect, !new.pending.is_empty()))
}

/// Reports the tables of a target that a move has filled before.
///
/// # Errors
/// The target has other rows than the source. `filled`: the names of the tables with rows.
async fn compare(
    source: &mut Source,
    target: &mut Target,
    tables: &[Table],
    filled: &[String],
    report: &mut impl FnMut(&TransferredTable),
) -> Result<(), TransferError> {
    for table in tables {
        let rows = source.digest(table).await?;
        if target.digest(table).await? != rows {
            return Err(TransferError::NotEmpty(filled.join(", ")));
        }
        report(&TransferredTable { name: table.name.clone(), rows });
    }
    Ok(())
}

/// Lets a source take writes again, after a move that is given up.
///
/// # Errors
/// The file cannot be written.
pub async fn reopen(from: &str) -> Result<(), TransferError> {
    if !from.starts_with("sqlite:") {
        return Err(TransferError::Engines);
    }
    let mut source = Source::lock(from, false).await?;
    let tables = source.tables().await?;
    source.take_writes(&tables).await
}
