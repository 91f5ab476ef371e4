//! Messages with a link, whose code is stored under the key-encryption key.

use super::backend::{Backend, Value};
use super::mail_rows::{Row, add};
use super::sealed::may_be_written;
use super::statement::sql;
use super::tx::Tx;
use crate::Result;
use crate::audit::{AuditEvent, BY_MAIL};
use crate::mails::NewMail;
use domain::ids::UserId;
use domain::mail::MailKind;

sql! {
    // Links that the person asked for, and those that an administrator mailed, by their audit row.
    END_RESET = "DELETE FROM resets WHERE user_id = $1 AND (made_by = $1 OR EXISTS (SELECT 1 FROM audit a
        WHERE a.user_id = $1 AND a.at = resets.created_at AND a.event = $2 AND a.about = $3))";
    // A message that was given up could be sent again.
    FORGET_MAILS = "DELETE FROM mails WHERE user_id = $1 AND kind <> $2";
    FORGET_PROOF = "DELETE FROM email_proofs WHERE user_id = $1";
}

/// Queues a message with a link. The caller has counted it.
pub(super) async fn add_link<DB: Backend>(tx: &mut Tx<'_, DB>, mail: &NewMail) -> Result<()> {
    may_be_written(tx, &mail.sealed, mail.now).await?;
    let row = Row {
        id: &mail.id,
        kind: mail.kind,
        user: mail.user.as_ref(),
        recipient: &mail.recipient,
        audit: mail.audit.as_deref(),
        sealed: &mail.sealed,
        link_expires_at: Some(mail.link_expires_at),
        now: mail.now,
    };
    add(tx, &row).await
}

/// Deletes the link that proves the address of an account.
pub(super) async fn erase_proof<DB: Backend>(tx: &mut Tx<'_, DB>, user: &UserId) -> Result<()> {
    tx.execute(FORGET_PROOF, &[Value::Text(user.as_str())]).await.map(drop)
}

/// Ends the links that were mailed to the account's address or wait for that. Notices stay, because they are about what has
/// happened.
pub(super) async fn end_mailed_links<DB: Backend>(tx: &mut Tx<'_, DB>, user: &UserId) -> Result<()> {
    let (event, about) = (Value::Text(AuditEvent::ResetMade.as_str()), Value::Text(BY_MAIL));
    tx.execute(END_RESET, &[Value::Text(user.as_str()), event, about]).await?;
    tx.execute(FORGET_MAILS, &[Value::Text(user.as_str()), Value::Text(MailKind::Notice.as_str())]).await?;
    erase_proof(tx, user).await
}
