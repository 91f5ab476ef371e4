//! Data of the administrators' pages.

use super::viewer::Viewer;

#[derive(Debug, Clone)]
pub struct UsersView {
    pub viewer: Viewer,
    /// The viewer's own id.
    pub me: String,
    pub users: Vec<wire::account::Account>,
    /// Whether this site mails links.
    pub mail: bool,
    /// The search text as typed.
    pub word: String,
    /// Number of accounts found, on all pages. `None`: a search found more than one page.
    pub count: Option<u64>,
    /// The entry after which the next page begins.
    pub next: Option<String>,
}

/// One account's profile, for administrators.
#[derive(Debug, Clone)]
pub struct PersonView {
    pub viewer: Viewer,
    pub account: wire::account::Account,
    /// The names of all groups.
    pub groups: Vec<String>,
    /// It was just changed.
    pub done: bool,
    pub factors: HeldFactors,
}

#[derive(Debug, Clone)]
pub struct GroupsView {
    pub viewer: Viewer,
    pub groups: Vec<wire::account::Group>,
    /// Groups in the rules of apps that do not exist: the app and the group.
    pub unknown: Vec<(String, String)>,
    /// The entry after which the next page begins.
    pub next: Option<String>,
}

#[derive(Debug, Clone)]
pub struct ClientsView {
    pub viewer: Viewer,
    pub clients: Vec<wire::clients::Client>,
    /// Names of known apps.
    pub presets: Vec<&'static str>,
    /// Tokens with which apps may still register themselves.
    pub tokens: Vec<wire::clients::RegistrationToken>,
    /// The request of an app to explain, as typed.
    pub asked: String,
    pub verdict: Option<wire::clients::RequestVerdict>,
    /// The entry after which the next page begins.
    pub next: Option<String>,
}

/// One client, for administrators.
#[derive(Debug, Clone)]
pub struct ClientView {
    pub viewer: Viewer,
    pub client: wire::clients::Client,
    pub issuer: String,
    /// The settings of a known app, by their names there.
    pub app_settings: &'static [(&'static str, &'static str)],
    /// The names of all groups.
    pub groups: Vec<String>,
    /// It was just changed.
    pub done: bool,
}

#[derive(Debug, Clone)]
pub struct InvitationsView {
    pub viewer: Viewer,
    /// Unused invitations, newest first.
    pub invitations: Vec<wire::account::Invitation>,
    /// Whether this site mails links.
    pub mail: bool,
    /// The entry after which the next page begins.
    pub next: Option<String>,
}

#[derive(Debug, Clone)]
pub struct ServerKeysView {
    pub viewer: Viewer,
    /// Newest first.
    pub keys: Vec<wire::server_keys::ServerKey>,
    pub services: Vec<wire::services::Service>,
}

/// The paid gate for administrators.
#[derive(Debug, Clone)]
pub struct TollView {
    pub viewer: Viewer,
    /// Gates that run, and whose routes these are.
    pub gates: Vec<wire::toll_admin::Gate>,
    pub routes: Vec<wire::toll_admin::TollRoute>,
    /// Oldest first.
    pub days: Vec<wire::toll_admin::TollDay>,
    /// Newest first.
    pub payments: Vec<wire::toll_admin::TollPayment>,
    /// Newest first.
    pub tokens: Vec<wire::toll_admin::TollToken>,
}

/// Bans for administrators.
#[derive(Debug, Clone)]
pub struct BansView {
    pub viewer: Viewer,
    /// The search text as typed.
    pub word: String,
    pub trigger: String,
    /// `active`, `over` or `all`.
    pub state: String,
    pub bans: wire::bans::Bans,
    /// The address to explain, as typed, and the answer.
    pub asked: String,
    pub explanation: Option<Result<wire::bans::Explanation, String>>,
    pub allowed: Vec<wire::allowlist::Allowed>,
    /// The entry after which the next part of the allowlist begins.
    pub more_allowed: Option<String>,
    /// Whether the allowlist was just changed, or a further part of it was asked for.
    pub allowlist_open: bool,
    /// The triggers of bans.
    pub triggers: Vec<&'static str>,
    /// The action that was just done.
    pub done: Option<BansOutcome>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BansOutcome {
    Made,
    Lifted,
    Allowed,
    Removed,
}

#[derive(Debug, Clone)]
pub struct AuditView {
    pub viewer: Viewer,
    pub filter: AuditFilter,
    /// The reason why the filter is invalid.
    pub wrong: Option<String>,
    pub audit: wire::audit::AuditPage,
    pub hours: wire::refusals::RefusalCounts,
    /// The kinds of events.
    pub events: Vec<&'static str>,
}

/// The manual for administrators.
#[derive(Debug, Clone)]
pub struct HelpView {
    pub viewer: Viewer,
    /// The search text as typed.
    pub word: String,
    pub part: HelpPart,
}

#[derive(Debug, Clone)]
pub enum HelpPart {
    /// Pages to choose from: all of them, or those that were found.
    Contents(Vec<HelpEntry>),
    /// One page. `html` is a file of the program itself, and nothing else becomes HTML unescaped.
    Page { title: String, html: String },
    /// The program was built without the browser's files.
    Missing,
}

/// A page of the manual.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct HelpEntry {
    /// Below [`wire::paths::HELP_PAGE`].
    pub path: String,
    pub title: String,
    pub section: String,
}

/// The filter of the audit log, as typed.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    pub user: String,
    pub event: String,
    pub outcome: String,
    pub since: String,
    pub until: String,
}

/// The second factors of an account, for an administrator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HeldFactors {
    pub totp: bool,
    pub passkeys: u32,
    pub recovery_codes: u32,
}
