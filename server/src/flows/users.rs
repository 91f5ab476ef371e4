//! Accounts, as administrators change them.

use super::audit;
use crate::guards::administrator::Administrator;
use crate::guards::client::Client;
use crate::http::ApiError;
use crate::state::AppState;
use domain::account::{AccountDigest, Role};
use store::audit::{Entry, Event};
use store::users::{Changed, DeleteUser, User};
use wire::account::{Account, AccountChange, OneTimeLink};
use wire::problem::Code;

/// All accounts, by name.
///
/// # Errors
/// The store does not answer.
pub async fn list(state: &AppState) -> Result<Vec<Account>, ApiError> {
    Ok(state.store.users().await?.into_iter().map(shown).collect())
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

/// What an administrator does to an account.
pub struct Office {
    pub state: AppState,
    pub client: Client,
    pub administrator: Administrator,
}

impl Office {
    /// # Errors
    /// `not_found`, `last_administrator`, or `bad_request` for a role that is none.
    pub async fn change(&self, id: &str, wish: &AccountChange) -> Result<(), ApiError> {
        let user = self.find(id).await?;
        let store = &self.state.store;
        if let Some(role) = &wish.role {
            let role = Role::parse(role).ok_or_else(|| ApiError::new(Code::BadRequest))?;
            let event = if role == Role::Administrator { Event::MadeAdministrator } else { Event::MadeUser };
            self.settle(store.set_role(&user.id, role, &self.entry(event, &user.id), self.state.now()).await?)?;
        }
        if let Some(disabled) = wish.disabled {
            let event = if disabled { Event::UserDisabled } else { Event::UserEnabled };
            let entry = self.entry(event, &user.id);
            self.settle(store.set_disabled(&user.id, disabled, &entry, self.state.now()).await?)?;
        }
        Ok(())
    }

    /// # Errors
    /// `not_found` or `last_administrator`.
    pub async fn delete(&self, id: &str) -> Result<(), ApiError> {
        let user = self.find(id).await?;
        let deletion = DeleteUser {
            attempt: None,
            account: AccountDigest::of(&self.state.keyring.macs.account, &user.name).as_str().to_owned(),
            audit: Entry { actor: Some(self.actor()), ..audit::of_system(&self.state, Event::UserDeleted, &user.id) },
            user: user.id,
            now: self.state.now(),
        };
        self.settle(self.state.store.delete_user(&deletion).await?)
    }

    /// # Errors
    /// `not_found`.
    pub async fn reset_link(&self, id: &str) -> Result<OneTimeLink, ApiError> {
        let user = self.find(id).await?;
        super::reset::link(&self.state, &user.id, self.entry(Event::ResetMade, &user.id)).await
    }

    /// An audit row of what this administrator does to somebody, or (an empty id) to the site.
    pub fn entry(&self, event: Event, user: &str) -> Entry {
        let mut entry = audit::entry(&self.state, &self.client, event, audit::OK);
        entry.user = Some(user.to_owned()).filter(|user| !user.is_empty());
        entry.actor = Some(self.actor());
        entry
    }

    fn actor(&self) -> String {
        self.administrator.user.id.clone()
    }

    async fn find(&self, id: &str) -> Result<User, ApiError> {
        self.state.store.user_by_id(id).await?.ok_or_else(|| ApiError::new(Code::NotFound))
    }

    fn settle(&self, changed: Changed) -> Result<(), ApiError> {
        match changed {
            Changed::Done { ended } => {
                for id in ended {
                    self.state.sessions.end(&id);
                }
                Ok(())
            }
            // It is so already: nothing to do, and no reason to complain.
            Changed::Nothing => Ok(()),
            Changed::LastAdministrator => Err(ApiError::new(Code::LastAdministrator)),
        }
    }
}

impl std::fmt::Debug for Office {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Office({})", self.administrator.user.id)
    }
}
