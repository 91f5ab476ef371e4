//! Administration of accounts.

use super::actor::Actor;
use super::profiles::shown_email;
use domain::UnixMs;
use domain::account::{AccountDigest, Role, name_key};
use store::Store;
use store::audit::AuditEvent;
use store::profiles::Profile;
use store::users::{ChangeOutcome, DeleteUser, User};
use wire::account::Account;

/// Finds an account by its id, or by any spelling of its name.
///
/// # Errors
/// The store fails.
pub async fn find(store: &dyn Store, account: &str) -> store::Result<Option<User>> {
    match store.user_by_id(&account.trim().into()).await? {
        Some(user) => Ok(Some(user)),
        None => store.user_by_key(&name_key(account)).await,
    }
}

/// Returns at most `limit` accounts by name, after the one with the id `after`, and the id to continue with if there are
/// more. Reads no others.
///
/// # Errors
/// The store fails.
pub async fn page(store: &dyn Store, after: &str, limit: usize) -> store::Result<(Vec<Account>, Option<String>)> {
    part(store, store.users_after(after, one_more(limit)).await?, limit).await
}

fn one_more(limit: usize) -> u32 {
    u32::try_from(limit.saturating_add(1)).unwrap_or(u32::MAX)
}

/// Returns the first `limit` users as accounts, and the id to continue with if one more was read.
async fn part(store: &dyn Store, mut users: Vec<User>, limit: usize) -> store::Result<(Vec<Account>, Option<String>)> {
    let more = users.len() > limit;
    users.truncate(limit);
    let next = users.last().filter(|_| more).map(|user| user.id.to_string());
    let mut accounts = Vec::with_capacity(users.len());
    for user in users {
        let profile = store.profile(&user.id).await?.unwrap_or_default();
        accounts.push(shown(user, &profile));
    }
    Ok((accounts, next))
}

/// Returns a part of the accounts with `word` in their name, display name, e-mail address or a group, as [`page`] does.
///
/// # Errors
/// The store fails.
pub async fn search(
    store: &dyn Store,
    word: &str,
    after: &str,
    limit: usize,
) -> store::Result<(Vec<Account>, Option<String>)> {
    part(store, store.search_users(&name_key(word), after, one_more(limit)).await?, limit).await
}

/// Returns an account with its profile.
pub fn shown(user: User, profile: &Profile) -> Account {
    Account {
        id: user.id.into(),
        username: user.name,
        role: user.role.as_str().to_owned(),
        disabled: user.disabled_at.is_some(),
        created_at: user.created_at.as_millis(),
        signed_in_at: user.signed_in_at.map(UnixMs::as_millis),
        display_name: profile.display_name.as_ref().map(ToString::to_string),
        email: profile.email.as_ref().map(shown_email),
        groups: profile.groups.iter().map(ToString::to_string).collect(),
    }
}

/// Changes the role of an account.
///
/// # Errors
/// The store does not answer.
pub async fn set_role(actor: &Actor<'_>, user: &User, role: Role) -> store::Result<ChangeOutcome> {
    let event = if role == Role::Administrator { AuditEvent::MadeAdministrator } else { AuditEvent::MadeUser };
    actor.store.set_role(&user.id, role, &actor.entry_of(event, &user.id), actor.now).await
}

/// Disables or enables an account.
///
/// # Errors
/// The store does not answer.
pub async fn set_disabled(actor: &Actor<'_>, user: &User, disabled: bool) -> store::Result<ChangeOutcome> {
    let event = if disabled { AuditEvent::UserDisabled } else { AuditEvent::UserEnabled };
    actor.store.set_disabled(&user.id, disabled, &actor.entry_of(event, &user.id), actor.now).await
}

/// Deletes an account. `account`: the digest that its failures are counted by.
///
/// # Errors
/// The store does not answer.
pub async fn delete(actor: &Actor<'_>, user: &User, account: &AccountDigest) -> store::Result<ChangeOutcome> {
    let deletion = DeleteUser {
        attempt: None,
        user: user.id.clone(),
        account: account.as_str().to_owned(),
        audit: actor.entry_of(AuditEvent::UserDeleted, &user.id),
        now: actor.now,
    };
    actor.store.delete_user(&deletion).await
}
