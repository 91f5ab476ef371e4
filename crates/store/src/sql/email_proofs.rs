//! Links that prove an e-mail address.

use super::audit::append;
use super::backend::{Backend, Value};
use super::mail_links::add_link;
use super::mail_rows::{count, limit};
use super::named_locks::lock_named;
use super::profiles::is_email_taken;
use super::session_writes::mark_sessions;
use super::statement::sql;
use super::tx::Tx;
use super::write::Write;
use crate::Result;
use crate::audit::AuditEntry;
use crate::mails::{BeginEmailProof, BeginEmailProofOutcome, ProveEmail, ProveEmailOutcome};
use domain::mail::{account_key, recipient_key};
use domain::profile::EmailAddress;

sql! {
    IS_UNPROVED = "SELECT COUNT(*) AS n FROM users
        WHERE id = $1 AND email_key = $2 AND email_state = 'unproved' AND deleted_at IS NULL";
    REPLACE = "INSERT INTO email_proofs (user_id, email_key, code_hash, expires_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (user_id) DO UPDATE SET email_key = excluded.email_key, code_hash = excluded.code_hash,
            expires_at = excluded.expires_at";
    UNPROVED = "SELECT u.email FROM email_proofs p JOIN users u ON u.id = p.user_id
        WHERE p.user_id = $1 AND p.code_hash = $2 AND p.expires_at > $3 AND u.email_key = p.email_key
            AND u.email_state = 'unproved' AND u.disabled_at IS NULL AND u.deleted_at IS NULL";
    USE = "DELETE FROM email_proofs WHERE user_id = $1 AND code_hash = $2 AND expires_at > $3";
    PROVE = "UPDATE users SET email_state = 'proved', profile_version = profile_version + 1
        WHERE id = $1 AND email_key = $2 AND email_state = 'unproved' AND disabled_at IS NULL AND deleted_at IS NULL";
    EXPIRED = "DELETE FROM email_proofs WHERE expires_at <= $1
        AND user_id IN (SELECT user_id FROM email_proofs WHERE expires_at <= $1 LIMIT $2)";
}

impl Write for BeginEmailProof {
    type Output = BeginEmailProofOutcome;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<BeginEmailProofOutcome> {
        let now = self.mail.now;
        lock_named(tx, "profiles", now).await?;
        let Some(per_hour) = limit(tx).await? else { return Ok(BeginEmailProofOutcome::Off) };
        let (user, key) = (Value::Text(self.user.as_str()), self.mail.recipient.key());
        if tx.count(IS_UNPROVED, &[user, Value::Text(&key)]).await? == 0 {
            return Ok(BeginEmailProofOutcome::NotUnproved);
        }
        // Counted by account too, because its owner may enter other people's addresses.
        for subject in [account_key(&self.user), recipient_key(&self.mail.recipient)] {
            if !count(tx, &subject, per_hour, now).await? {
                return Ok(BeginEmailProofOutcome::OverLimit);
            }
        }
        let values =
            [user, Value::Text(&key), Value::Text(self.code_hash.as_str()), Value::Time(self.mail.link_expires_at)];
        tx.execute(REPLACE, &values).await?;
        add_link(tx, &self.mail).await?;
        Ok(BeginEmailProofOutcome::Queued)
    }
}

impl Write for ProveEmail {
    type Output = ProveEmailOutcome;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<ProveEmailOutcome> {
        lock_named(tx, "profiles", self.now).await?;
        let link = [Value::Text(self.user.as_str()), Value::Text(self.code_hash.as_str()), Value::Time(self.now)];
        let Some(row) = tx.one(UNPROVED, &link).await? else { return Ok(ProveEmailOutcome::UsedUp) };
        let address = row.enum_column("users", "email", |address| EmailAddress::parse(address).ok())?;
        if is_email_taken(tx, &address, &self.user).await? {
            return Ok(ProveEmailOutcome::EmailTaken);
        }
        if tx.execute(USE, &link).await? == 0
            || tx.execute(PROVE, &[Value::Text(self.user.as_str()), Value::Text(&address.key())]).await? == 0
        {
            return Ok(ProveEmailOutcome::UsedUp);
        }
        mark_sessions(tx, &self.user, self.now).await?;
        append(tx, &self.audit).await?;
        Ok(ProveEmailOutcome::Proved)
    }
}
