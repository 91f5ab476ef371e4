//! Messages with a link, whose code is stored under the key-encryption key.

use super::backend::Backend;
use super::mail_rows::{Row, add};
use super::sealed::may_be_written;
use super::tx::Tx;
use crate::Result;
use crate::mails::NewMail;

/// Queues a message with a link. The caller has counted it.
pub(super) async fn add_link<DB: Backend>(tx: &mut Tx<'_, DB>, mail: &NewMail) -> Result<()> {
    may_be_written(tx, &mail.sealed, mail.now).await?;
    let row = Row {
        id: &mail.id,
        kind: mail.kind,
        user: mail.user.as_deref(),
        recipient: &mail.recipient,
        audit: mail.audit.as_deref(),
        sealed: &mail.sealed,
        link_expires_at: Some(mail.link_expires_at),
        now: mail.now,
    };
    add(tx, &row).await
}
