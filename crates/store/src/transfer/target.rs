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

/// The indexes of a table that belong to no constraint.
const INDEXES: &str = "SELECT CAST(c.relname AS TEXT) AS name, pg_get_indexdef(i.indexrelid) AS definition
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
    WHERE t.relname = $1 AND t.relnamespace = CAST(current_schema() AS regnamespace)
        AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype <> 'f')";
const REFERENCES: &str = "SELECT CAST(k.conname AS TEXT) AS name, pg_get_constraintdef(k.oid) AS definition
    FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid
    WHERE t.relname = $1 AND t.relnamespace = CAST(current_schema() AS regnamespace) AND k.contype = 'f'";

pub(super) struct Target(PgConnection);

/// A part of the schema that is left out while rows arrive: the name, and the statement that makes it again.
#[derive(Debug)]
pub(super) struct LeftOut {
    name: String,
    make: String,
}

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

    /// Drops the references of an empty table to others. Checking them all at once at the end is several times faster
    /// than for each row.
    pub(super) async fn drop_references(&mut self, table: &Table) -> Result<Vec<LeftOut>, TransferError> {
        let table_name = quoted(&table.name);
        let references = self.left_out(REFERENCES, table, |name, definition| {
            format!("ALTER TABLE {table_name} ADD CONSTRAINT {name} {definition}")
        });
        let references = references.await?;
        for LeftOut { name, .. } in &references {
            self.run(format!("ALTER TABLE {table_name} DROP CONSTRAINT {name}")).await?;
        }
        Ok(references)
    }

    /// Makes again what was dropped in this transaction. Fails if the rows do not fit it.
    pub(super) async fn make(&mut self, left_out: Vec<LeftOut>) -> Result<(), TransferError> {
        for LeftOut { make, .. } in left_out {
            self.run(make).await?;
        }
        Ok(())
    }

    async fn left_out(
        &mut self,
        sql: &'static str,
        table: &Table,
        make: impl Fn(&str, &str) -> String,
    ) -> Result<Vec<LeftOut>, TransferError> {
        let rows: Vec<(String, String)> = sqlx::query_as(sql).bind(&table.name).fetch_all(&mut self.0).await?;
        let left_out = |(name, definition): (String, String)| {
            let name = quoted(&name);
            LeftOut { make: make(&name, &definition), name }
        };
        Ok(rows.into_iter().map(left_out).collect())
    }

    /// Copies all rows of an empty table and returns what was sent. Its indexes are made after the rows have arrived,
    /// which is several times faster than for each row.
    pub(super) async fn fill(&mut self, table: &Table, source: &mut Source) -> Result<Digest, TransferError> {
        let indexes = self.left_out(INDEXES, table, |_, definition| definition.to_owned()).await?;
        for LeftOut { name, .. } in &indexes {
            self.run(format!("DROP INDEX {name}")).await?;
        }
        let digest = self.copy(table, source).await?;
        self.make(indexes).await?;
        Ok(digest)
    }

    async fn copy(&mut self, table: &Table, source: &mut Source) -> Result<Digest, TransferError> {
        let sql = format!("COPY {} ({}) FROM STDIN", quoted(&table.name), table.list());
        let mut copy = self.0.copy_in_raw(&sql).await?;
        let mut digest = Digest::default();
        let mut page = source.page(table, i64::MIN).await?;
        while let Some((lines, last)) = page {
            // The next page is read while this one is sent.
            let (next, sent) = futures::join!(source.page(table, last), async {
                digest.add(&lines);
                copy.send(lines).await
            });
            sent?;
            page = next?;
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
