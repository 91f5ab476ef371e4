//! Rows of the queue of messages, and their limits.

use super::backend::{Backend, Value};
use super::statement::sql;
use super::tx::Tx;
use crate::Result;
use crate::audit::AuditEntry;
use domain::UnixMs;
use domain::ids::UserId;
use domain::mail::{MailKind, WRONG_CODES_PER_HOUR, account_key, deadline, hour, recipient_key};
use domain::profile::EmailAddress;

sql! {
    LIMIT = "SELECT per_hour FROM mail_limits";
    // Counts and checks in one statement, so that no concurrent message passes the limit.
    COUNT = "INSERT INTO mail_counts (subject, hour, n) VALUES ($1, $2, 1)
        ON CONFLICT (subject, hour) DO UPDATE SET n = mail_counts.n + 1 WHERE mail_counts.n < $3";
    OWNER = "SELECT u.email FROM users u JOIN mail_limits l ON l.id = 1
        WHERE u.id = $1 AND u.email_state IN ('vouched_for', 'proved') AND u.deleted_at IS NULL";
    ADD = "INSERT INTO mails (id, kind, user_id, recipient, audit_id, sealed, link_expires_at, created_at, deadline,
            tries, next_at, failure)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $8, '')";
    OF_USER = "DELETE FROM mails WHERE user_id = $1";
}

/// Returns the maximum number of messages to an address in an hour; `None`: this installation sends no mail.
pub(super) async fn limit<DB: Backend>(tx: &mut Tx<'_, DB>) -> Result<Option<i64>> {
    tx.one(LIMIT, &[]).await?.map(|row| row.int("per_hour")).transpose()
}

/// Counts a message. `false`: the limit of this hour is reached.
pub(super) async fn count<DB: Backend>(tx: &mut Tx<'_, DB>, subject: &str, per_hour: i64, now: UnixMs) -> Result<bool> {
    let values = [Value::Text(subject), Value::Int(hour(now)), Value::Int(per_hour)];
    Ok(tx.execute(COUNT, &values).await? == 1)
}

/// Queues a notice to the owner of the row's account, if the row is a notice and mail is on. The account's address must
/// be proved or vouched for. Over the limit no notice is queued; the owner still sees the event at the next visit.
pub(super) async fn notify_owner<DB: Backend>(tx: &mut Tx<'_, DB>, entry: &AuditEntry) -> Result<()> {
    let Some(user) = entry.user.as_ref().filter(|_| entry.is_mailed()) else { return Ok(()) };
    let Some(row) = tx.one(OWNER, &[Value::Text(user.as_str())]).await? else { return Ok(()) };
    let address = row.enum_column("users", "email", |address| EmailAddress::parse(address).ok())?;
    notify(tx, entry, &address).await
}

/// Queues a notice about a row to an address, if mail is on.
pub(super) async fn notify<DB: Backend>(tx: &mut Tx<'_, DB>, entry: &AuditEntry, address: &EmailAddress) -> Result<()> {
    let Some(per_hour) = limit(tx).await? else { return Ok(()) };
    // Apart from links, which strangers can cause, and from other events: a person who can sign in must not use up the
    // number of notices of a changed password.
    let (subject, most) = match &entry.user {
        Some(user) if entry.is_wrong_code() => {
            (format!("notice.wrong_code.{}", account_key(user)), per_hour.min(WRONG_CODES_PER_HOUR))
        }
        _ => (format!("notice.{}.{}", entry.event.as_str(), recipient_key(address)), per_hour),
    };
    if !count(tx, &subject, most, entry.at).await? {
        return Ok(());
    }
    let row = Row {
        id: &entry.id,
        kind: MailKind::Notice,
        user: entry.user.as_ref(),
        recipient: address,
        audit: Some(&entry.id),
        sealed: "",
        link_expires_at: None,
        now: entry.at,
    };
    add(tx, &row).await
}

/// A new row.
pub(super) struct Row<'a> {
    pub(super) id: &'a str,
    pub(super) kind: MailKind,
    pub(super) user: Option<&'a UserId>,
    pub(super) recipient: &'a EmailAddress,
    pub(super) audit: Option<&'a str>,
    pub(super) sealed: &'a str,
    pub(super) link_expires_at: Option<UnixMs>,
    pub(super) now: UnixMs,
}

pub(super) async fn add<DB: Backend>(tx: &mut Tx<'_, DB>, row: &Row<'_>) -> Result<()> {
    let values = [
        Value::Text(row.id),
        Value::Text(row.kind.as_str()),
        Value::OptText(row.user.map(UserId::as_str)),
        Value::Text(row.recipient.as_str()),
        Value::OptText(row.audit),
        Value::Text(row.sealed),
        Value::OptTime(row.link_expires_at),
        Value::Time(row.now),
        Value::Time(deadline(row.now, row.link_expires_at)),
    ];
    tx.execute(ADD, &values).await.map(drop)
}

/// Deletes the messages about an account.
pub(super) async fn erase_mails<DB: Backend>(tx: &mut Tx<'_, DB>, user: &UserId) -> Result<()> {
    tx.execute(OF_USER, &[Value::Text(user.as_str())]).await.map(drop)
}
