//! Every statement of this crate, so that start-up can prepare them all on the engine in use.

use super::{
    accept, allowlist, app_codes, attempts, audit, bans, begin, gates, invitations, keys, ladders, leases, names,
    proofs, refusals, refuse, resets, sealed, sequences, services, session_writes, sessions, strikes, sweep, toll,
    toll_redeem, toll_tokens, toll_watch, turns, upkeep, user_changes, user_keys, users,
};

/// Names SQL texts and lists them in `STATEMENTS`: none can be left out of the check at start-up.
macro_rules! sql {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)+) => {
        $($(#[$doc])* pub(super) const $name: &str = $text;)+
        pub(super) const STATEMENTS: &[&str] = &[$($name),+];
    };
}
pub(super) use sql;

const FILES: &[&[&str]] = &[
    accept::STATEMENTS,
    allowlist::STATEMENTS,
    app_codes::STATEMENTS,
    attempts::STATEMENTS,
    audit::STATEMENTS,
    bans::STATEMENTS,
    begin::STATEMENTS,
    gates::STATEMENTS,
    invitations::STATEMENTS,
    keys::STATEMENTS,
    ladders::STATEMENTS,
    leases::STATEMENTS,
    names::STATEMENTS,
    proofs::STATEMENTS,
    refusals::STATEMENTS,
    refuse::STATEMENTS,
    resets::STATEMENTS,
    sealed::STATEMENTS,
    sequences::STATEMENTS,
    services::STATEMENTS,
    session_writes::STATEMENTS,
    sessions::STATEMENTS,
    strikes::STATEMENTS,
    sweep::STATEMENTS,
    toll::STATEMENTS,
    toll_redeem::STATEMENTS,
    toll_tokens::STATEMENTS,
    toll_watch::STATEMENTS,
    turns::STATEMENTS,
    upkeep::STATEMENTS,
    user_changes::STATEMENTS,
    user_keys::STATEMENTS,
    users::STATEMENTS,
];

/// All of them.
pub fn statements() -> impl Iterator<Item = &'static str> {
    FILES.iter().flat_map(|file| file.iter().copied())
}
