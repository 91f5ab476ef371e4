//! The store: read connections, and the engine's way of writing.

use super::backend::{Backend, Value};
use super::connections::Connections;
use super::each;
use super::notifications::Notifications;
use super::tx::{Record, counted};
use super::used_short_keys::UsedShortKeys;
use super::write::Write;
use super::writer::Writer;
use crate::Result;

/// All store traits on one database.
pub(super) struct SqlStore<DB: Backend> {
    pub(super) reads: Connections<DB>,
    /// A pool for following the changes of other nodes, whose connection requests cannot take.
    pub(super) order: Connections<DB>,
    pub(super) notifications: Option<Notifications>,
    pub(super) writes: Writes<DB>,
    pub(super) burnt: UsedShortKeys,
}

pub(super) enum Writes<DB: Backend> {
    /// One writer groups writes into transactions.
    Grouped(Writer<DB>),
    /// Each write has its own transaction.
    Each,
}

impl<DB: Backend> SqlStore<DB> {
    pub(super) async fn write<W: Write>(&self, write: W) -> Result<W::Output> {
        match &self.writes {
            Writes::Each => each::write(self.reads.clone(), write).await,
            Writes::Grouped(writer) => writer.write(write).await,
        }
    }

    pub(super) async fn one(&self, sql: &'static str, values: &[Value<'_>]) -> Result<Option<Record<DB>>> {
        Ok(self.all(sql, values).await?.into_iter().next())
    }

    pub(super) async fn all(&self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Record<DB>>> {
        self.reads.all(sql, values).await
    }

    pub(super) async fn count(&self, sql: &'static str, values: &[Value<'_>]) -> Result<u64> {
        counted(self.one(sql, values).await?.as_ref())
    }
}

impl<DB: Backend> std::fmt::Debug for SqlStore<DB> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SqlStore<{}>", DB::NAME)
    }
}
