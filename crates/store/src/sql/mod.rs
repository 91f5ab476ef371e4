//! The ports on SQLite and PostgreSQL: one SQL text, one set of migrations, two ways to write.

mod accept;
mod allowlist;
mod attempts;
mod audit;
mod backend;
mod bans;
mod begin;
mod burnt;
mod catalogue;
mod each;
mod grouped;
mod invitations;
mod keys;
mod ladders;
mod migrations;
mod open;
mod refusals;
mod refuse;
mod resets;
mod services;
mod session_writes;
mod sessions;
mod store;
mod strikes;
mod sweep;
mod turns;
mod tx;
mod upkeep;
mod user_changes;
mod user_keys;
mod users;
mod write;
mod writer;

pub use catalogue::statements as all_statements;
pub(crate) use migrations::newest_migration;
pub use open::{Options, open, open_sqlite};
