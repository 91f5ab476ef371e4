//! The PostgreSQL database, in one transaction.

use super::error::TransferError;
use super::rows::Digest;
use super::source::{Source, Table, quoted};
use futures::TryStreamExt;
use sqlx::{AssertSqlSafe, PgConnection};
use std::collections::BTreeSet;

const TABLES: &str = "SELECT CAST(table_name AS TEXT) FROM information_schema.tables
    WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' AND table_name <> '_sqlx_migrations'";
const COLUMNS: &str = "SELECT CAST(column_name AS TEXT) FROM information_schema.columns
    WHERE table_schema = current_schema() AND table_name = $1";

pub(super) struct Target(PgConnection);

impl Target {
    pub(super) async fn begin(mut connection: PgConnection) -> Result<Self, TransferError> {
        // A move may take longer than a statement of the server may.
        sqlx::raw_sql("BEGIN; SET LOCAL statement_timeout = 0").execute(&mut connection).await?;
        Ok(Self(connection))
    }

    /// Compares tables and columns with those of the source, and locks them against other writers.
    pub(super) async fn check(&mut self, tables: &[Table]) -> Result<(), TransferError> {
        let here: BTreeSet<String> = sqlx::query_scalar(TABLES).fetch_all(&mut self.0).await?.into_iter().collect();
        let there: BTreeSet<String> = tables.iter().map(|table| table.name.clone()).collect();
        let different: Vec<_> = here.symmetric_difference(&there).cloned().collect();
        if !different.is_empty() {
            return Err(TransferError::Tables(different.join(", ")));
        }
        for table in tables {
            let here: Vec<String> = sqlx::query_scalar(COLUMNS).bind(&table.name).fetch_all(&mut self.0).await?;
            if here.iter().collect::<BTreeSet<_>>() != table.columns.iter().collect() {
                return Err(TransferError::Columns(table.name.clone()));
            }
            self.run(format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", quoted(&table.name))).await?;
        }
        Ok(())
    }

    /// Returns the tables that have rows.
    pub(super) async fn filled(&mut self, tables: &[Table]) -> Result<Vec<String>, TransferError> {
        let mut filled = Vec::new();
        for table in tables {
            let sql = format!("SELECT EXISTS (SELECT 1 FROM {})", quoted(&table.name));
            if sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut self.0).await? {
                filled.push(table.name.clone());
            }
        }
        Ok(filled)
    }

    /// Copies all rows of a table and returns what was sent.
    pub(super) async fn fill(&mut self, table: &Table, source: &mut Source) -> Result<Digest, TransferError> {
        let sql = format!("COPY {} ({}) FROM STDIN", quoted(&table.name), table.list());
        let mut copy = self.0.copy_in_raw(&sql).await?;
        let (mut digest, mut after) = (Digest::default(), i64::MIN);
        while let Some((lines, last)) = source.page(table, after).await? {
            digest.add(&lines);
            copy.send(lines).await?;
            after = last;
        }
        copy.finish().await?;
        Ok(digest)
    }

    /// Reads all rows of a table.
    pub(super) async fn digest(&mut self, table: &Table) -> Result<Digest, TransferError> {
        let sql = format!("COPY {} ({}) TO STDOUT", quoted(&table.name), table.list());
        let mut rows = self.0.copy_out_raw(&sql).await?;
        let mut digest = Digest::default();
        while let Some(lines) = rows.try_next().await? {
            digest.add(&lines);
        }
        Ok(digest)
    }

    pub(super) async fn commit(mut self) -> Result<(), TransferError> {
        sqlx::raw_sql("COMMIT").execute(&mut self.0).await?;
        // The planner knows nothing of the new rows yet. It learns of them sooner or later, and the move is done.
        if let Err(error) = sqlx::raw_sql("ANALYZE").execute(&mut self.0).await {
            tracing::error!(cause = %error, "ANALYZE failed after the move: run it by hand");
        }
        Ok(())
    }

    async fn run(&mut self, sql: String) -> Result<(), TransferError> {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.0).await?;
        Ok(())
    }
}
