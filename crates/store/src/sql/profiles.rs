use super::audit::append;
use super::backend::{Backend, Value};
use super::groups;
use super::groups::{AddGroup, RemoveGroup, RenameGroup, group, group_id, member};
use super::mail_links::end_mailed_links;
use super::mail_rows::notify;
use super::named_locks::lock_named;
use super::session_writes::mark_sessions;
use super::statement::sql;
use super::store::SqlStore;
use super::tx::{Record, Tx};
use super::write::Write;
use crate::Result;
use crate::audit::{AuditEntry, AuditEvent};
use crate::profiles::{Change, Group, GroupOutcome, Member, Profile, Profiles, SetProfile, SetProfileOutcome};
use async_trait::async_trait;
use domain::UnixMs;
use domain::account::name_key;
use domain::ids::UserId;
use domain::profile::{DisplayName, Email, EmailAddress, EmailState, GroupName};

sql! {
    ONE = "SELECT id, display_name, email, email_state, profile_version FROM users
        WHERE id = $1 AND deleted_at IS NULL";
    GROUPS_OF = "SELECT g.name FROM group_members m JOIN user_groups g ON g.id = m.group_id WHERE m.user_id = $1";
    GROUP_IDS_OF = "SELECT group_id FROM group_members WHERE user_id = $1";
    SET = "UPDATE users SET display_name = $2, email = $3, email_key = $4, email_state = $5,
            display_key = $6, profile_version = profile_version + 1
        WHERE id = $1 AND deleted_at IS NULL";
    EMAIL_TAKEN = "SELECT COUNT(*) AS n FROM users
        WHERE email_key = $1 AND email_state IN ('vouched_for', 'proved') AND id <> $2";
    LEAVE_ALL = "DELETE FROM group_members WHERE user_id = $1";
    JOIN = "INSERT INTO group_members (group_id, user_id) VALUES ($1, $2) ON CONFLICT (group_id, user_id) DO NOTHING";
}

/// Returns whether another account has this address, proved or vouched for. The caller holds the lock "profiles".
/// Otherwise two accounts could take one address at the same time, and the unique index would fail one of them.
pub(super) async fn is_email_taken<DB: Backend>(
    tx: &mut Tx<'_, DB>,
    address: &EmailAddress,
    user: &UserId,
) -> Result<bool> {
    Ok(tx.count(EMAIL_TAKEN, &[Value::Text(&address.key()), Value::Text(user.as_str())]).await? > 0)
}

/// Writes the fields of a profile. The caller holds the lock "profiles". `false`: no such account.
pub(super) async fn write_profile<DB: Backend>(
    tx: &mut Tx<'_, DB>,
    user: &UserId,
    display_name: Option<&DisplayName>,
    email: Option<&Email>,
) -> Result<bool> {
    let key = email.map(|email| email.address.key());
    let display_key = display_name.map(|name| name_key(name.as_str()));
    let values = [
        Value::Text(user.as_str()),
        Value::OptText(display_name.map(DisplayName::as_str)),
        Value::OptText(email.map(|email| email.address.as_str())),
        Value::OptText(key.as_deref()),
        Value::OptText(email.map(|email| email.state.as_str())),
        Value::OptText(display_key.as_deref()),
    ];
    Ok(tx.execute(SET, &values).await? == 1)
}

/// Makes these groups the account's only ones. The caller holds the lock "profiles".
pub(super) async fn write_groups<DB: Backend>(tx: &mut Tx<'_, DB>, user: &UserId, groups: &[String]) -> Result<()> {
    tx.execute(LEAVE_ALL, &[Value::Text(user.as_str())]).await?;
    for group in groups {
        tx.execute(JOIN, &[Value::Text(group), Value::Text(user.as_str())]).await?;
    }
    Ok(())
}

/// Removes the memberships of an account.
pub(super) async fn leave_groups<DB: Backend>(tx: &mut Tx<'_, DB>, user: &UserId) -> Result<()> {
    tx.execute(LEAVE_ALL, &[Value::Text(user.as_str())]).await.map(drop)
}

impl Write for SetProfile {
    type Output = SetProfileOutcome;

    fn audit(&self) -> Option<&AuditEntry> {
        // All rows of one change have the same actor.
        self.audit.first()
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<SetProfileOutcome> {
        lock_named(tx, "profiles", self.now).await?;
        let Some(row) = tx.one(ONE, &[Value::Text(self.user.as_str())]).await? else {
            return Ok(SetProfileOutcome::NoUser);
        };
        let before = fields(&row)?;
        let display_name = changed(before.display_name.clone(), &self.display_name);
        let email = changed(before.email.clone(), &self.email);
        // A person who writes the present address again has not lost its state.
        let email = email.map(|email| match &before.email {
            Some(present) if !email.state.is_reliable() && present.address.key() == email.address.key() => {
                Email { state: present.state, ..email }
            }
            _ => email,
        });
        if let Some(email) = &email
            && email.state.is_reliable()
            && is_email_taken(tx, &email.address, &self.user).await?
        {
            return Ok(SetProfileOutcome::EmailTaken);
        }
        let mut is_new = display_name != before.display_name || email != before.email;
        if let Some(names) = &self.groups {
            let mut ids = Vec::with_capacity(names.len());
            for name in names {
                match group_id(tx, name).await? {
                    Some(id) => ids.push(id),
                    None => return Ok(SetProfileOutcome::NoGroup(name.clone())),
                }
            }
            ids.sort();
            ids.dedup();
            let mut present = Vec::new();
            for row in tx.all(GROUP_IDS_OF, &[Value::Text(self.user.as_str())]).await? {
                present.push(row.text("group_id")?);
            }
            present.sort();
            if ids != present {
                write_groups(tx, &self.user, &ids).await?;
                is_new = true;
            }
        }
        if !is_new {
            return Ok(SetProfileOutcome::Done);
        }
        write_profile(tx, &self.user, display_name.as_ref(), email.as_ref()).await?;
        mark_sessions(tx, &self.user, self.now).await?;
        for entry in &self.audit {
            append(tx, entry).await?;
        }
        let key = |email: &Option<Email>| email.as_ref().map(|email| email.address.key());
        if key(&before.email) != key(&email) {
            // Links that went to the earlier mailbox, or wait to go there, are of another person now.
            end_mailed_links(tx, &self.user).await?;
            self.notify_earlier_address(tx, before.email.as_ref()).await?;
        }
        Ok(SetProfileOutcome::Done)
    }
}

impl SetProfile {
    /// Tells the owner at the earlier address, because notices go elsewhere from now on, or nowhere.
    async fn notify_earlier_address<DB: Backend>(&self, tx: &mut Tx<'_, DB>, before: Option<&Email>) -> Result<()> {
        let Some(before) = before.filter(|before| before.state.is_reliable()) else { return Ok(()) };
        match self.audit.iter().find(|entry| entry.event == AuditEvent::ProfileChanged) {
            Some(entry) => notify(tx, entry, &before.address).await,
            None => Ok(()),
        }
    }
}

fn changed<T: Clone>(before: Option<T>, change: &Change<T>) -> Option<T> {
    match change {
        Change::Keep => before,
        Change::Clear => None,
        Change::Set(value) => Some(value.clone()),
    }
}

#[async_trait]
impl<DB: Backend> Profiles for SqlStore<DB> {
    async fn profile(&self, user: &UserId) -> Result<Option<Profile>> {
        // The version is read first, so that it is never newer than the memberships.
        let Some(row) = self.one(ONE, &[Value::Text(user.as_str())]).await? else { return Ok(None) };
        let mut profile = fields(&row)?;
        for row in self.all(GROUPS_OF, &[Value::Text(user.as_str())]).await? {
            profile.groups.push(row.enum_column("user_groups", "name", |name| GroupName::parse(name).ok())?);
        }
        profile.groups.sort_by_key(GroupName::key);
        Ok(Some(profile))
    }

    async fn set_profile(&self, change: &SetProfile) -> Result<SetProfileOutcome> {
        self.write(change.clone()).await
    }

    async fn groups(&self) -> Result<Vec<Group>> {
        let mut all = self.all(groups::ALL, &[]).await?.iter().map(group).collect::<Result<Vec<_>>>()?;
        all.sort_by_key(|group| group.name.key());
        Ok(all)
    }

    async fn group_members(&self, group: &str) -> Result<Vec<Member>> {
        let rows = self.all(groups::MEMBERS, &[Value::Text(group)]).await?;
        let mut members =
            rows.iter().map(|row| Ok((row.text("name_key")?, member(row)?))).collect::<Result<Vec<_>>>()?;
        members.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(members.into_iter().map(|(_, member)| member).collect())
    }

    async fn add_group(&self, id: &str, name: &GroupName, audit: &AuditEntry, now: UnixMs) -> Result<GroupOutcome> {
        self.write(AddGroup { id: id.to_owned(), name: name.clone(), audit: audit.clone(), now }).await
    }

    async fn rename_group(&self, id: &str, name: &GroupName, audit: &AuditEntry, now: UnixMs) -> Result<GroupOutcome> {
        self.write(RenameGroup { id: id.to_owned(), name: name.clone(), audit: audit.clone(), now }).await
    }

    async fn remove_group(&self, id: &str, audit: &AuditEntry, now: UnixMs) -> Result<GroupOutcome> {
        self.write(RemoveGroup { id: id.to_owned(), audit: audit.clone(), now }).await
    }
}

/// Reads a profile without its groups.
fn fields<DB: Backend>(row: &Record<DB>) -> Result<Profile> {
    let display_name = match row.opt_text("display_name")? {
        Some(_) => Some(row.enum_column("users", "display_name", |name| DisplayName::parse(name).ok())?),
        None => None,
    };
    let email = email_of(row)?;
    Ok(Profile { display_name, email, groups: Vec::new(), version: row.int("profile_version")? })
}

/// Reads the columns of an e-mail address.
pub(super) fn email_of<DB: Backend>(row: &Record<DB>) -> Result<Option<Email>> {
    if row.opt_text("email")?.is_none() {
        return Ok(None);
    }
    let address = row.enum_column("users", "email", |address| EmailAddress::parse(address).ok())?;
    Ok(Some(Email { address, state: row.enum_column("users", "email_state", EmailState::parse)? }))
}
