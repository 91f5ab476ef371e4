use super::accept::forget_failures;
use super::audit::append;
use super::backend::{Backend, Value};
use super::mail_links::add_link;
use super::mail_rows::{count, limit};
use super::reservations::release;
use super::session_writes::revoke_all;
use super::statement::sql;
use super::store::SqlStore;
use super::tx::Tx;
use super::user_changes::{SET_PASSWORD, end_links_made};
use super::users::user;
use super::write::Write;
use crate::Result;
use crate::audit::AuditEntry;
use crate::mails::{AddMailOutcome, NewMail};
use crate::resets::{MailResetOutcome, Reset, Resets, UseReset};
use crate::users::User;
use async_trait::async_trait;
use domain::UnixMs;
use domain::code_hash::CodeHash;
use domain::ids::{SessionId, UserId};
use domain::mail::{FORGOTTEN_PER_HOUR, recipient_key};

/// Maximum number of open links of one maker for one account.
const MOST_OPEN: i64 = 3;

sql! {
    ADD = "INSERT INTO resets (user_id, code_hash, made_by, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)";
    // Links of one maker. Those of a person and those of an administrator must not displace each other.
    KEEP_NEWEST = "DELETE FROM resets WHERE user_id = $1 AND COALESCE(made_by, '') = $2 AND code_hash <> $3
        AND code_hash NOT IN (SELECT code_hash FROM resets WHERE user_id = $1 AND COALESCE(made_by, '') = $2
            AND code_hash <> $3 ORDER BY created_at DESC, code_hash LIMIT $4)";
    USER_OF = "SELECT u.id, u.name, u.password_hash, u.role, u.created_at, u.signed_in_at, u.disabled_at
        FROM resets r JOIN users u ON u.id = r.user_id
        WHERE r.code_hash = $1 AND r.expires_at > $2 AND u.deleted_at IS NULL";
    // Ends the person's other links too. Of two that are used at once, the second finds none.
    USE = "DELETE FROM resets WHERE user_id = $2 AND EXISTS
        (SELECT 1 FROM resets r WHERE r.code_hash = $1 AND r.user_id = $2 AND r.expires_at > $3)";
}

struct AddReset {
    reset: Reset,
    audit: AuditEntry,
    mail: Option<NewMail>,
}

impl Write for AddReset {
    type Output = AddMailOutcome;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<AddMailOutcome> {
        add(tx, &self.reset).await?;
        append(tx, &self.audit).await?;
        match &self.mail {
            Some(mail) => mail.run(tx).await,
            None => Ok(AddMailOutcome::Off),
        }
    }
}

/// Stores a link. Earlier ones of the same maker stay valid, up to [`MOST_OPEN`] in all.
pub(super) async fn add<DB: Backend>(tx: &mut Tx<'_, DB>, reset: &Reset) -> Result<()> {
    let Reset { user, code_hash, made_by, created_at, expires_at } = reset;
    let (owner, code) = (Value::Text(user.as_str()), Value::Text(code_hash.as_str()));
    let by = made_by.as_ref().map(UserId::as_str);
    let values = [owner, code, Value::OptText(by), Value::Time(*created_at), Value::Time(*expires_at)];
    tx.execute(ADD, &values).await?;
    let (owner, by) = (Value::Text(user.as_str()), Value::Text(by.unwrap_or_default()));
    tx.execute(KEEP_NEWEST, &[owner, by, Value::Text(code_hash.as_str()), Value::Int(MOST_OPEN - 1)]).await.map(drop)
}

struct MailReset {
    reset: Reset,
    audit: AuditEntry,
    mail: NewMail,
}

impl Write for MailReset {
    type Output = MailResetOutcome;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<MailResetOutcome> {
        let Some(per_hour) = limit(tx).await? else { return Ok(MailResetOutcome::Off) };
        // Counted apart from other links, because anybody can ask for these, and must not use up the number of the
        // others.
        let subject = format!("forgotten.{}", recipient_key(&self.mail.recipient));
        if !count(tx, &subject, per_hour.min(FORGOTTEN_PER_HOUR), self.reset.created_at).await? {
            return Ok(MailResetOutcome::OverLimit);
        }
        add(tx, &self.reset).await?;
        append(tx, &self.audit).await?;
        add_link(tx, &self.mail).await?;
        Ok(MailResetOutcome::Queued)
    }
}

impl Write for UseReset {
    type Output = Option<Vec<SessionId>>;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<Option<Vec<SessionId>>> {
        release(tx, &self.attempt).await?;
        let values = [Value::Text(self.code_hash.as_str()), Value::Text(self.user.as_str()), Value::Time(self.now)];
        if tx.execute(USE, &values).await? == 0
            || tx.execute(SET_PASSWORD, &[Value::Text(self.user.as_str()), Value::Text(&self.hash.0)]).await? == 0
        {
            return Ok(None);
        }
        let ended = revoke_all(tx, &self.user, None, self.now).await?;
        end_links_made(tx, &self.user, self.now).await?;
        forget_failures(tx, &self.account).await?;
        append(tx, &self.audit).await?;
        Ok(Some(ended))
    }
}

#[async_trait]
impl<DB: Backend> Resets for SqlStore<DB> {
    async fn add_reset(&self, reset: &Reset, audit: &AuditEntry) -> Result<()> {
        self.write(AddReset { reset: reset.clone(), audit: audit.clone(), mail: None }).await.map(drop)
    }

    async fn add_mailed_reset(&self, reset: &Reset, audit: &AuditEntry, mail: &NewMail) -> Result<AddMailOutcome> {
        self.write(AddReset { reset: reset.clone(), audit: audit.clone(), mail: Some(mail.clone()) }).await
    }

    async fn mail_reset(&self, reset: &Reset, audit: &AuditEntry, mail: &NewMail) -> Result<MailResetOutcome> {
        self.write(MailReset { reset: reset.clone(), audit: audit.clone(), mail: mail.clone() }).await
    }

    async fn reset_of(&self, code_hash: &CodeHash, now: UnixMs) -> Result<Option<User>> {
        self.one(USER_OF, &[Value::Text(code_hash.as_str()), Value::Time(now)]).await?.as_ref().map(user).transpose()
    }

    async fn use_reset(&self, reset: &UseReset) -> Result<Option<Vec<SessionId>>> {
        self.write(reset.clone()).await
    }

    async fn sweep_resets(&self, now: UnixMs) -> Result<u64> {
        self.sweep_resets_before(now).await
    }
}
