use super::backend::{Backend, Value};
use super::mail_rows::notify_owner;
use super::statement::sql;
use super::store::SqlStore;
use super::tx::{Record, Tx};
use super::write::Write;
use crate::audit::{Audit, AuditEntry, AuditEvent, AuditLine, AuditSearch, MOST_REPEATED};
use crate::{Error, Result};
use async_trait::async_trait;
use domain::UnixMs;
use domain::ids::{SessionId, UserId};

macro_rules! found {
    ($first:literal) => {
        concat!(
            "SELECT a.id, a.at, a.event, a.outcome, a.user_id, a.session_id, a.address, a.device,
                a.actor, a.about, u.name AS username, d.name AS actor_name
            FROM audit a LEFT JOIN users u ON u.id = a.user_id LEFT JOIN users d ON d.id = a.actor WHERE ",
            $first,
            "a.at >= $1 AND a.at <= $2 AND ($3 = '' OR a.at < $4 OR a.id < $3)
            AND ($5 = '' OR a.event = $5) AND ($6 = '' OR a.outcome = $6)
            ORDER BY a.at DESC, a.id DESC LIMIT $7"
        )
    };
}

sql! {
    APPEND = "INSERT INTO audit (id, at, event, outcome, user_id, session_id, address, device, actor, about)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    APPEND_ONCE = "INSERT INTO audit (id, at, event, outcome, user_id, session_id, address, device, actor, about)
        SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS TEXT),
            CAST($6 AS TEXT), CAST($7 AS TEXT), CAST($8 AS TEXT), CAST($9 AS TEXT), CAST($10 AS TEXT)
        WHERE NOT EXISTS (SELECT 1 FROM audit a WHERE a.user_id = $5 AND a.at >= $11 AND a.event = $3
            AND a.session_id = $6 AND a.address = $7 AND a.about = $10)
        AND (SELECT COUNT(*) FROM audit a WHERE a.user_id = $5 AND a.at >= $11 AND a.event = $3) < $12";
    FOUND = found!("");
    FOUND_OF_USER = found!("(a.user_id = $8 OR a.actor = $8) AND ");
    ONE = "SELECT id, at, event, outcome, user_id, session_id, address, device, actor, about FROM audit WHERE id = $1";
    OF_USER = "SELECT id, at, event, outcome, user_id, session_id, address, device, actor, about
        FROM audit WHERE user_id = $1 ORDER BY at DESC LIMIT $2";
    // Other events do not count for the limit: otherwise a thief could push the notices out of it.
    UNREAD = "SELECT id, at, event, outcome, user_id, session_id, address, device, actor, about
        FROM audit WHERE user_id = $1 AND at > $2
            AND at > COALESCE((SELECT notices_read_at FROM users WHERE id = $1), 0)
            AND at > COALESCE((SELECT read_at FROM notices_read WHERE user_id = $1 AND device = $4), 0)
            AND ((event = 'login' AND outcome IN ('new_device', 'wrong_second_factor'))
                OR (event = 'session_ended' AND outcome = 'too_many_wrong_proofs')
                OR (event = 'password_set' AND outcome = 'ok')
                OR (event = 'profile_changed' AND about LIKE '%e-mail%')
                OR event IN ('second_factor_added', 'second_factor_removed', 'recovery_codes_made',
                    'recovery_code_used', 'passkey_added', 'passkey_removed', 'passkey_changed', 'user_renamed',
                    'reset_made'))
        ORDER BY at DESC LIMIT $3";
    DISMISS = "INSERT INTO notices_read (user_id, device, read_at) VALUES ($1, $2, $3)
        ON CONFLICT (user_id, device) DO UPDATE SET read_at = excluded.read_at
            WHERE notices_read.read_at < excluded.read_at";
    ODD = "SELECT COUNT(*) AS n FROM audit
        WHERE user_id = $1 AND at >= $2 AND (outcome NOT IN ('ok', 'second_factor_required') OR event = 'token_reused')";
    SIGN_INS = "SELECT at - at % 3600000 AS hour, COUNT(*) AS n FROM audit
        WHERE at >= $1 AND ((event = 'login' AND outcome IN ('ok', 'new_device', 'new_place'))
            OR (event = 'user_added' AND session_id IS NOT NULL))
        GROUP BY at - at % 3600000 ORDER BY hour";
}

/// Appends a row in the transaction of the event, and queues the notice to its owner.
///
/// # Errors
/// [`Error::NotAdministrator`]: its actor was not checked, because [`Write::audit`] does not return the row.
pub(super) async fn append<DB: Backend>(tx: &mut Tx<'_, DB>, entry: &AuditEntry) -> Result<()> {
    if entry.actor.is_some() && entry.actor != tx.actor {
        return Err(Error::NotAdministrator);
    }
    tx.execute(APPEND, &values(entry)).await?;
    notify_owner(tx, entry).await
}

fn values(entry: &AuditEntry) -> [Value<'_>; 10] {
    [
        Value::Text(&entry.id),
        Value::Time(entry.at),
        Value::Text(entry.event.as_str()),
        Value::Text(&entry.outcome),
        Value::OptText(entry.user.as_ref().map(UserId::as_str)),
        Value::OptText(entry.session.as_ref().map(SessionId::as_str)),
        Value::Text(&entry.address),
        Value::Text(&entry.device),
        Value::OptText(entry.actor.as_ref().map(UserId::as_str)),
        Value::Text(&entry.about),
    ]
}

struct AppendOnce {
    entry: AuditEntry,
    since: UnixMs,
}

impl Write for AppendOnce {
    type Output = ();

    const ONE_STATEMENT: bool = true;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<()> {
        let [id, at, event, outcome, user, session, address, device, actor, about] = values(&self.entry);
        let since = Value::Time(self.since);
        let most = Value::Int(MOST_REPEATED);
        let values = [id, at, event, outcome, user, session, address, device, actor, about, since, most];
        tx.execute(APPEND_ONCE, &values).await.map(drop)
    }
}

impl Write for AuditEntry {
    type Output = ();

    fn audit(&self) -> Option<&AuditEntry> {
        Some(self)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<()> {
        append(tx, self).await
    }
}

struct DismissNotices {
    user: UserId,
    device: String,
    until: UnixMs,
}

impl Write for DismissNotices {
    type Output = ();

    const ONE_STATEMENT: bool = true;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<()> {
        let values = [Value::Text(self.user.as_str()), Value::Text(&self.device), Value::Time(self.until)];
        tx.execute(DISMISS, &values).await.map(drop)
    }
}

#[async_trait]
impl<DB: Backend> Audit for SqlStore<DB> {
    async fn append(&self, entry: &AuditEntry) -> Result<()> {
        self.write(entry.clone()).await
    }

    async fn append_once(&self, entry: &AuditEntry, since: UnixMs) -> Result<()> {
        self.write(AppendOnce { entry: entry.clone(), since }).await
    }

    async fn search_audit(&self, search: &AuditSearch) -> Result<Vec<AuditLine>> {
        let newest = search.until.map_or(UnixMs::MAX, |until| until - 1);
        let (at, id) = search.before.as_ref().map_or((newest, ""), |(at, id)| (*at, id.as_str()));
        let since = Value::Time(search.since.unwrap_or(UnixMs::EPOCH));
        let (newest, before, at) = (Value::Time(newest.min(at)), Value::Text(id), Value::Time(at));
        let event = Value::Text(search.event.map_or("", AuditEvent::as_str));
        let outcome = Value::Text(search.outcome.as_deref().unwrap_or(""));
        let limit = Value::Int(search.limit.into());
        let rows = match &search.user {
            Some(user) => {
                let values = [since, newest, before, at, event, outcome, limit, Value::Text(user.as_str())];
                self.all(FOUND_OF_USER, &values).await?
            }
            None => self.all(FOUND, &[since, newest, before, at, event, outcome, limit]).await?,
        };
        rows.iter().map(|row| named(row)).collect()
    }

    async fn audit_entry(&self, id: &str) -> Result<Option<AuditEntry>> {
        self.one(ONE, &[Value::Text(id)]).await?.as_ref().map(entry).transpose()
    }

    async fn audit_of(&self, user: &UserId, limit: u32) -> Result<Vec<AuditEntry>> {
        let rows = self.all(OF_USER, &[Value::Text(user.as_str()), Value::Int(limit.into())]).await?;
        let mut entries = rows.iter().map(entry).collect::<Result<Vec<_>>>()?;
        // ULIDs order events of the same millisecond.
        entries.sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
        Ok(entries)
    }

    async fn unread_notices(&self, user: &UserId, device: &str, since: UnixMs, limit: u32) -> Result<Vec<AuditEntry>> {
        let values = [Value::Text(user.as_str()), Value::Time(since), Value::Int(limit.into()), Value::Text(device)];
        let rows = self.all(UNREAD, &values).await?;
        let mut entries = rows.iter().map(entry).collect::<Result<Vec<_>>>()?;
        entries.sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
        Ok(entries)
    }

    async fn dismiss_notices(&self, user: &UserId, device: &str, until: UnixMs) -> Result<()> {
        self.write(DismissNotices { user: user.to_owned(), device: device.to_owned(), until }).await
    }

    async fn sweep_notices(&self, before: UnixMs) -> Result<u64> {
        self.sweep_notices_before(before).await
    }

    async fn odd_entries(&self, user: &UserId, since: UnixMs) -> Result<u64> {
        self.count(ODD, &[Value::Text(user.as_str()), Value::Time(since)]).await
    }

    async fn sign_ins(&self, since: UnixMs) -> Result<Vec<(UnixMs, u64)>> {
        let rows = self.all(SIGN_INS, &[Value::Time(since)]).await?;
        rows.iter().map(|row| Ok((row.time("hour")?, row.int("n")?.unsigned_abs()))).collect()
    }

    async fn sweep_audit(&self, before: UnixMs) -> Result<u64> {
        self.sweep_audit_before(before).await
    }
}

fn named<DB: Backend>(row: &Record<DB>) -> Result<AuditLine> {
    Ok(AuditLine { entry: entry(row)?, username: row.opt_text("username")?, actor_name: row.opt_text("actor_name")? })
}

fn entry<DB: Backend>(row: &Record<DB>) -> Result<AuditEntry> {
    Ok(AuditEntry {
        id: row.text("id")?,
        at: row.time("at")?,
        event: row.enum_column("audit", "event", AuditEvent::parse)?,
        outcome: row.text("outcome")?,
        user: row.opt_text("user_id")?.map(Into::into),
        session: row.opt_text("session_id")?.map(Into::into),
        address: row.text("address")?,
        device: row.text("device")?,
        actor: row.opt_text("actor")?.map(Into::into),
        actor_session: None,
        about: row.text("about")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notice_is_found_by_its_event_and_outcome() {
        let words = ["ok", "new_device", crate::audit::WRONG_SECOND_FACTOR, crate::audit::TOO_MANY_PROOFS];
        for event in AuditEvent::ALL {
            for outcome in words {
                let entry = AuditEntry {
                    outcome: outcome.to_owned(),
                    about: crate::audit::EMAIL.to_owned(),
                    ..AuditEntry::new(String::new(), UnixMs::EPOCH, *event)
                };
                let quoted = |word: &str| UNREAD.contains(&format!("'{word}'"));
                let is_any = quoted(event.as_str()) && !UNREAD.contains(&format!("event = '{}'", event.as_str()));
                assert!(!entry.is_notice() || is_any || quoted(event.as_str()), "{event:?} {outcome}");
                assert!(!entry.is_notice() || is_any || outcome == "ok" || quoted(outcome), "{event:?} {outcome}");
            }
        }
    }
}
