//! The queue of messages.

use super::backend::{Backend, Value};
use super::email_proofs;
use super::mail_links::add_link;
use super::mail_rows::{LIMIT, count, limit};
use super::statement::sql;
use super::store::SqlStore;
use super::tx::{Record, Tx};
use super::write::Write;
use crate::Result;
use crate::mails::{
    AddMailOutcome, BeginEmailProof, BeginEmailProofOutcome, FailedMail, LIMIT_KEPT_MS, MOST_LISTED, MailCounts, Mails,
    NewMail, ProveEmail, ProveEmailOutcome, QueuedMail,
};
use async_trait::async_trait;
use domain::UnixMs;
use domain::code_hash::CodeHash;
use domain::ids::UserId;
use domain::mail::{MailKind, deadline, hour, recipient_key};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, kind, user_id, recipient, audit_id, sealed, link_expires_at, created_at, deadline, tries,
                next_at, failure, given_up_at FROM mails ",
            $rest
        )
    };
}

sql! {
    SET_LIMIT = "INSERT INTO mail_limits (id, per_hour, renewed_at) VALUES (1, $1, $2)
        ON CONFLICT (id) DO UPDATE SET per_hour = excluded.per_hour, renewed_at = excluded.renewed_at";
    OLD_LIMIT = "DELETE FROM mail_limits WHERE renewed_at <= $1";
    DUE = select!("WHERE given_up_at IS NULL AND next_at <= $1 AND deadline > $1 ORDER BY next_at, id LIMIT $2");
    OLDEST = select!("ORDER BY created_at, id LIMIT $1");
    GIVEN_UP = select!("WHERE given_up_at IS NOT NULL ORDER BY given_up_at, id LIMIT $1");
    COUNTS = "SELECT COUNT(*) AS n, COUNT(given_up_at) AS given_up FROM mails";
    CLAIM = "UPDATE mails SET tries = tries + 1, next_at = $3 WHERE id = $1 AND tries = $2 AND given_up_at IS NULL";
    REMOVE = "DELETE FROM mails WHERE id = $1";
    FAIL = "UPDATE mails SET failure = $3, next_at = COALESCE($4, next_at), given_up_at = $5
        WHERE id = $1 AND tries = $2 AND given_up_at IS NULL";
    RETRY = "UPDATE mails SET given_up_at = NULL, next_at = $2,
            deadline = CASE WHEN link_expires_at < $3 THEN link_expires_at ELSE $3 END
        WHERE id = $1 AND (link_expires_at IS NULL OR link_expires_at > $2 AND sealed <> '')";
    GIVE_UP = "UPDATE mails SET given_up_at = $1,
            failure = CASE WHEN failure = '' THEN 'no attempt was made in time' ELSE failure END
        WHERE deadline <= $1 AND given_up_at IS NULL
            AND id IN (SELECT id FROM mails WHERE deadline <= $1 AND given_up_at IS NULL LIMIT $2)";
    ERASE_CODES = "UPDATE mails SET sealed = '' WHERE link_expires_at <= $1 AND sealed <> ''
        AND id IN (SELECT id FROM mails WHERE link_expires_at <= $1 AND sealed <> '' LIMIT $2)";
    FORGET = "DELETE FROM mails WHERE given_up_at IS NOT NULL AND given_up_at < $1
        AND id IN (SELECT id FROM mails WHERE given_up_at IS NOT NULL AND given_up_at < $1 LIMIT $2)";
    FORGET_COUNTS = "DELETE FROM mail_counts WHERE hour < $1
        AND (subject, hour) IN (SELECT subject, hour FROM mail_counts WHERE hour < $1 LIMIT $2)";
}

struct RenewLimit {
    per_hour: u32,
    now: UnixMs,
}

impl Write for RenewLimit {
    type Output = ();
    const ONE_STATEMENT: bool = true;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<()> {
        tx.execute(SET_LIMIT, &[Value::Int(self.per_hour.into()), Value::Time(self.now)]).await.map(drop)
    }
}

struct ForgetLimit(UnixMs);

impl Write for ForgetLimit {
    type Output = ();
    const ONE_STATEMENT: bool = true;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<()> {
        tx.execute(OLD_LIMIT, &[Value::Time(self.0)]).await.map(drop)
    }
}

impl Write for NewMail {
    type Output = AddMailOutcome;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<AddMailOutcome> {
        let Some(per_hour) = limit(tx).await? else { return Ok(AddMailOutcome::Off) };
        if !count(tx, &recipient_key(&self.recipient), per_hour, self.now).await? {
            return Ok(AddMailOutcome::OverLimit);
        }
        add_link(tx, self).await?;
        Ok(AddMailOutcome::Queued)
    }
}

struct Claim {
    id: String,
    tries: u32,
    until: UnixMs,
}

impl Write for Claim {
    type Output = bool;
    const ONE_STATEMENT: bool = true;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let values = [Value::Text(&self.id), Value::Int(self.tries.into()), Value::Time(self.until)];
        Ok(tx.execute(CLAIM, &values).await? == 1)
    }
}

struct Remove(String);

impl Write for Remove {
    type Output = bool;
    const ONE_STATEMENT: bool = true;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        Ok(tx.execute(REMOVE, &[Value::Text(&self.0)]).await? == 1)
    }
}

impl Write for FailedMail {
    type Output = bool;
    const ONE_STATEMENT: bool = true;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let given_up_at = self.next_at.is_none().then_some(self.now);
        let values = [
            Value::Text(&self.id),
            Value::Int(self.tries.into()),
            Value::Text(&self.failure),
            Value::OptTime(self.next_at),
            Value::OptTime(given_up_at),
        ];
        Ok(tx.execute(FAIL, &values).await? == 1)
    }
}

struct Retry {
    id: String,
    now: UnixMs,
}

impl Write for Retry {
    type Output = bool;
    const ONE_STATEMENT: bool = true;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let values = [Value::Text(&self.id), Value::Time(self.now), Value::Time(deadline(self.now, None))];
        Ok(tx.execute(RETRY, &values).await? == 1)
    }
}

#[async_trait]
impl<DB: Backend> Mails for SqlStore<DB> {
    async fn renew_mail_limit(&self, per_hour: u32, now: UnixMs) -> Result<()> {
        self.write(RenewLimit { per_hour, now }).await
    }

    async fn mail_limit(&self) -> Result<Option<u32>> {
        let row = self.one(LIMIT, &[]).await?;
        row.map(|row| row.u32_column("mail_limits", "per_hour")).transpose()
    }

    async fn add_mail(&self, mail: &NewMail) -> Result<AddMailOutcome> {
        self.write(mail.clone()).await
    }

    async fn due_mails(&self, now: UnixMs, limit: u32) -> Result<Vec<QueuedMail>> {
        self.all(DUE, &[Value::Time(now), Value::Int(limit.into())]).await?.iter().map(queued).collect()
    }

    async fn claim_mail(&self, mail: &QueuedMail, until: UnixMs) -> Result<bool> {
        self.write(Claim { id: mail.id.clone(), tries: mail.tries, until }).await
    }

    async fn finish_mail(&self, id: &str) -> Result<bool> {
        self.write(Remove(id.to_owned())).await
    }

    async fn fail_mail(&self, failed: &FailedMail) -> Result<bool> {
        self.write(failed.clone()).await
    }

    async fn mails(&self) -> Result<Vec<QueuedMail>> {
        self.all(OLDEST, &[Value::Int(MOST_LISTED)]).await?.iter().map(queued).collect()
    }

    async fn mails_given_up(&self) -> Result<Vec<QueuedMail>> {
        self.all(GIVEN_UP, &[Value::Int(MOST_LISTED)]).await?.iter().map(queued).collect()
    }

    async fn mail_counts(&self) -> Result<MailCounts> {
        let Some(row) = self.one(COUNTS, &[]).await? else { return Ok(MailCounts::default()) };
        let count = |column| row.int(column).map(i64::unsigned_abs);
        let given_up = count("given_up")?;
        Ok(MailCounts { waiting: count("n")?.saturating_sub(given_up), given_up })
    }

    async fn retry_mail(&self, id: &str, now: UnixMs) -> Result<bool> {
        self.write(Retry { id: id.to_owned(), now }).await
    }

    async fn drop_mail(&self, id: &str) -> Result<bool> {
        self.write(Remove(id.to_owned())).await
    }

    async fn sweep_mails(&self, now: UnixMs, old: UnixMs) -> Result<u64> {
        let given_up = self.sweep(GIVE_UP, now).await?;
        self.sweep(ERASE_CODES, now).await?;
        self.sweep(FORGET, old).await?;
        self.sweep_below(FORGET_COUNTS, hour(now) - 1).await?;
        self.sweep(email_proofs::EXPIRED, now).await?;
        self.write(ForgetLimit(now - LIMIT_KEPT_MS)).await?;
        Ok(given_up)
    }

    async fn begin_email_proof(&self, begin: &BeginEmailProof) -> Result<BeginEmailProofOutcome> {
        self.write(begin.clone()).await
    }

    async fn is_email_proof(&self, user: &UserId, code_hash: &CodeHash, now: UnixMs) -> Result<bool> {
        let link = [Value::Text(user.as_str()), Value::Text(code_hash.as_str()), Value::Time(now)];
        Ok(self.one(email_proofs::UNPROVED, &link).await?.is_some())
    }

    async fn prove_email(&self, prove: &ProveEmail) -> Result<ProveEmailOutcome> {
        self.write(prove.clone()).await
    }
}

fn queued<DB: Backend>(row: &Record<DB>) -> Result<QueuedMail> {
    Ok(QueuedMail {
        id: row.text("id")?,
        kind: row.enum_column("mails", "kind", MailKind::parse)?,
        user: row.opt_text("user_id")?.map(Into::into),
        recipient: row.text("recipient")?,
        audit: row.opt_text("audit_id")?,
        sealed: row.text("sealed")?,
        link_expires_at: row.opt_time("link_expires_at")?,
        created_at: row.time("created_at")?,
        deadline: row.time("deadline")?,
        tries: row.u32_column("mails", "tries")?,
        next_at: row.time("next_at")?,
        failure: row.text("failure")?,
        given_up_at: row.opt_time("given_up_at")?,
    })
}
