//! The SQLite database, locked against writes.

use super::error::TransferError;
use super::rows::Digest;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Row};
use std::collections::BTreeSet;
use std::time::Duration;

/// Number of rows that one statement reads.
const PAGE: i64 = 2_000;
/// Time limit of the wait for another writer.
const TIMEOUT: Duration = Duration::from_secs(30);
const TABLES: &str = "SELECT name FROM sqlite_master
    WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT IN ('_sqlx_migrations', 'backup_note') ORDER BY name";
const COLUMNS: &str = "SELECT name, type FROM pragma_table_info($1) ORDER BY cid";
/// SQL expressions of characters, and their escapes. The backslash comes first, because the other escapes contain one.
const ESCAPES: [(&str, &str); 7] = [
    ("'\\'", "\\\\"),
    ("char(8)", "\\b"),
    ("char(9)", "\\t"),
    ("char(10)", "\\n"),
    ("char(11)", "\\v"),
    ("char(12)", "\\f"),
    ("char(13)", "\\r"),
];
const PARENTS: &str = "SELECT DISTINCT \"table\" AS parent FROM pragma_foreign_key_list($1)";

/// A table, after those that its rows refer to.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    /// An SQL expression for a row as a line of PostgreSQL's text format.
    line: String,
}

impl Table {
    /// Returns the columns as a list in SQL.
    pub(super) fn list(&self) -> String {
        self.columns.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(", ")
    }
}

pub(super) struct Source(SqliteConnection);

impl Source {
    /// Opens the file. Until the value is dropped, other processes can read it and not write it.
    pub(super) async fn lock(url: &str, only_read: bool) -> Result<Self, TransferError> {
        let connect: SqliteConnectOptions = url.parse()?;
        let connect = connect.create_if_missing(false).busy_timeout(TIMEOUT).disable_statement_logging();
        let mut connection = connect.connect().await?;
        let begin = if only_read { "BEGIN" } else { "BEGIN IMMEDIATE" };
        sqlx::raw_sql(begin).execute(&mut connection).await?;
        Ok(Self(connection))
    }

    /// Returns all tables, each after those that it refers to.
    pub(super) async fn tables(&mut self) -> Result<Vec<Table>, TransferError> {
        let names: Vec<String> = sqlx::query_scalar(TABLES).fetch_all(&mut self.0).await?;
        let mut waiting = Vec::new();
        for name in names {
            let parents: Vec<String> = sqlx::query_scalar(PARENTS).bind(&name).fetch_all(&mut self.0).await?;
            let columns: Vec<(String, String)> = sqlx::query_as(COLUMNS).bind(&name).fetch_all(&mut self.0).await?;
            waiting.push((table(name, &columns), parents.into_iter().collect::<BTreeSet<_>>()));
        }
        let mut ordered: Vec<Table> = Vec::new();
        while !waiting.is_empty() {
            let is_there = |parent: &String| ordered.iter().any(|table| table.name == *parent);
            let next = waiting.iter().position(|(_, parents)| parents.iter().all(is_there));
            // References in a circle: PostgreSQL will say which.
            let (table, _) = waiting.remove(next.unwrap_or(0));
            ordered.push(table);
        }
        Ok(ordered)
    }

    /// Reads the rows after the row number `after`. Returns them as lines, with the number of the last one. `None`: no
    /// row is left.
    pub(super) async fn page(&mut self, table: &Table, after: i64) -> Result<Option<(Vec<u8>, i64)>, TransferError> {
        let sql = format!(
            "SELECT group_concat(line, char(10)) || char(10) AS lines, max(number) AS last FROM
                (SELECT rowid AS number, {} AS line FROM {} WHERE rowid > $1 ORDER BY rowid LIMIT $2)",
            table.line,
            quoted(&table.name)
        );
        let row = sqlx::query(AssertSqlSafe(sql)).bind(after).bind(PAGE).fetch_one(&mut self.0).await?;
        let (lines, last): (Option<String>, Option<i64>) = (row.try_get("lines")?, row.try_get("last")?);
        Ok(lines.zip(last).map(|(lines, last)| (lines.into_bytes(), last)))
    }

    pub(super) async fn digest(&mut self, table: &Table) -> Result<Digest, TransferError> {
        let (mut digest, mut after) = (Digest::default(), i64::MIN);
        while let Some((lines, last)) = self.page(table, after).await? {
            digest.add(&lines);
            after = last;
        }
        Ok(digest)
    }

    /// Makes every write fail, also those of a server that runs, and releases the lock.
    pub(super) async fn refuse_writes(mut self, tables: &[Table]) -> Result<(), TransferError> {
        for (name, operation, table) in triggers(tables) {
            let sql = format!(
                "CREATE TRIGGER IF NOT EXISTS {name} BEFORE {operation} ON {table} BEGIN
                    SELECT RAISE(ABORT, 'this installation was moved to PostgreSQL: set database_url'); END"
            );
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.0).await?;
        }
        sqlx::raw_sql("COMMIT").execute(&mut self.0).await?;
        Ok(())
    }

    pub(super) async fn take_writes(mut self, tables: &[Table]) -> Result<(), TransferError> {
        for (name, ..) in triggers(tables) {
            let sql = format!("DROP TRIGGER IF EXISTS {name}");
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.0).await?;
        }
        sqlx::raw_sql("COMMIT").execute(&mut self.0).await?;
        Ok(())
    }
}

fn triggers(tables: &[Table]) -> impl Iterator<Item = (String, &'static str, String)> {
    tables.iter().flat_map(|table| {
        ["INSERT", "UPDATE", "DELETE"].map(|operation| {
            let name = quoted(&format!("moved_{}_{}", table.name, operation.to_lowercase()));
            (name, operation, quoted(&table.name))
        })
    })
}

fn table(name: String, columns: &[(String, String)]) -> Table {
    let values: Vec<_> = columns.iter().map(|(column, kind)| value(&quoted(column), kind)).collect();
    Table {
        name,
        line: values.join(" || char(9) || "),
        columns: columns.iter().map(|(name, _)| name.clone()).collect(),
    }
}

/// Returns an SQL expression for a column in PostgreSQL's text format, with its escapes. No text has NUL, which
/// PostgreSQL cannot store: no write of Postern keeps one.
fn value(column: &str, kind: &str) -> String {
    if kind != "TEXT" {
        return format!("coalesce(CAST({column} AS TEXT), '\\N')");
    }
    let escaped = ESCAPES.iter().fold(column.to_owned(), |text, (from, to)| format!("replace({text}, {from}, '{to}')"));
    format!("coalesce({escaped}, '\\N')")
}

/// Quotes a name of the schema.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
