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
    AddMailOutcome, BeginEmailProof, BeginEmailProofOutcome, FailedMail, MailCounts, Mails, NewMail, ProveEmail,
    ProveEmailOutcome, QueuedMail,
};
use async_trait::async_trait;
use domain::UnixMs;
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
    SET_LIMIT = "INSERT INTO mail_limits (id, per_hour) VALUES (1, $1)
        ON CONFLICT (id) DO UPDATE SET per_hour = excluded.per_hour";
    NO_LIMIT = "DELETE FROM mail_limits";
    DUE = select!("WHERE given_up_at IS NULL AND next_at <= $1 AND deadline > $1 ORDER BY next_at, id LIMIT $2");
    ALL = select!("ORDER BY created_at, id");
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
        WHERE deadline <= $1 AND given_up_at IS NULL";
    ERASE_CODES = "UPDATE mails SET sealed = '' WHERE link_expires_at <= $1 AND sealed <> ''";
    FORGET = "DELETE FROM mails WHERE given_up_at < $1";
    FORGET_COUNTS = "DELETE FROM mail_counts WHERE hour < $1";
}

struct SetLimit(Option<u32>);

impl Write for SetLimit {
    type Output = ();
    const ONE_STATEMENT: bool = true;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<()> {
        match self.0 {
            Some(per_hour) => tx.execute(SET_LIMIT, [Value::Int(per_hour.into())]).await.map(drop),
            None => tx.execute(NO_LIMIT, []).await.map(drop),
        }
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
        let values = [Value::Text(&self.id), Value::Int(self.tries.into()), Value::Int(self.until)];
        Ok(tx.execute(CLAIM, values).await? == 1)
    }
}

struct Remove(String);

impl Write for Remove {
    type Output = bool;
    const ONE_STATEMENT: bool = true;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        Ok(tx.execute(REMOVE, [Value::Text(&self.0)]).await? == 1)
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
            Value::OptInt(self.next_at),
            Value::OptInt(given_up_at),
        ];
        Ok(tx.execute(FAIL, values).await? == 1)
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
        let values = [Value::Text(&self.id), Value::Int(self.now), Value::Int(deadline(self.now, None))];
        Ok(tx.execute(RETRY, values).await? == 1)
    }
}

struct Sweep {
    now: UnixMs,
    old: UnixMs,
}

impl Write for Sweep {
    type Output = u64;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<u64> {
        let given_up = tx.execute(GIVE_UP, [Value::Int(self.now)]).await?;
        tx.execute(ERASE_CODES, [Value::Int(self.now)]).await?;
        tx.execute(FORGET, [Value::Int(self.old)]).await?;
        tx.execute(FORGET_COUNTS, [Value::Int(hour(self.now) - 1)]).await?;
        email_proofs::forget_expired(tx, self.now).await?;
        Ok(given_up)
    }
}

#[async_trait]
impl<DB: Backend> Mails for SqlStore<DB> {
    async fn set_mail_limit(&self, per_hour: Option<u32>) -> Result<()> {
        self.write(SetLimit(per_hour)).await
    }

    async fn mail_limit(&self) -> Result<Option<u32>> {
        let row = self.one(LIMIT, []).await?;
        row.map(|row| row.u32_column("mail_limits", "per_hour")).transpose()
    }

    async fn add_mail(&self, mail: &NewMail) -> Result<AddMailOutcome> {
        self.write(mail.clone()).await
    }

    async fn due_mails(&self, now: UnixMs, limit: u32) -> Result<Vec<QueuedMail>> {
        self.all(DUE, [Value::Int(now), Value::Int(limit.into())]).await?.iter().map(queued).collect()
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
        self.all(ALL, []).await?.iter().map(queued).collect()
    }

    async fn mail_counts(&self) -> Result<MailCounts> {
        let Some(row) = self.one(COUNTS, []).await? else { return Ok(MailCounts::default()) };
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
        self.write(Sweep { now, old }).await
    }

    async fn begin_email_proof(&self, begin: &BeginEmailProof) -> Result<BeginEmailProofOutcome> {
        self.write(begin.clone()).await
    }

    async fn prove_email(&self, prove: &ProveEmail) -> Result<ProveEmailOutcome> {
        self.write(prove.clone()).await
    }
}

fn queued<DB: Backend>(row: &Record<DB>) -> Result<QueuedMail> {
    Ok(QueuedMail {
        id: row.text("id")?,
        kind: row.enum_column("mails", "kind", MailKind::parse)?,
        user: row.opt_text("user_id")?,
        recipient: row.text("recipient")?,
        audit: row.opt_text("audit_id")?,
        sealed: row.text("sealed")?,
        link_expires_at: row.opt_int("link_expires_at")?,
        created_at: row.int("created_at")?,
        deadline: row.int("deadline")?,
        tries: row.u32_column("mails", "tries")?,
        next_at: row.int("next_at")?,
        failure: row.text("failure")?,
        given_up_at: row.opt_int("given_up_at")?,
    })
}
