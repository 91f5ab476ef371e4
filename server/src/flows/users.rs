//! Administration of accounts.

use super::actor::Actor;
use domain::account::{AccountDigest, Role, name_key};
use store::Store;
use store::audit::AuditEvent;
use store::users::{ChangeOutcome, DeleteUser, User};
use wire::account::Account;

/// Finds an account by its id, or by any spelling of its name.
///
/// # Errors
/// The store fails.
pub async fn find(store: &dyn Store, account: &str) -> store::Result<Option<User>> {
    match store.user_by_id(account.trim()).await? {
        Some(user) => Ok(Some(user)),
        None => store.user_by_key(&name_key(account)).await,
    }
}

/// Returns all accounts by name.
///
/// # Errors
/// The store fails.
pub async fn list(store: &dyn Store) -> store::Result<Vec<Account>> {
    Ok(store.users().await?.into_iter().map(shown).collect())
}

/// Returns the accounts with `word` in their name, by name; all if it is empty.
///
/// # Errors
/// The store fails.
pub async fn search(store: &dyn Store, word: &str) -> store::Result<Vec<Account>> {
    let word = name_key(word);
    let mut accounts = list(store).await?;
    accounts.retain(|account| name_key(&account.username).contains(&word));
    Ok(accounts)
}

fn shown(user: User) -> Account {
    Account {
        id: user.id,
        username: user.name,
        role: user.role.as_str().to_owned(),
        disabled: user.disabled_at.is_some(),
        created_at: user.created_at,
        signed_in_at: user.signed_in_at,
    }
}

/// # Errors
/// The store does not answer.
pub async fn set_role(actor: &Actor<'_>, user: &User, role: Role) -> store::Result<ChangeOutcome> {
    let event = if role == Role::Administrator { AuditEvent::MadeAdministrator } else { AuditEvent::MadeUser };
    actor.store.set_role(&user.id, role, &actor.entry_of(event, &user.id), actor.now).await
}

/// # Errors
/// The store does not answer.
pub async fn set_disabled(actor: &Actor<'_>, user: &User, disabled: bool) -> store::Result<ChangeOutcome> {
    let event = if disabled { AuditEvent::UserDisabled } else { AuditEvent::UserEnabled };
    actor.store.set_disabled(&user.id, disabled, &actor.entry_of(event, &user.id), actor.now).await
}

/// `account`: the digest that the account's failures are counted by.
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
