//! `/api/admin/users` and `/api/admin/invitations`: accounts for administrators.

use crate::{list, whole};
use serde::{Deserialize, Serialize};

/// An account. Times are unix milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub id: String,
    pub username: String,
    /// `user` or `administrator`.
    pub role: String,
    pub disabled: bool,
    pub created_at: i64,
    /// The last sign-in, if there was one.
    pub signed_in_at: Option<i64>,
    pub display_name: Option<String>,
    pub email: Option<Email>,
    /// The names of its groups.
    pub groups: Vec<String>,
}

/// An e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Email {
    pub address: String,
    /// `vouched_for` by an administrator, `proved` by its owner, or `unproved`.
    pub state: String,
}

/// One's own profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub username: String,
    pub display_name: Option<String>,
    pub email: Option<Email>,
    pub groups: Vec<String>,
}

/// The body of `PATCH /api/profile`: the changes. An empty text removes the value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileChange {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Becomes unproved, unless it is the present one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// The answer to `GET /api/notices`, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notices {
    pub notices: Vec<Notice>,
}

/// A security event that the person has not dismissed on this device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Unix milliseconds.
    pub at: i64,
    /// The event, for people: one sentence.
    pub text: String,
    /// The network, such as `203.0.113.0/24`; empty where unknown.
    pub address: String,
    /// The device's name, such as "Firefox on Fedora"; empty where unknown.
    pub device: String,
    /// Number of equal events.
    pub count: u32,
}

/// The body of `POST /api/notices/read`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticesRead {
    /// The time of the newest notice that was shown. A plain form sends it as text.
    #[serde(deserialize_with = "list::time")]
    pub until: i64,
}

/// A group of accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub id: String,
    pub name: String,
    pub created_at: i64,
    /// Number of accounts in it.
    pub members: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Groups {
    pub groups: Vec<Group>,
}

/// The body of `POST /api/admin/groups` and of `PATCH /api/admin/groups/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewGroup {
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The account's id.
    pub id: String,
    pub username: String,
}

/// `GET /api/admin/groups/{id}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupMembers {
    pub group: Group,
    pub members: Vec<Member>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accounts {
    pub users: Vec<Account>,
    /// The id to continue with, if more accounts follow.
    pub next: Option<String>,
}

/// The body of `PATCH /api/admin/users/{id}`: the changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountChange {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// An empty text removes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// An address that the administrator vouches for. An empty text removes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The names of exactly these groups, as a list or separated by commas.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "list::some")]
    pub groups: Option<Vec<String>>,
}

/// An unused invitation; its link was shown once when it was created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    pub id: String,
    pub role: String,
    pub note: String,
    pub created_at: i64,
    pub expires_at: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitations {
    pub invitations: Vec<Invitation>,
}

/// `POST /api/admin/invitations`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewInvitation {
    /// `user` or `administrator`.
    pub role: String,
    /// A note about the invited person, at most 100 characters.
    #[serde(default)]
    pub note: String,
    /// Validity in hours, 1 to 720.
    #[serde(deserialize_with = "whole::one")]
    pub hours: u32,
    /// The address that the link is mailed to. Empty: none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub email: String,
}

/// The body of `POST /api/admin/users/{id}/reset`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NewReset {
    /// Whether the link is mailed to the account's address, which must be proved or vouched for.
    pub mail: bool,
}

/// The body of `POST /api/password/forgotten`. `Debug` hides it, because people type passwords into fields for names.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForgottenPassword {
    /// The account's name.
    pub account: String,
}

/// The body of `POST /api/profile/email-proof/confirm`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmailProof {
    /// The code of the link that was mailed.
    pub code: String,
}

impl std::fmt::Debug for ForgottenPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ForgottenPassword(..)")
    }
}

impl std::fmt::Debug for EmailProof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EmailProof(..)")
    }
}

/// A link that is shown once. Its code is behind `#`, so that it reaches no log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OneTimeLink {
    pub link: String,
    pub expires_at: i64,
    /// Whether it was mailed, if that was wanted. `false`: its address had enough messages in this hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailed: Option<bool>,
}

impl std::fmt::Debug for OneTimeLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OneTimeLink(..)")
    }
}
