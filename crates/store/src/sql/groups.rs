//! Writes to groups. Each holds the lock "profiles", so that no membership is written of a group that is removed.

use super::audit::append;
use super::backend::{Backend, Value};
use super::named_locks::lock_named;
use super::sequences::{self, Sequence};
use super::statement::sql;
use super::tx::{Record, Tx};
use super::write::Write;
use crate::Result;
use crate::audit::AuditEntry;
use crate::profiles::{Group, GroupOutcome, Member};
use domain::UnixMs;
use domain::profile::GroupName;

sql! {
    ALL = "SELECT g.id, g.name, g.created_at,
            (SELECT COUNT(*) FROM group_members m WHERE m.group_id = g.id) AS members
        FROM user_groups g";
    MEMBERS = "SELECT u.id, u.name, u.name_key FROM group_members m JOIN users u ON u.id = m.user_id
        WHERE m.group_id = $1";
    BY_KEY = "SELECT id FROM user_groups WHERE name_key = $1";
    ADD = "INSERT INTO user_groups (id, name, name_key, created_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (name_key) DO NOTHING";
    OTHERS = "SELECT COUNT(*) AS n FROM user_groups WHERE name_key = $1 AND id <> $2";
    RENAME = "UPDATE user_groups SET name = $2, name_key = $3 WHERE id = $1";
    LEAVE = "DELETE FROM group_members WHERE group_id = $1";
    REMOVE = "DELETE FROM user_groups WHERE id = $1";
    // Makes the nodes drop the cached headers of every member.
    TOUCH_PROFILES = "UPDATE users SET profile_version = profile_version + 1
        WHERE id IN (SELECT user_id FROM group_members WHERE group_id = $1)";
    TOUCH_SESSIONS = "UPDATE sessions SET changed_at = $2 WHERE revoked_at IS NULL
        AND user_id IN (SELECT user_id FROM group_members WHERE group_id = $1)";
    PUBLISH_SESSIONS = "UPDATE sessions SET seq = $3 WHERE changed_at = $2
        AND user_id IN (SELECT user_id FROM group_members WHERE group_id = $1)";
}

/// Returns the id of the group with this name.
pub(super) async fn group_id<DB: Backend>(tx: &mut Tx<'_, DB>, name: &GroupName) -> Result<Option<String>> {
    tx.one(BY_KEY, &[Value::Text(&name.key())]).await?.map(|row| row.text("id")).transpose()
}

/// Adds a group. `false`: the name is taken.
pub(super) async fn insert_group<DB: Backend>(
    tx: &mut Tx<'_, DB>,
    id: &str,
    name: &GroupName,
    now: UnixMs,
) -> Result<bool> {
    let key = name.key();
    let values = [Value::Text(id), Value::Text(name.as_str()), Value::Text(&key), Value::Time(now)];
    Ok(tx.execute(ADD, &values).await? == 1)
}

async fn touch_members<DB: Backend>(tx: &mut Tx<'_, DB>, group: &str, now: UnixMs) -> Result<()> {
    tx.execute(TOUCH_PROFILES, &[Value::Text(group)]).await?;
    if tx.execute(TOUCH_SESSIONS, &[Value::Text(group), Value::Time(now)]).await? > 0 {
        let seq = sequences::next(tx, Sequence::Sessions).await?;
        tx.execute(PUBLISH_SESSIONS, &[Value::Text(group), Value::Time(now), Value::Int(seq)]).await?;
    }
    Ok(())
}

pub(super) struct AddGroup {
    pub id: String,
    pub name: GroupName,
    pub audit: AuditEntry,
    pub now: UnixMs,
}

impl Write for AddGroup {
    type Output = GroupOutcome;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<GroupOutcome> {
        lock_named(tx, "profiles", self.now).await?;
        if !insert_group(tx, &self.id, &self.name, self.now).await? {
            return Ok(GroupOutcome::NameTaken);
        }
        append(tx, &self.audit).await?;
        Ok(GroupOutcome::Done)
    }
}

pub(super) struct RenameGroup {
    pub id: String,
    pub name: GroupName,
    pub audit: AuditEntry,
    pub now: UnixMs,
}

impl Write for RenameGroup {
    type Output = GroupOutcome;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<GroupOutcome> {
        lock_named(tx, "profiles", self.now).await?;
        let (id, key) = (Value::Text(&self.id), self.name.key());
        if tx.count(OTHERS, &[Value::Text(&key), id]).await? > 0 {
            return Ok(GroupOutcome::NameTaken);
        }
        if tx.execute(RENAME, &[id, Value::Text(self.name.as_str()), Value::Text(&key)]).await? == 0 {
            return Ok(GroupOutcome::NoGroup);
        }
        touch_members(tx, &self.id, self.now).await?;
        append(tx, &self.audit).await?;
        Ok(GroupOutcome::Done)
    }
}

pub(super) struct RemoveGroup {
    pub id: String,
    pub audit: AuditEntry,
    pub now: UnixMs,
}

impl Write for RemoveGroup {
    type Output = GroupOutcome;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<GroupOutcome> {
        lock_named(tx, "profiles", self.now).await?;
        touch_members(tx, &self.id, self.now).await?;
        tx.execute(LEAVE, &[Value::Text(&self.id)]).await?;
        if tx.execute(REMOVE, &[Value::Text(&self.id)]).await? == 0 {
            return Ok(GroupOutcome::NoGroup);
        }
        append(tx, &self.audit).await?;
        Ok(GroupOutcome::Done)
    }
}

pub(super) fn group<DB: Backend>(row: &Record<DB>) -> Result<Group> {
    Ok(Group {
        id: row.text("id")?,
        name: row.enum_column("user_groups", "name", |name| GroupName::parse(name).ok())?,
        created_at: row.time("created_at")?,
        members: row.int("members")?.unsigned_abs(),
    })
}

pub(super) fn member<DB: Backend>(row: &Record<DB>) -> Result<Member> {
    Ok(Member { id: row.text("id")?.into(), username: row.text("name")? })
}
