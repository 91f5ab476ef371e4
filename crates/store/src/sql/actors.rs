//! Writes by administrators: each is valid only if its actor is an administrator when it is written.
//!
//! The extractor of a request has checked this before, but the role may have been lost since. Therefore the check is
//! repeated inside the transaction of the write. Otherwise an invitation could be stored after its maker was demoted,
//! and nothing would void it.

use super::access::Access;
use super::backend::{Backend, Value};
use super::statement::sql;
use super::tx::Tx;
use super::write::Write;
use crate::audit::AuditEntry;
use crate::{Error, Result};
use domain::ids::{SessionId, UserId};

sql! {
    // A write instead of a read: it waits for a concurrent change of the account and then sees its result. Until this
    // transaction ends, later changes wait for it, and then void what it has made.
    IS_ADMINISTRATOR = "UPDATE users SET role = role
        WHERE id = $1 AND role = 'administrator' AND disabled_at IS NULL AND deleted_at IS NULL";
    IS_SESSION = "SELECT COUNT(*) AS n FROM sessions WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL";
}

/// Runs a write, after checking its actor in the same transaction.
///
/// # Errors
/// [`Error::NotAdministrator`]
pub(super) async fn run<DB: Backend, W: Write>(
    write: &W,
    connection: &mut DB::Connection,
    access: Access,
) -> Result<W::Output> {
    let mut tx = Tx::<DB>::on(connection, access);
    if let Some(AuditEntry { actor: Some(actor), actor_session, .. }) = write.audit() {
        check(&mut tx, actor, actor_session.as_ref()).await?;
        tx.actor = Some(actor.clone());
    }
    write.run(&mut tx).await
}

async fn check<DB: Backend>(tx: &mut Tx<'_, DB>, actor: &UserId, session: Option<&SessionId>) -> Result<()> {
    if tx.execute(IS_ADMINISTRATOR, &[Value::Text(actor.as_str())]).await? == 0 {
        return Err(Error::NotAdministrator);
    }
    if let Some(session) = session
        && tx.count(IS_SESSION, &[Value::Text(session.as_str()), Value::Text(actor.as_str())]).await? == 0
    {
        return Err(Error::NotAdministrator);
    }
    Ok(())
}
