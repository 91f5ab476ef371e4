//! Profiles and groups: changed by administrators, and in part by their owners.

use super::actor::Actor;
use crate::audit;
use crate::client::Client;
use crate::state::{CoreState, SessionState};
use domain::ids::{SessionId, UserId};
use domain::profile::{
    DisplayName, Email, EmailAddress, EmailState, GroupName, InvalidDisplayName, InvalidEmailAddress, InvalidGroupName,
    MAX_GROUPS, MAX_GROUPS_BYTES, fit_one_account,
};
use store::Store;
use store::audit::{AuditEntry, AuditEvent, EMAIL};
use store::profiles::{Change, Group, GroupOutcome, SetProfile, SetProfileOutcome};
use wire::account;

/// The reason why a profile or a group was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    #[error(transparent)]
    DisplayName(#[from] InvalidDisplayName),
    #[error(transparent)]
    Email(#[from] InvalidEmailAddress),
    #[error(transparent)]
    GroupName(#[from] InvalidGroupName),
    #[error("an account is in at most {MAX_GROUPS} groups with {MAX_GROUPS_BYTES} bytes of names")]
    TooManyGroups,
    #[error("no group is named {0}: make it first")]
    UnknownGroup(GroupName),
    #[error("another account has this e-mail address")]
    EmailTaken,
    #[error("there is no such account")]
    NoUser,
    #[error("there is no such group")]
    NoGroup,
    #[error("another group has this name")]
    GroupTaken,
    #[error("the settings require a second factor of the group {0}: remove it from [second_factor] first")]
    GroupRequired(GroupName),
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// The wanted changes, as written. An empty text removes the value.
#[derive(Debug, Clone, Default)]
pub struct ProfileEdit<'a> {
    pub display_name: Option<&'a str>,
    pub email: Option<&'a str>,
    /// The names of exactly these groups.
    pub groups: Option<&'a [String]>,
}

impl ProfileEdit<'_> {
    pub fn is_empty(&self) -> bool {
        self.display_name.is_none() && self.email.is_none() && self.groups.is_none()
    }

    /// Checks the texts. `entry` makes an audit row.
    fn read(
        &self,
        user: &UserId,
        state: EmailState,
        now: domain::UnixMs,
        entry: impl Fn(AuditEvent, String) -> AuditEntry,
    ) -> Result<SetProfile, ProfileError> {
        let display_name = match self.display_name.map(str::trim) {
            None => Change::Keep,
            Some("") => Change::Clear,
            Some(text) => Change::Set(DisplayName::parse_new(text)?),
        };
        let email = match self.email.map(str::trim) {
            None => Change::Keep,
            Some("") => Change::Clear,
            Some(text) => Change::Set(Email { address: EmailAddress::parse(text)?, state }),
        };
        let groups = self.groups.map(names).transpose()?;
        let mut audit = Vec::new();
        let fields = [("display name", self.display_name), (EMAIL, self.email)];
        let fields: Vec<_> = fields.iter().filter(|(_, text)| text.is_some()).map(|(field, _)| *field).collect();
        if !fields.is_empty() {
            audit.push(entry(AuditEvent::ProfileChanged, fields.join(", ")));
        }
        if let Some(groups) = &groups {
            let listed: Vec<_> = groups.iter().map(GroupName::as_str).collect();
            audit.push(entry(AuditEvent::GroupsChanged, listed.join(",")));
        }
        Ok(SetProfile { user: user.to_owned(), display_name, email, groups, audit, now })
    }
}

/// Parses names of groups for one account. Repetitions count once.
pub fn names(texts: &[String]) -> Result<Vec<GroupName>, ProfileError> {
    let mut groups: Vec<GroupName> = Vec::with_capacity(texts.len().min(MAX_GROUPS));
    for text in texts {
        let group = GroupName::parse(text)?;
        if groups.iter().all(|other| other.key() != group.key()) {
            groups.push(group);
        }
        if !fit_one_account(&groups) {
            return Err(ProfileError::TooManyGroups);
        }
    }
    Ok(groups)
}

/// Changes an account's profile. The administrator vouches for the address.
///
/// # Errors
/// Names the invalid input.
pub async fn set(actor: &Actor<'_>, user: &UserId, edit: &ProfileEdit<'_>) -> Result<(), ProfileError> {
    let entry = |event, about| AuditEntry { about, ..actor.entry_of(event, user) };
    let change = edit.read(user, EmailState::VouchedFor, actor.now, entry)?;
    settle(actor.store.set_profile(&change).await?)
}

/// Whether a person's own wish changes the e-mail address, which is a way to the password.
///
/// # Errors
/// The address is invalid, or the store fails.
pub async fn changes_address(state: &CoreState, user: &UserId, edit: &ProfileEdit<'_>) -> Result<bool, ProfileError> {
    let Some(wanted) = edit.email.map(str::trim) else { return Ok(false) };
    let wanted = if wanted.is_empty() { None } else { Some(EmailAddress::parse(wanted)?) };
    let present = state.store.profile(user).await?.and_then(|profile| profile.email);
    Ok(present.map(|email| email.address) != wanted)
}

/// Changes one's own profile. A new address is unproved.
///
/// # Errors
/// Names the invalid input.
pub async fn set_own(
    state: &SessionState,
    client: &Client,
    user: &UserId,
    session: &SessionId,
    edit: &ProfileEdit<'_>,
) -> Result<(), ProfileError> {
    let entry = |event, about| AuditEntry {
        user: Some(user.to_owned()),
        session: Some(session.to_owned()),
        about,
        ..audit::entry(state, client, event, audit::OK)
    };
    let change = edit.read(user, EmailState::Unproved, state.now(), entry)?;
    settle(state.store.set_profile(&change).await?)?;
    state.forget_people();
    Ok(())
}

fn settle(outcome: SetProfileOutcome) -> Result<(), ProfileError> {
    match outcome {
        SetProfileOutcome::Done => Ok(()),
        SetProfileOutcome::NoUser => Err(ProfileError::NoUser),
        SetProfileOutcome::EmailTaken => Err(ProfileError::EmailTaken),
        SetProfileOutcome::NoGroup(name) => Err(ProfileError::UnknownGroup(name)),
    }
}

/// Returns an account's own view of its profile.
///
/// # Errors
/// No such account, or the store fails.
pub async fn of_user(store: &dyn Store, user: &UserId) -> Result<account::Profile, ProfileError> {
    let found = store.user_by_id(user).await?.ok_or(ProfileError::NoUser)?;
    let profile = store.profile(user).await?.ok_or(ProfileError::NoUser)?;
    Ok(account::Profile {
        username: found.name,
        display_name: profile.display_name.as_ref().map(ToString::to_string),
        email: profile.email.as_ref().map(shown_email),
        groups: profile.groups.iter().map(ToString::to_string).collect(),
    })
}

pub fn shown_email(email: &Email) -> account::Email {
    account::Email { address: email.address.to_string(), state: email.state.as_str().to_owned() }
}

fn shown(group: Group) -> account::Group {
    let Group { id, name, created_at, members } = group;
    account::Group { id, name: name.to_string(), created_at: created_at.as_millis(), members }
}

/// Returns all groups by name.
///
/// # Errors
/// The store fails.
pub async fn groups(store: &dyn Store) -> store::Result<Vec<account::Group>> {
    Ok(store.groups().await?.into_iter().map(shown).collect())
}

/// Finds a group by its id, or by any spelling of its name.
///
/// # Errors
/// No such group, or the store fails.
pub async fn find_group(store: &dyn Store, group: &str) -> Result<account::Group, ProfileError> {
    let key = group.trim().to_ascii_lowercase();
    let found = store.groups().await?.into_iter().find(|one| one.id == group || one.name.key() == key);
    found.map(shown).ok_or(ProfileError::NoGroup)
}

/// Returns the accounts of a group by name.
///
/// # Errors
/// The store fails.
pub async fn members(store: &dyn Store, id: &str) -> store::Result<Vec<account::Member>> {
    let members = store.group_members(id).await?.into_iter();
    Ok(members.map(|member| account::Member { id: member.id.into(), username: member.username }).collect())
}

/// Adds a group.
///
/// # Errors
/// The name is invalid or taken, or the store fails.
pub async fn add_group(actor: &Actor<'_>, name: &str) -> Result<account::Group, ProfileError> {
    let (id, name) = (actor.entropy.ulid(actor.now), GroupName::parse_new(name)?);
    let audit = actor.entry(AuditEvent::GroupAdded, &name);
    settle_group(actor.store.add_group(&id, &name, &audit, actor.now).await?)?;
    Ok(account::Group { id, name: name.to_string(), created_at: actor.now.as_millis(), members: 0 })
}

/// Refuses a group that the settings require a second factor of. Without the group, nothing would be required of its
/// members, which is for the operator to decide.
fn check_requirement(actor: &Actor<'_>, name: &GroupName) -> Result<(), ProfileError> {
    let mut required = actor.config.factor_policy.groups.iter();
    if required.any(|(group, _)| group.key() == name.key()) {
        return Err(ProfileError::GroupRequired(name.clone()));
    }
    Ok(())
}

/// # Errors
/// The name is invalid or taken, no such group exists, the settings name it, or the store fails.
pub async fn rename_group(actor: &Actor<'_>, id: &str, name: &str) -> Result<(), ProfileError> {
    let name = GroupName::parse_new(name)?;
    let present = actor.store.groups().await?.into_iter().find(|group| group.id == id);
    let present = present.ok_or(ProfileError::NoGroup)?.name;
    if present.key() != name.key() {
        check_requirement(actor, &present)?;
    }
    let audit = actor.entry(AuditEvent::GroupRenamed, &name);
    settle_group(actor.store.rename_group(id, &name, &audit, actor.now).await?)
}

/// Removes a group.
///
/// # Errors
/// No such group exists, the settings name it, or the store fails.
pub async fn remove_group(actor: &Actor<'_>, group: &account::Group) -> Result<(), ProfileError> {
    check_requirement(actor, &GroupName::parse(&group.name)?)?;
    let audit = actor.entry(AuditEvent::GroupRemoved, &group.name);
    settle_group(actor.store.remove_group(&group.id, &audit, actor.now).await?)
}

fn settle_group(outcome: GroupOutcome) -> Result<(), ProfileError> {
    match outcome {
        GroupOutcome::Done => Ok(()),
        GroupOutcome::NoGroup => Err(ProfileError::NoGroup),
        GroupOutcome::NameTaken => Err(ProfileError::GroupTaken),
    }
}

/// Returns groups in the rules of apps that do not exist, each with the app's name.
///
/// # Errors
/// The store fails.
pub async fn unknown_groups(store: &dyn Store, apps: &crate::config::Apps) -> store::Result<Vec<(String, GroupName)>> {
    let known: Vec<_> = store.groups().await?.iter().map(|group| group.name.key()).collect();
    let named = apps.iter().flat_map(|app| app.groups.iter().map(|group| (app.name.clone(), group.clone())));
    let mut unknown: Vec<_> = named.filter(|(_, group)| !known.contains(&group.key())).collect();
    unknown.dedup();
    Ok(unknown)
}
