//! Sequence numbers in commit order, by which nodes follow each other's changes.
//!
//! The row of a sequence stays locked until its transaction ends. So a higher number commits later, and a reader that
//! has seen one number has seen all lower ones, without a clock or an overlap. Lock order: after rows locked by key
//! (reservations, ladders), before rows that every refusal shares (`refusals`, the audit log). Another order would
//! deadlock.

use super::backend::{Backend, Value};
use super::statement::sql;
use super::tx::Tx;
use crate::Result;

sql! {
    NEXT = "INSERT INTO sequences (name, value) VALUES ($1, 1)
        ON CONFLICT (name) DO UPDATE SET value = sequences.value + 1 RETURNING value";
}

/// The kinds of changes, each with numbers of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sequence {
    Bans,
    Sessions,
    Keys,
    Sealers,
    Allowlist,
    Clients,
}

impl Sequence {
    const ALL: [Self; 6] = [Self::Bans, Self::Sessions, Self::Keys, Self::Sealers, Self::Allowlist, Self::Clients];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Bans => "bans",
            Self::Sessions => "sessions",
            Self::Keys => "keys",
            Self::Sealers => "sealers",
            Self::Allowlist => "allowlist",
            Self::Clients => "clients",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sequence| sequence.as_str() == name)
    }
}

/// Takes the next number of a sequence.
pub(super) async fn next<DB: Backend>(tx: &mut Tx<'_, DB>, sequence: Sequence) -> Result<i64> {
    let row = tx.one(NEXT, &[Value::Text(sequence.as_str())]).await?;
    row.map_or(Ok(0), |row| row.int("value"))
}
