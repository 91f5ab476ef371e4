//! Data of a person's own pages.

use super::viewer::Viewer;

#[derive(Debug, Clone)]
pub struct AccountView {
    pub viewer: Viewer,
    pub profile: Option<wire::account::Profile>,
    /// Apps with access to the person's data.
    pub consents: Vec<wire::oauth::Consent>,
    /// Minimum number of characters in a password.
    pub password_min: u32,
    pub passkeys: wire::passkeys::Passkeys,
    /// The person's second factors.
    pub factors: wire::second_factor::SecondFactors,
}

#[derive(Debug, Clone)]
pub struct ProfileView {
    pub viewer: Viewer,
    pub profile: wire::account::Profile,
    /// Whether this site mails a link that proves an address.
    pub mail: bool,
    /// The change that was just made.
    pub done: Option<ProfileDone>,
}

/// The result of a change on the page of one's profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileDone {
    Changed,
    /// A link was mailed.
    Sent,
    /// The address is proved.
    Proved,
}

#[derive(Debug, Clone)]
pub struct DevicesView {
    pub viewer: Viewer,
    /// This session first, then by last use.
    pub devices: Vec<wire::session::Device>,
    /// Whether there is another session, on any page.
    pub others: bool,
    /// The entry after which the next page begins.
    pub next: Option<String>,
    /// The browsers that are not asked for the second factor.
    pub remembered: Vec<wire::second_factor::RememberedDevice>,
}

#[derive(Debug, Clone)]
pub struct KeysView {
    pub viewer: Viewer,
    pub keys: wire::user_keys::UserKeys,
}

/// The page where a person deletes the account.
#[derive(Debug, Clone)]
pub struct DeleteView {
    pub viewer: Viewer,
}
