//! The requirements on a database engine.

use domain::UnixMs;
use sqlx::database::HasStatementCache;
use sqlx::{Arguments, ColumnIndex, Database, Decode, Encode, Error, Executor, IntoArguments, Row, SqlStr, Type};
use std::borrow::Cow;

/// A value for a `$n`. TEXT and BIGINT are the only column types.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    Int(i64),
    OptInt(Option<i64>),
    Time(UnixMs),
    OptTime(Option<UnixMs>),
    Text(&'a str),
    OptText(Option<&'a str>),
}

/// The number of rows that a statement changed.
pub(super) trait RowsAffected {
    fn rows(&self) -> u64;
}

impl RowsAffected for sqlx::sqlite::SqliteQueryResult {
    fn rows(&self) -> u64 {
        self.rows_affected()
    }
}

impl RowsAffected for sqlx::postgres::PgQueryResult {
    fn rows(&self) -> u64 {
        self.rows_affected()
    }
}

/// A database engine: any that sqlx supports with text and integers.
pub(super) trait Backend: Database {
    fn bind(arguments: &mut Self::Arguments, value: Value<'_>) -> Result<(), Error>;
    fn int(row: &Self::Row, column: &str) -> Result<i64, Error>;
    fn opt_int(row: &Self::Row, column: &str) -> Result<Option<i64>, Error>;
    fn text(row: &Self::Row, column: &str) -> Result<String, Error>;
    fn opt_text(row: &Self::Row, column: &str) -> Result<Option<String>, Error>;
    /// Executes a statement. `is_kept`: the connection keeps the prepared statement for the next time.
    fn execute<'c>(
        connection: &'c mut Self::Connection,
        sql: &'static str,
        arguments: Self::Arguments,
        is_kept: bool,
    ) -> impl Future<Output = Result<u64, Error>> + Send + 'c;
    fn fetch<'c>(
        connection: &'c mut Self::Connection,
        sql: &'static str,
        arguments: Self::Arguments,
        is_kept: bool,
    ) -> impl Future<Output = Result<Vec<Self::Row>, Error>> + Send + 'c;
    fn prepare<'c>(
        connection: &'c mut Self::Connection,
        sql: &'static str,
    ) -> impl Future<Output = Result<(), Error>> + Send + 'c;
}

impl<DB> Backend for DB
where
    DB: Database + HasStatementCache,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    DB::Arguments: IntoArguments<DB>,
    for<'q> i64: Encode<'q, DB> + Decode<'q, DB> + Type<DB>,
    for<'q> Option<i64>: Encode<'q, DB> + Decode<'q, DB> + Type<DB>,
    for<'q> String: Encode<'q, DB> + Decode<'q, DB> + Type<DB>,
    for<'q> Option<String>: Encode<'q, DB> + Decode<'q, DB> + Type<DB>,
    for<'a> &'a str: ColumnIndex<DB::Row>,
    DB::QueryResult: RowsAffected,
{
    fn bind(arguments: &mut Self::Arguments, value: Value<'_>) -> Result<(), Error> {
        match value {
            Value::Int(v) => arguments.add(v),
            Value::OptInt(v) => arguments.add(v),
            Value::Time(v) => arguments.add(v.as_millis()),
            Value::OptTime(v) => arguments.add(v.map(UnixMs::as_millis)),
            Value::Text(v) => arguments.add(storable(v).into_owned()),
            Value::OptText(v) => arguments.add(v.map(|v| storable(v).into_owned())),
        }
        .map_err(Error::Encode)
    }

    fn int(row: &Self::Row, column: &str) -> Result<i64, Error> {
        row.try_get(column)
    }

    fn opt_int(row: &Self::Row, column: &str) -> Result<Option<i64>, Error> {
        row.try_get(column)
    }

    fn text(row: &Self::Row, column: &str) -> Result<String, Error> {
        row.try_get(column)
    }

    fn opt_text(row: &Self::Row, column: &str) -> Result<Option<String>, Error> {
        row.try_get(column)
    }

    async fn execute(
        connection: &mut Self::Connection,
        sql: &'static str,
        arguments: Self::Arguments,
        is_kept: bool,
    ) -> Result<u64, Error> {
        Ok(sqlx::query_with::<Self, _>(sql, arguments).persistent(is_kept).execute(connection).await?.rows())
    }

    async fn fetch(
        connection: &mut Self::Connection,
        sql: &'static str,
        arguments: Self::Arguments,
        is_kept: bool,
    ) -> Result<Vec<Self::Row>, Error> {
        sqlx::query_with::<Self, _>(sql, arguments).persistent(is_kept).fetch_all(connection).await
    }

    async fn prepare(connection: &mut Self::Connection, sql: &'static str) -> Result<(), Error> {
        connection.prepare(SqlStr::from_static(sql)).await.map(drop)
    }
}

/// Replaces NUL, which PostgreSQL refuses in text. U+FFFD keeps `a\0b` different from `ab` on every engine.
fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}
