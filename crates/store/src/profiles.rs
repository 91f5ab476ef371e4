//! People's profiles and groups.

use crate::Result;
use crate::audit::AuditEntry;
use async_trait::async_trait;
use domain::UnixMs;
use domain::ids::UserId;
use domain::profile::{DisplayName, Email, GroupName};

/// The profile of an account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profile {
    pub display_name: Option<DisplayName>,
    pub email: Option<Email>,
    /// The names of the account's groups, sorted by key.
    pub groups: Vec<GroupName>,
    /// Increases with each change. It is never newer than the other fields.
    pub version: i64,
}

/// A change of one field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Change<T> {
    #[default]
    Keep,
    Clear,
    Set(T),
}

/// A change of a profile.
#[derive(Debug, Clone)]
pub struct SetProfile {
    pub user: UserId,
    pub display_name: Change<DisplayName>,
    pub email: Change<Email>,
    /// Exactly these groups; `None`: no change.
    pub groups: Option<Vec<GroupName>>,
    /// One row for each kind of change; written only if something changed.
    pub audit: Vec<AuditEntry>,
    pub now: UnixMs,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetProfileOutcome {
    Done,
    NoUser,
    /// Another account has this address, proved or vouched for.
    EmailTaken,
    /// No group has this name.
    NoGroup(GroupName),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// ULID.
    pub id: String,
    pub name: GroupName,
    pub created_at: UnixMs,
    /// Number of accounts in it.
    pub members: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupOutcome {
    Done,
    NoGroup,
    /// Another group has this name.
    NameTaken,
}

/// An account in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub id: UserId,
    pub username: String,
}

#[async_trait]
pub trait Profiles {
    /// Returns a profile; `None`: no such account.
    async fn profile(&self, user: &UserId) -> Result<Option<Profile>>;
    /// Changes a profile. An unproved address that is the present one keeps its state. Every node refreshes the
    /// account's identity headers within a second.
    async fn set_profile(&self, change: &SetProfile) -> Result<SetProfileOutcome>;
    /// Returns all groups by name.
    async fn groups(&self) -> Result<Vec<Group>>;
    /// Returns the accounts of a group by name.
    async fn group_members(&self, group: &str) -> Result<Vec<Member>>;
    /// Adds a group. `id`: the new group's id.
    async fn add_group(&self, id: &str, name: &GroupName, audit: &AuditEntry, now: UnixMs) -> Result<GroupOutcome>;
    async fn rename_group(&self, id: &str, name: &GroupName, audit: &AuditEntry, now: UnixMs) -> Result<GroupOutcome>;
    /// Removes a group with its memberships.
    async fn remove_group(&self, id: &str, audit: &AuditEntry, now: UnixMs) -> Result<GroupOutcome>;
}
