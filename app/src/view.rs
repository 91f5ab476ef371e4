//! The data of the pages, loaded before rendering.
//!
//! A page is a pure function of its view; it uses no database and no clock.

use std::sync::Arc;

/// The common data of all pages.
#[derive(Debug, Clone)]
pub struct Site {
    /// The name of this site: `site.name`.
    pub name: String,
    /// `allow_insecure_http` is set: every page warns about it.
    pub insecure: bool,
    pub assets: Arc<Assets>,
    /// Server time of this answer, unix milliseconds.
    pub now: i64,
}

/// The URLs of the built files. Paths start with `/`; the files are named by their content.
#[derive(Debug, Clone, Default)]
pub struct Assets {
    /// The stylesheet of every page.
    pub css: String,
    /// The additional stylesheet of pages behind sign-in, if it is a separate file.
    pub dashboard_css: Option<String>,
    pub login: Bundle,
    pub dashboard: Bundle,
    /// For pages behind sign-in that encrypt and decrypt.
    pub private: Bundle,
}

/// One WebAssembly module with its JavaScript.
#[derive(Debug, Clone, Default)]
pub struct Bundle {
    pub js: String,
    pub wasm: String,
}

/// The page to render.
#[derive(Debug, Clone)]
pub enum View {
    Login(LoginView),
    Signup(SignupView),
    Resume(ResumeView),
    Enter(EnterView),
    /// A question of an app.
    Ask(Box<AskView>),
    /// A refused request of an app.
    Refused(RefusedView),
    DeviceCode(DeviceCodeView),
    Reset(ResetView),
    Forgotten(ForgottenView),
    Overview(Box<OverviewView>),
    Devices(DevicesView),
    Keys(KeysView),
    Time(TimeView),
    Activity(ActivityView),
    Account(Box<AccountView>),
    Enrol(Box<EnrolView>),
    Delete(Box<AccountView>),
    Profile(ProfileView),
    Person(Box<PersonView>),
    Groups(GroupsView),
    Clients(Box<ClientsView>),
    Client(Box<ClientView>),
    Users(UsersView),
    Invitations(InvitationsView),
    Bans(Box<BansView>),
    Toll(Box<TollView>),
    ServerKeys(ServerKeysView),
    Audit(Box<AuditView>),
    Help(HelpView),
    NotFound,
    /// A failure; the cause is in the log only.
    Broken,
}

#[derive(Debug, Clone)]
pub struct LoginView {
    /// The page to open after sign-in: a validated local path.
    pub next: String,
    /// Why the person was sent here, if so.
    pub why: Option<SignInReason>,
    /// This address is banned from sign-in.
    pub closed: Option<BanNotice>,
    /// No account exists yet: refer to the set-up link that the server printed.
    pub first_run: bool,
    /// Whether a link to `/signup` makes sense.
    pub signup: bool,
    /// Whether this site mails a link for a forgotten password.
    pub forgotten: bool,
    /// For how many days a browser may be remembered; `None`: it may not.
    pub remember_days: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInReason {
    /// The session expired or was ended remotely.
    Ended,
    /// The browser has lost the key of the session.
    KeyGone,
    /// An app wants to know that the same person is still there.
    Again,
    /// A change needs a fresh proof of the person.
    Confirm,
    /// The account or an app requires a second factor.
    Factor,
    /// Signed out on purpose.
    SignedOut,
    /// A one-time link has set the password.
    PasswordSet,
    /// The account is gone.
    Deleted,
}

/// The public part of a ban.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BanNotice {
    /// Unix milliseconds.
    pub until: i64,
    /// "7F3K-2Q"
    pub incident: String,
}

#[derive(Debug, Clone)]
pub struct SignupView {
    /// The page to open after sign-up: a validated local path.
    pub next: String,
    /// The first account: an administrator, for which the set-up link's code is needed.
    pub first_run: bool,
    /// Sign-up is closed.
    pub shut: bool,
    /// Only with an invitation.
    pub invited: bool,
    /// Minimum number of characters in a password.
    pub password_min: u32,
}

/// The page where people set up the second factor that is required of them.
#[derive(Debug, Clone)]
pub struct EnrolView {
    pub viewer: Viewer,
    /// Whether an app requires it, and not the account.
    pub by_app: bool,
    /// Whether it must be a passkey.
    pub passkey: bool,
    pub passkeys: wire::passkeys::Passkeys,
    pub factors: wire::second_factor::SecondFactors,
    /// The page that proves a factor, if the account has one that is sufficient.
    pub sign_in: Option<String>,
}

#[derive(Debug, Clone)]
pub struct ResetView {
    /// Minimum number of characters in a password.
    pub password_min: u32,
}

/// The page that asks for a link for a forgotten password.
#[derive(Debug, Clone)]
pub struct ForgottenView {
    /// The request was sent.
    pub done: bool,
}

#[derive(Debug, Clone)]
pub struct AccountView {
    pub viewer: Viewer,
    pub profile: Option<wire::account::Profile>,
    /// Apps that the person gave access.
    pub consents: Vec<wire::oauth::Consent>,
    /// Minimum number of characters in a password.
    pub password_min: u32,
    pub passkeys: wire::passkeys::Passkeys,
    /// The person's second factors.
    pub factors: wire::second_factor::SecondFactors,
}

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
    /// Number of accounts found, on all pages.
    pub count: usize,
    /// The entry after which the next page begins.
    pub next: Option<String>,
}

#[derive(Debug, Clone)]
pub struct ProfileView {
    pub viewer: Viewer,
    pub profile: wire::account::Profile,
    /// Whether this site mails a link that proves an address.
    pub mail: bool,
    /// What was just done.
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
pub struct ResumeView {
    /// A validated local path.
    pub next: String,
}

/// The way back to an app.
#[derive(Debug, Clone)]
pub struct EnterView {
    /// The app's name.
    pub app: String,
    /// The request body for entering the app, as JSON.
    pub body: String,
    /// For the request's proof.
    pub nonce: String,
    /// The path of the request.
    pub path: String,
}

/// A question with two answers, each of which is a request with a body.
#[derive(Debug, Clone)]
pub struct AskView {
    pub title: String,
    pub about: String,
    /// The sentence before the list.
    pub list: String,
    pub items: Vec<String>,
    pub note: String,
    pub path: String,
    pub yes: String,
    pub yes_body: String,
    pub no: String,
    /// Empty: the answer sends nothing and leads to the dashboard.
    pub no_body: String,
    pub nonce: String,
}

/// The page for the code of a device.
#[derive(Debug, Clone)]
pub struct DeviceCodeView {
    /// The typed code is of no device.
    pub wrong: bool,
    /// The person has answered: whether the device is connected.
    pub done: Option<bool>,
}

/// The reason why an app's request was refused.
#[derive(Debug, Clone)]
pub struct RefusedView {
    pub code: String,
    pub description: String,
    /// Names and values for the developer of the app.
    pub facts: Vec<(String, String)>,
}

/// The person who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    pub username: String,
    pub administrator: bool,
    /// Whether the session is bound to a key of this device.
    pub bound: bool,
    /// Whether the navigation offers the paid gate: to administrators, once a gate is configured.
    pub toll: bool,
}

#[derive(Debug, Clone)]
pub struct OverviewView {
    pub viewer: Viewer,
    /// This session first.
    /// Events that the person has not dismissed yet, newest first.
    pub notices: Vec<Activity>,
    pub devices: Vec<wire::session::Device>,
    /// The newest events, newest first.
    pub activity: Vec<Activity>,
    /// Failed or refused events of the last 7 days.
    pub odd: u32,
    pub signed_in_at: i64,
    /// The account has no passkey, and could have one here.
    pub offer_passkey: bool,
    /// Whether the browser may make a passkey by itself: the person has just signed in with a password and has none.
    pub upgrade: bool,
    /// Apps that the person may open.
    pub apps: Vec<wire::oauth::AppTile>,
    /// For administrators only.
    pub site: Option<SiteState>,
}

/// The state of the whole site.
#[derive(Debug, Clone)]
pub struct SiteState {
    /// One count for each of the last 24 hours, oldest first.
    pub sign_ins: Vec<u64>,
    /// The same of refusals.
    pub refusals: Vec<u64>,
    /// Bans in force.
    pub bans: usize,
    pub accounts: u64,
    pub backup: Backup,
    /// Unix milliseconds from which the current key has been in use.
    pub signing_key: Option<i64>,
    pub envelope_key: Option<i64>,
    pub mac_key: Option<i64>,
    pub version: &'static str,
    /// The problems that need attention, the worst first.
    pub findings: Vec<SiteFinding>,
}

/// The last backup, as far as the server knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backup {
    /// The database's own tools make it.
    Elsewhere,
    Never,
    /// Unix milliseconds.
    At(i64),
}

/// One result of the server's self-check that is not fine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteFinding {
    /// Whether it harms now or will; otherwise it is a recommendation.
    pub urgent: bool,
    /// The finding, as a sentence.
    pub says: String,
    /// What to do about it.
    pub advice: String,
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

#[derive(Debug, Clone)]
pub struct TimeView {
    pub viewer: Viewer,
    /// The time server's WebSocket, if this site has one.
    pub url: Option<String>,
}

#[derive(Debug, Clone)]
pub struct ServerKeysView {
    pub viewer: Viewer,
    /// Newest first.
    pub keys: Vec<wire::server_keys::ServerKey>,
    pub services: Vec<wire::services::Service>,
}

#[derive(Debug, Clone)]
pub struct ActivityView {
    pub viewer: Viewer,
    /// Newest first.
    pub entries: Vec<Activity>,
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

/// One line of the account's history; consecutive equal events are one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Unix milliseconds of the newest event.
    pub at: i64,
    pub event: ActivityEvent,
    /// How many equal events this line stands for, at least 1.
    pub count: u32,
    /// Address prefix: "203.0.113.0/24".
    pub address: String,
    /// "Firefox on Fedora"; empty where unknown.
    pub device: String,
    /// The opened app; otherwise empty.
    pub about: String,
}

/// The kind of an event, for the account's owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActivityEvent {
    AccountCreated,
    SignedIn,
    /// Signed in from a new browser.
    NewDevice,
    /// Signed in from a new network.
    NewPlace,
    WrongPassword,
    /// The password was right, and no second factor followed yet.
    FactorMissing,
    /// The password was right, and the code was wrong.
    WrongFactor,
    /// `about` has the kind.
    FactorAdded,
    FactorRemoved,
    FactorRemovedByAdministrator,
    RecoveryCodesMade,
    RecoveryCodeUsed,
    SignedOut,
    /// One session was ended from another.
    DeviceEnded,
    /// A spent refresh token was used: somebody may have copied it. The session was ended.
    TokenReused,
    /// A session's token was used without its browser's key: somebody may have copied it. It was refused.
    WrongKey,
    /// A session was used to open an app.
    AppOpened,
    PasswordChanged,
    PasskeyAdded,
    PasskeyRenamed,
    DeviceRemembered,
    DeviceForgotten,
    PasskeyRemoved,
    /// A passkey was used whose counter did not rise, or whose backup flag changed.
    PasskeyChanged,
    PasskeyRefused,
    /// An administrator created a link that sets a new password.
    ResetMade,
    /// The owner, or somebody who knows the name, asked for a link by mail.
    ResetAsked,
    MadeAdministrator,
    MadeUser,
    /// The user key has a new version.
    KeyReplaced,
    KeyRevoked,
    /// An administrator made a new version of the key.
    KeyMade,
    Disabled,
    Enabled,
    /// The account was renamed.
    Renamed,
    ProfileChanged,
    GroupsChanged,
    /// The access of an app was revoked.
    AppRevoked,
}

// Only the server renders the list of events.
#[cfg(feature = "ssr")]
impl ActivityEvent {
    /// Whether the owner should check this.
    pub(crate) fn is_odd(self) -> bool {
        matches!(
            self,
            Self::NewDevice
                | Self::NewPlace
                | Self::WrongPassword
                | Self::TokenReused
                | Self::WrongKey
                | Self::ResetMade
                | Self::ResetAsked
        )
    }
}

/// The second factors of an account, for an administrator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HeldFactors {
    pub totp: bool,
    pub passkeys: u32,
    pub recovery_codes: u32,
}
