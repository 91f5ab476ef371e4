//! The logic of the endpoints, always in the same order: guard, load, judge, store, notify.

pub mod accept;
pub mod activity;
pub mod actor;
pub mod allowlist;
pub mod app_entry;
pub mod app_tokens;
pub mod audit_log;
pub mod bans;
pub mod check_password;
pub mod invitations;
pub mod issue;
pub mod login;
pub mod logout;
pub mod new_password;
pub mod paging;
pub mod password;
pub mod refresh;
pub mod refusals;
pub mod reset;
pub mod rewrap;
pub mod run_to_completion;
pub mod sealed;
pub mod second_factor;
pub mod server_keys;
pub mod services;
pub mod sessions;
pub mod signup;
pub mod tickets;
pub mod toll;
pub mod user_keys;
pub mod users;
pub mod verify;

pub use crate::{audit, guards::copied, offences as ban};
pub use run_to_completion::run_to_completion;
