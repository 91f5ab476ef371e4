//! A write: the content of one transaction, for every engine.

use super::backend::Backend;
use super::tx::Tx;
use crate::Result;
use crate::audit::AuditEntry;

/// Statements that take effect together or not at all. The first statement must write, so that a concurrent transaction
/// waits there and then sees the result of the first one. May be run again after a rollback, so it has no state of its
/// own.
pub(super) trait Write: Send + Sync + 'static {
    type Output: Send + 'static;

    /// Whether it is a single statement, which is atomic without a savepoint.
    const ONE_STATEMENT: bool = false;

    /// Returns the row that it appends to the audit log. The row of a write that administrators can make must be
    /// returned here: its actor is checked before the write runs, and a row with an unchecked actor is refused.
    fn audit(&self) -> Option<&AuditEntry> {
        None
    }

    fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> impl Future<Output = Result<Self::Output>> + Send;
}
