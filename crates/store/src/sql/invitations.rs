use super::audit::append;
use super::backend::{Backend, Value};
use super::statement::sql;
use super::store::SqlStore;
use super::tx::{Record, Tx};
use super::write::Write;
use crate::Result;
use crate::audit::AuditEntry;
use crate::invitations::{Invitation, Invitations};
use crate::mails::{AddMailOutcome, NewMail};
use async_trait::async_trait;
use domain::UnixMs;
use domain::account::Role;
use domain::code_hash::CodeHash;
use domain::ids::UserId;
use domain::profile::EmailAddress;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, code_hash, role, note, made_by, created_at, expires_at, used_at, used_by, revoked_at, email
            FROM invitations ",
            $rest
        )
    };
}

sql! {
    ADD = "INSERT INTO invitations (id, code_hash, role, note, made_by, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    ALL = select!("ORDER BY created_at DESC");
    OPEN = select!("WHERE used_at IS NULL AND revoked_at IS NULL AND expires_at > $1 ORDER BY created_at DESC");
    BY_CODE = select!("WHERE code_hash = $1");
    MAILED_TO = "UPDATE invitations SET email = $2 WHERE id = $1";
    ADDRESS = "SELECT id, email FROM invitations WHERE id = $1";
    USE = "UPDATE invitations SET used_at = $2, used_by = $3, email = NULL
        WHERE id = $1 AND used_at IS NULL AND revoked_at IS NULL AND expires_at > $2";
    REVOKE = "UPDATE invitations SET revoked_at = $2, email = NULL
        WHERE id = $1 AND used_at IS NULL AND revoked_at IS NULL AND expires_at > $2";
}

/// Consumes an invitation. `false`: it is used or no longer valid.
pub(super) async fn use_up<DB: Backend>(tx: &mut Tx<'_, DB>, id: &str, user: &UserId, now: UnixMs) -> Result<bool> {
    Ok(tx.execute(USE, &[Value::Text(id), Value::Time(now), Value::Text(user.as_str())]).await? == 1)
}

/// Returns the address that an invitation was mailed to.
pub(super) async fn address<DB: Backend>(tx: &mut Tx<'_, DB>, id: &str) -> Result<Option<EmailAddress>> {
    let row = tx.one(ADDRESS, &[Value::Text(id)]).await?;
    Ok(row.as_ref().map(email).transpose()?.flatten())
}

struct AddInvitation {
    invitation: Invitation,
    audit: AuditEntry,
    mail: Option<NewMail>,
}

impl Write for AddInvitation {
    type Output = AddMailOutcome;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<AddMailOutcome> {
        let Invitation { id, code_hash, role, note, made_by, created_at, expires_at, .. } = &self.invitation;
        let values = [
            Value::Text(id),
            Value::Text(code_hash.as_str()),
            Value::Text(role.as_str()),
            Value::Text(note),
            Value::OptText(made_by.as_ref().map(UserId::as_str)),
            Value::Time(*created_at),
            Value::Time(*expires_at),
        ];
        tx.execute(ADD, &values).await?;
        append(tx, &self.audit).await?;
        let Some(mail) = &self.mail else { return Ok(AddMailOutcome::Off) };
        let outcome = mail.run(tx).await?;
        if outcome == AddMailOutcome::Queued {
            tx.execute(MAILED_TO, &[Value::Text(id), Value::Text(mail.recipient.as_str())]).await?;
        }
        Ok(outcome)
    }
}

struct RevokeInvitation {
    id: String,
    audit: AuditEntry,
    now: UnixMs,
}

impl Write for RevokeInvitation {
    type Output = bool;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let revoked = tx.execute(REVOKE, &[Value::Text(&self.id), Value::Time(self.now)]).await? == 1;
        if revoked {
            append(tx, &self.audit).await?;
        }
        Ok(revoked)
    }
}

#[async_trait]
impl<DB: Backend> Invitations for SqlStore<DB> {
    async fn add_invitation(&self, invitation: &Invitation, audit: &AuditEntry) -> Result<()> {
        self.write(AddInvitation { invitation: invitation.clone(), audit: audit.clone(), mail: None }).await.map(drop)
    }

    async fn mail_invitation(
        &self,
        invitation: &Invitation,
        audit: &AuditEntry,
        mail: &NewMail,
    ) -> Result<AddMailOutcome> {
        let mail = Some(mail.clone());
        self.write(AddInvitation { invitation: invitation.clone(), audit: audit.clone(), mail }).await
    }

    async fn invitations(&self) -> Result<Vec<Invitation>> {
        self.all(ALL, &[]).await?.iter().map(invitation).collect()
    }

    async fn open_invitations(&self, now: UnixMs) -> Result<Vec<Invitation>> {
        self.all(OPEN, &[Value::Time(now)]).await?.iter().map(invitation).collect()
    }

    async fn invitation_by_code(&self, code_hash: &CodeHash) -> Result<Option<Invitation>> {
        self.one(BY_CODE, &[Value::Text(code_hash.as_str())]).await?.as_ref().map(invitation).transpose()
    }

    async fn revoke_invitation(&self, id: &str, audit: &AuditEntry, now: UnixMs) -> Result<bool> {
        self.write(RevokeInvitation { id: id.to_owned(), audit: audit.clone(), now }).await
    }

    async fn sweep_invitations(&self, before: UnixMs) -> Result<u64> {
        self.sweep_invitations_before(before).await
    }
}

fn invitation<DB: Backend>(row: &Record<DB>) -> Result<Invitation> {
    Ok(Invitation {
        id: row.text("id")?,
        code_hash: CodeHash::stored(row.text("code_hash")?),
        role: row.enum_column("invitations", "role", Role::parse)?,
        note: row.text("note")?,
        made_by: row.opt_text("made_by")?.map(Into::into),
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
        used_at: row.opt_time("used_at")?,
        used_by: row.opt_text("used_by")?.map(Into::into),
        revoked_at: row.opt_time("revoked_at")?,
        email: email(row)?,
    })
}

fn email<DB: Backend>(row: &Record<DB>) -> Result<Option<EmailAddress>> {
    let Some(_) = row.opt_text("email")? else { return Ok(None) };
    row.enum_column("invitations", "email", |address| EmailAddress::parse(address).ok()).map(Some)
}
