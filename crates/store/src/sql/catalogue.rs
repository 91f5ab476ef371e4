//! A list of all SQL statements of this crate, so that startup can prepare them on the engine in use.

use super::backend::Backend;
use super::store::SqlStore;
use super::tx::Tx;
use super::{
    accept, actors, address_assignments, allowlist, app_codes, attempts, audit, ban_rows, bans, begin, changes,
    email_proofs, fresh_proofs, gates, given_codes, grant_sessions, groups, imports, invitations, keys, ladders,
    mail_links, mail_rows, mails, named_locks, names, oauth, oauth_client_writes, oauth_documents, oauth_logouts,
    oauth_registrations, oauth_writes, passkeys, profiles, proofs, recovery_codes, refusals, refuse,
    remembered_devices, reservations, resets, sealed, second_factors, sequences, services, session_writes, sessions,
    strikes, sweep, toll, toll_redeem, toll_tokens, toll_watch, upkeep, user_changes, user_keys, users,
};
use crate::Result;
use sqlx::Connection;

const FILES: &[&[&str]] = &[
    accept::STATEMENTS,
    actors::STATEMENTS,
    allowlist::STATEMENTS,
    app_codes::STATEMENTS,
    attempts::STATEMENTS,
    audit::STATEMENTS,
    ban_rows::STATEMENTS,
    bans::STATEMENTS,
    begin::STATEMENTS,
    changes::STATEMENTS,
    email_proofs::STATEMENTS,
    fresh_proofs::STATEMENTS,
    gates::STATEMENTS,
    given_codes::STATEMENTS,
    grant_sessions::STATEMENTS,
    groups::STATEMENTS,
    imports::STATEMENTS,
    invitations::STATEMENTS,
    keys::STATEMENTS,
    ladders::STATEMENTS,
    mail_links::STATEMENTS,
    mail_rows::STATEMENTS,
    mails::STATEMENTS,
    address_assignments::STATEMENTS,
    names::STATEMENTS,
    profiles::STATEMENTS,
    passkeys::STATEMENTS,
    oauth::STATEMENTS,
    oauth_logouts::STATEMENTS,
    oauth_documents::STATEMENTS,
    oauth_registrations::STATEMENTS,
    oauth_client_writes::STATEMENTS,
    oauth_writes::STATEMENTS,
    proofs::STATEMENTS,
    refusals::STATEMENTS,
    refuse::STATEMENTS,
    recovery_codes::STATEMENTS,
    remembered_devices::STATEMENTS,
    reservations::STATEMENTS,
    resets::STATEMENTS,
    sealed::STATEMENTS,
    second_factors::STATEMENTS,
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
    named_locks::STATEMENTS,
    upkeep::STATEMENTS,
    user_changes::STATEMENTS,
    user_keys::STATEMENTS,
    users::STATEMENTS,
];

// Not in the catalogue, because SQLite has no such statement.
const FORGET: &str = "DEALLOCATE ALL";

/// Returns all statements.
pub fn statements() -> impl Iterator<Item = &'static str> {
    FILES.iter().flat_map(|file| file.iter().copied())
}

impl<DB: Backend> SqlStore<DB> {
    /// Prepares every statement, so that an invalid one fails at startup and not in a request.
    pub(super) async fn check_statements(&self) -> Result<()> {
        let mut lease = self.reads.take().await?;
        let checked = self.prepare_all(lease.connection()?).await;
        lease.end(&checked);
        checked
    }

    async fn prepare_all(&self, connection: &mut DB::Connection) -> Result<()> {
        if !self.reads.access.is_pooled {
            return prepare::<DB>(connection).await;
        }
        let mut transaction = connection.begin().await?;
        self.forget_statements(&mut transaction).await?;
        prepare::<DB>(&mut transaction).await?;
        self.forget_statements(&mut transaction).await?;
        Ok(transaction.commit().await?)
    }

    /// Frees the names of prepared statements in a session that a pooler lends to others, too.
    async fn forget_statements(&self, connection: &mut DB::Connection) -> Result<()> {
        Tx::<DB>::on(connection, self.reads.access).execute(FORGET, &[]).await.map(drop)
    }
}

async fn prepare<DB: Backend>(connection: &mut DB::Connection) -> Result<()> {
    for sql in statements() {
        DB::prepare(connection, sql).await?;
    }
    Ok(())
}
