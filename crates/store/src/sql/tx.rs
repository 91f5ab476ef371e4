//! Statements on one connection, and their rows.

use super::access::Access;
use super::backend::{Backend, Value};
use crate::{Error, Result};
use domain::UnixMs;
use domain::ids::UserId;
use domain::thumbprint::Thumbprint;

/// A connection inside a transaction, or one that only reads.
pub(super) struct Tx<'c, DB: Backend> {
    connection: &'c mut DB::Connection,
    access: Access,
    /// The actor of this write, who was found to be an administrator.
    pub(super) actor: Option<UserId>,
}

impl<DB: Backend> std::fmt::Debug for Tx<'_, DB> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tx")
    }
}

impl<'c, DB: Backend> Tx<'c, DB> {
    pub(super) fn on(connection: &'c mut DB::Connection, access: Access) -> Self {
        Self { connection, access, actor: None }
    }
}

impl<DB: Backend> Tx<'_, DB> {
    /// Lets each further statement take as long as it needs, because it reads a whole table.
    pub(super) fn wait_for_long_statements(&mut self) {
        self.access.timeout = None;
    }

    /// Runs a statement and returns the number of changed rows.
    pub(super) async fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<u64> {
        let arguments = bound::<DB>(values)?;
        let is_kept = !self.access.is_pooled;
        self.access.in_time(DB::execute(self.connection, sql, arguments, is_kept)).await
    }

    pub(super) async fn all(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Record<DB>>> {
        let arguments = bound::<DB>(values)?;
        let is_kept = !self.access.is_pooled;
        let rows = self.access.in_time(DB::fetch(self.connection, sql, arguments, is_kept)).await?;
        Ok(rows.into_iter().map(Record).collect())
    }

    /// Returns the first row.
    pub(super) async fn one(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Option<Record<DB>>> {
        Ok(self.all(sql, values).await?.into_iter().next())
    }

    /// Returns the column `n` of the only row, as in `COUNT(*) AS n`.
    pub(super) async fn count(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<u64> {
        counted(self.one(sql, values).await?.as_ref())
    }
}

/// Returns the column `n` of the only row.
pub(super) fn counted<DB: Backend>(row: Option<&Record<DB>>) -> Result<u64> {
    let count = row.map_or(Ok(0), |row| row.int("n"))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

fn bound<DB: Backend>(values: &[Value<'_>]) -> Result<DB::Arguments> {
    let mut arguments = DB::Arguments::default();
    for value in values {
        DB::bind(&mut arguments, *value)?;
    }
    Ok(arguments)
}

/// One row of a result.
pub(super) struct Record<DB: Backend>(DB::Row);

impl<DB: Backend> Record<DB> {
    pub(super) fn int(&self, column: &str) -> Result<i64> {
        Ok(DB::int(&self.0, column)?)
    }

    pub(super) fn opt_int(&self, column: &str) -> Result<Option<i64>> {
        Ok(DB::opt_int(&self.0, column)?)
    }

    pub(super) fn time(&self, column: &str) -> Result<UnixMs> {
        self.int(column).map(UnixMs::from_millis)
    }

    pub(super) fn opt_time(&self, column: &str) -> Result<Option<UnixMs>> {
        Ok(self.opt_int(column)?.map(UnixMs::from_millis))
    }

    pub(super) fn text(&self, column: &str) -> Result<String> {
        Ok(DB::text(&self.0, column)?)
    }

    pub(super) fn opt_text(&self, column: &str) -> Result<Option<String>> {
        Ok(DB::opt_text(&self.0, column)?)
    }

    /// Returns a number that was written as `u32`.
    pub(super) fn u32_column(&self, table: &'static str, column: &'static str) -> Result<u32> {
        self.int(column)?.try_into().map_err(|_| self.unreadable(table, column))
    }

    /// Parses a text with one of our `parse` functions.
    pub(super) fn enum_column<T>(
        &self,
        table: &'static str,
        column: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T> {
        parse(&self.text(column)?).ok_or_else(|| self.unreadable(table, column))
    }

    /// Returns the thumbprint in the column `jkt`. `None`: it is null, because no key is bound.
    pub(super) fn opt_thumbprint(&self, table: &'static str) -> Result<Option<Thumbprint>> {
        let Some(text) = self.opt_text("jkt")? else { return Ok(None) };
        Thumbprint::parse(&text).map(Some).ok_or_else(|| self.unreadable(table, "jkt"))
    }

    fn unreadable(&self, table: &'static str, column: &'static str) -> Error {
        let row = self.text("id").or_else(|_| self.text("kid")).unwrap_or_default();
        Error::Inconsistent { table, column, row }
    }
}

impl<DB: Backend> std::fmt::Debug for Record<DB> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Record")
    }
}
