//! What the server hands to the pages: plain data, loaded before rendering starts.
//!
//! A page is a pure function of its view; it asks no database and no clock.

use std::sync::Arc;

/// What every page knows.
#[derive(Debug, Clone)]
pub struct Site {
    /// Whose door this is: `site.name`.
    pub name: String,
    /// `allow_insecure_http` is in force: every page says so.
    pub insecure: bool,
    pub assets: Arc<Assets>,
    /// Server time of this answer, unix milliseconds.
    pub now: i64,
}

/// Where the built files are. Paths start with `/`; the files are named by their content.
#[derive(Debug, Clone, Default)]
pub struct Assets {
    /// What every page needs.
    pub css: String,
    /// What the pages behind sign-in need beside it, where that is a file of its own.
    pub dashboard_css: Option<String>,
    pub login: Bundle,
    pub dashboard: Bundle,
    /// The pages behind sign-in that seal and open.
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
    Reset(ResetView),
    Overview(Box<OverviewView>),
    Devices(DevicesView),
    Keys(KeysView),
    Time(TimeView),
    Activity(ActivityView),
    Account(AccountView),
    Delete(AccountView),
    Users(UsersView),
    Invitations(InvitationsView),
    Bans(Box<BansView>),
    Toll(Box<TollView>),
    ServerKeys(ServerKeysView),
    Audit(Box<AuditView>),
    NotFound,
    /// Something broke; the cause is in the log and not here.
    Broken,
}

#[derive(Debug, Clone)]
pub struct LoginView {
    /// Where to go after sign-in: a checked local path.
    pub next: String,
    /// Why the person is here, if they were somewhere before.
    pub why: Option<Why>,
    /// This address cannot sign in yet.
    pub closed: Option<Closed>,
    /// No account exists yet: point to the set-up link that the server printed.
    pub first_run: bool,
    /// Whether a link to `/signup` makes sense.
    pub signup: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The session ran out or was ended from elsewhere.
    Ended,
    /// The browser no longer has the key that the session was tied to.
    KeyGone,
    /// Signed out on purpose.
    SignedOut,
    /// A one-time link has set the password.
    PasswordSet,
    /// The account is gone.
    Deleted,
}

/// A ban, as much as its subject may know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// Unix milliseconds.
    pub until: i64,
    /// "7F3K-2Q"
    pub incident: String,
}

#[derive(Debug, Clone)]
pub struct SignupView {
    /// Where to go after sign-up: a checked local path.
    pub next: String,
    /// The first account: it will be the administrator, and the code of the set-up link is needed.
    pub first_run: bool,
    /// Nobody may sign up here.
    pub shut: bool,
    /// Only with an invitation.
    pub invited: bool,
    /// The least number of characters of a password.
    pub password_min: u32,
}

#[derive(Debug, Clone)]
pub struct ResetView {
    /// The least number of characters of a password.
    pub password_min: u32,
}

#[derive(Debug, Clone)]
pub struct AccountView {
    pub viewer: Viewer,
    /// The least number of characters of a password.
    pub password_min: u32,
}

#[derive(Debug, Clone)]
pub struct UsersView {
    pub viewer: Viewer,
    /// The viewer's own id.
    pub me: String,
    pub users: Vec<wire::account::Account>,
    /// What the names were searched for, as it was written.
    pub word: String,
    /// How many accounts were found, on all pages.
    pub count: usize,
    /// What the next page begins after.
    pub next: Option<String>,
}

#[derive(Debug, Clone)]
pub struct InvitationsView {
    pub viewer: Viewer,
    /// Those that are open, newest first.
    pub invitations: Vec<wire::account::Invitation>,
    /// What the next page begins after.
    pub next: Option<String>,
}

#[derive(Debug, Clone)]
pub struct ResumeView {
    /// A checked local path.
    pub next: String,
}

/// The way back to an app.
#[derive(Debug, Clone)]
pub struct EnterView {
    /// The app's name.
    pub app: String,
    /// The body of the request for a way in, as JSON.
    pub body: String,
    /// For the proof that goes with it.
    pub nonce: String,
}

/// The person who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    pub username: String,
    pub administrator: bool,
    /// Whether the session is tied to this device by a key.
    pub bound: bool,
}

#[derive(Debug, Clone)]
pub struct OverviewView {
    pub viewer: Viewer,
    /// This session first.
    pub devices: Vec<wire::session::Device>,
    /// The newest few, newest first.
    pub activity: Vec<Activity>,
    /// Failed or refused events of the last 7 days.
    pub odd: u32,
    pub signed_in_at: i64,
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
    /// What needs attention, worst first.
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
    /// What was found, as a sentence.
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
    /// What the next page begins after.
    pub next: Option<String>,
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

/// What an administrator sees of the paid gate.
#[derive(Debug, Clone)]
pub struct TollView {
    pub viewer: Viewer,
    /// Gates that run, and whose routes these are.
    pub gates: Vec<wire::toll_books::Gate>,
    pub routes: Vec<wire::toll_books::Route>,
    /// Oldest first.
    pub days: Vec<wire::toll_books::Day>,
    /// Newest first.
    pub payments: Vec<wire::toll_books::Payment>,
    /// Newest first.
    pub tokens: Vec<wire::toll_books::Token>,
}

/// What an administrator sees of bans.
#[derive(Debug, Clone)]
pub struct BansView {
    pub viewer: Viewer,
    /// What was searched for, as it was written.
    pub word: String,
    pub trigger: String,
    /// `active`, `over` or `all`.
    pub state: String,
    pub bans: wire::bans::Bans,
    /// The address that was to be explained, as it was written, and the answer.
    pub asked: String,
    pub explanation: Option<Result<wire::bans::Explanation, String>>,
    pub allowed: Vec<wire::allowlist::Allowed>,
    /// What the next part of the allowlist begins after.
    pub more_allowed: Option<String>,
    /// What there are bans for.
    pub triggers: Vec<&'static str>,
    /// What has just been done.
    pub done: Option<BansDone>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BansDone {
    Made,
    Lifted,
    Allowed,
    Removed,
}

#[derive(Debug, Clone)]
pub struct AuditView {
    pub viewer: Viewer,
    pub filter: AuditFilter,
    /// Why the filter could not be meant.
    pub wrong: Option<String>,
    pub audit: wire::audit::Audit,
    pub hours: wire::refusals::Hours,
    /// What can happen.
    pub events: Vec<&'static str>,
}

/// What the trail is filtered by, as it was written.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    pub user: String,
    pub event: String,
    pub outcome: String,
    pub since: String,
    pub until: String,
}

/// One line of the account's history, already counted: equal lines in a row are one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Unix milliseconds of the newest of the lines.
    pub at: i64,
    pub event: Event,
    /// How many equal events this line stands for, at least 1.
    pub count: u32,
    /// Address prefix: "203.0.113.0/24".
    pub address: String,
    /// "Firefox on Fedora"; empty where unknown.
    pub device: String,
    /// Which app was opened; else empty.
    pub about: String,
}

/// What happened, as far as the account's owner is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    AccountCreated,
    SignedIn,
    /// Signed in from a browser that had not done so before.
    NewDevice,
    /// Signed in from a network that the account had not been used from.
    NewPlace,
    WrongPassword,
    SignedOut,
    /// One session was ended from another.
    DeviceEnded,
    /// A spent refresh token came back: somebody may have copied it. The session was ended.
    TokenReused,
    /// A token of a session came without the key of its browser: somebody may have copied it. It was refused.
    WrongKey,
    /// A session went on to an app.
    AppOpened,
    PasswordChanged,
    /// An administrator made a link that sets a new password.
    ResetMade,
    MadeAdministrator,
    MadeUser,
    /// The account's own key has a new version.
    KeyReplaced,
    KeyRevoked,
    /// An administrator made a new version of the key.
    KeyMade,
    Disabled,
    Enabled,
    /// The account has another name now.
    Renamed,
}

impl Event {
    /// Whether the owner should look twice.
    pub fn is_odd(self) -> bool {
        matches!(
            self,
            Self::NewDevice
                | Self::NewPlace
                | Self::WrongPassword
                | Self::TokenReused
                | Self::WrongKey
                | Self::ResetMade
        )
    }
}
