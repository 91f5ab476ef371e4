use super::audit::append;
use super::backend::{Backend, Value};
use super::groups::{group_id, insert_group};
use super::mail_links::add_link;
use super::mail_rows::{count, limit};
use super::named_locks::lock_named;
use super::names::{HOLDERS, is_confusable};
use super::profiles::{email_of, is_email_taken, write_groups, write_profile};
use super::resets::add as add_reset;
use super::statement::sql;
use super::store::SqlStore;
use super::tx::Tx;
use super::write::Write;
use crate::imports::{Conflicting, Import, ImportOutcome, ImportUser, Imports};
use crate::users::AddUserOutcome;
use crate::{Error, Result};
use async_trait::async_trait;
use domain::account::AccountName;
use domain::mail::recipient_key;
use domain::profile::EmailAddress;

sql! {
    // Those of one imported account: the same name, a name that looks like it, or the same reliable address.
    CONFLICTING = "SELECT id, name, email, email_state FROM users WHERE name_key = $1 AND deleted_at IS NULL
        UNION SELECT id, name, email, email_state FROM users WHERE skeleton = $2 AND deleted_at IS NULL
        UNION SELECT id, name, email, email_state FROM users
            WHERE email_key = $3 AND email_state IN ('vouched_for', 'proved') AND deleted_at IS NULL";
    MARK = "UPDATE users SET imported_parameters = $2, disabled_at = $3 WHERE id = $1";
}

impl Write for Import {
    type Output = ImportOutcome;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<ImportOutcome> {
        // Every write that takes both locks takes them in this order, otherwise two could deadlock. Under them no other
        // write takes a name or an address, so the checks still hold at the write.
        lock_named(tx, "new user", self.now).await?;
        lock_named(tx, "profiles", self.now).await?;
        for one in &self.users {
            if is_taken(tx, one).await? {
                return Ok(ImportOutcome::Taken(one.user.name.to_string()));
            }
        }
        let per_hour = limit(tx).await?;
        if per_hour.is_none() && self.users.iter().any(|one| one.mail.is_some()) {
            return Ok(ImportOutcome::MailOff);
        }
        let mut made = Vec::new();
        for (id, name, audit) in &self.groups {
            if insert_group(tx, id, name, self.now).await? {
                append(tx, audit).await?;
                made.push(name.clone());
            }
        }
        for one in &self.users {
            self.write_one(tx, one, per_hour).await?;
        }
        Ok(ImportOutcome::Done { groups: made })
    }
}

async fn is_taken<DB: Backend>(tx: &mut Tx<'_, DB>, one: &ImportUser) -> Result<bool> {
    let (id, name) = (&one.user.id, &one.user.name);
    if tx.count(HOLDERS, &[Value::Text(name.key()), Value::Text(id.as_str())]).await? > 0
        || is_confusable(tx, &name.skeleton(), id).await?
    {
        return Ok(true);
    }
    match &one.email {
        Some(email) if email.state.is_reliable() => is_email_taken(tx, &email.address, id).await,
        _ => Ok(false),
    }
}

impl Import {
    /// `per_hour`: the limit of messages to an address.
    async fn write_one<DB: Backend>(&self, tx: &mut Tx<'_, DB>, one: &ImportUser, per_hour: Option<i64>) -> Result<()> {
        let id = &one.user.id;
        // Similar names within one import were refused before. Otherwise this rolls everything back.
        if one.user.run(tx).await? != AddUserOutcome::Added {
            return Err(Error::Inconsistent { table: "users", column: "name", row: one.user.name.to_string() });
        }
        write_profile(tx, id, one.display_name.as_ref(), one.email.as_ref()).await?;
        let mut groups = Vec::with_capacity(one.groups.len());
        for name in &one.groups {
            groups.extend(group_id(tx, name).await?);
        }
        write_groups(tx, id, &groups).await?;
        let disabled = Value::OptTime(one.disabled.then_some(self.now));
        let parameters = Value::OptText(one.imported_parameters.as_deref());
        tx.execute(MARK, &[Value::Text(id.as_str()), parameters, disabled]).await?;
        if let Some((reset, audit)) = &one.reset {
            add_reset(tx, reset).await?;
            append(tx, audit).await?;
        }
        if let (Some(mail), Some(per_hour)) = (&one.mail, per_hour) {
            // It counts, but no limit refuses it: the account is new, and would have no other way to its link.
            count(tx, &recipient_key(&mail.recipient), per_hour, self.now).await?;
            add_link(tx, mail).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl<DB: Backend> Imports for SqlStore<DB> {
    async fn import(&self, import: &Import) -> Result<ImportOutcome> {
        self.write(import.clone()).await
    }

    async fn conflicting(&self, name: &AccountName, email: Option<&EmailAddress>) -> Result<Vec<Conflicting>> {
        let (skeleton, email) = (name.skeleton(), email.map(EmailAddress::key));
        let values = [Value::Text(name.key()), Value::Text(&skeleton), Value::OptText(email.as_deref())];
        let mut accounts = Vec::new();
        for row in self.all(CONFLICTING, &values).await? {
            let name = row.text("name")?;
            accounts.push(Conflicting { name, email: email_of(&row)?.filter(|email| email.state.is_reliable()) });
        }
        Ok(accounts)
    }
}
