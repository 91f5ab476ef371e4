//! Imports: many accounts in one transaction.

use crate::Result;
use crate::audit::AuditEntry;
use crate::mails::NewMail;
use crate::resets::Reset;
use crate::users::NewUser;
use async_trait::async_trait;
use domain::UnixMs;
use domain::account::AccountName;
use domain::profile::{DisplayName, Email, EmailAddress, GroupName};

/// One imported account.
#[derive(Debug, Clone)]
pub struct ImportUser {
    pub user: NewUser,
    /// The parameters of its hash, if another program made it.
    pub imported_parameters: Option<String>,
    pub display_name: Option<DisplayName>,
    pub email: Option<Email>,
    /// The account's groups. Missing ones are created.
    pub groups: Vec<GroupName>,
    pub disabled: bool,
    /// The link by which its owner sets a password, with its audit row.
    pub reset: Option<(Reset, AuditEntry)>,
    /// The message that sends this link to the owner.
    pub mail: Option<NewMail>,
}

/// An import.
#[derive(Debug, Clone)]
pub struct Import {
    pub users: Vec<ImportUser>,
    /// A possible new group for each name in `users`: its id and audit row, if it does not exist.
    pub groups: Vec<(String, GroupName, AuditEntry)>,
    pub now: UnixMs,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportOutcome {
    /// Everything was written, and these groups were made.
    Done { groups: Vec<GroupName> },
    /// Nothing was written: the name or address of this account was taken meanwhile.
    Taken(String),
    /// Nothing was written: a link is for mail, and no server sends mail.
    MailOff,
}

/// An account that an imported one may not be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflicting {
    pub name: String,
    /// Its address, if apps may rely on it.
    pub email: Option<Email>,
}

#[async_trait]
pub trait Imports {
    /// Returns the accounts with this name, a name that looks like it, or this reliable address.
    async fn conflicting(&self, name: &AccountName, email: Option<&EmailAddress>) -> Result<Vec<Conflicting>>;
    /// Writes all accounts and groups, or nothing.
    async fn import(&self, import: &Import) -> Result<ImportOutcome>;
}
