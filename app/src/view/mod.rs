//! The data of the pages, loaded before rendering.
//!
//! A page is a pure function of its view; it uses no database and no clock.

mod account;
mod activity;
mod administration;
mod apps;
mod overview;
mod sign_in;
mod viewer;

use std::sync::Arc;

pub use account::{AccountView, DevicesView, KeysView, ProfileDone, ProfileView, TimeView};
pub use activity::{Activity, ActivityEvent, ActivityView};
pub use administration::{
    AuditFilter, AuditView, BansOutcome, BansView, ClientView, ClientsView, GroupsView, HeldFactors, HelpEntry,
    HelpPart, HelpView, InvitationsView, PersonView, ServerKeysView, TollView, UsersView,
};
pub use apps::{AskView, DeviceCodeView, EnterView, LeaveLink, RefusedView};
pub use overview::{Backup, OverviewView, SiteFinding, SiteState};
pub use sign_in::{BanNotice, EnrolView, ForgottenView, LoginView, ResetView, ResumeView, SignInReason, SignupView};
pub use viewer::Viewer;

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
    /// The page for signing up, opened by a person who is signed in.
    SignedIn(Viewer),
    Resume(ResumeView),
    Enter(EnterView),
    /// A question of an app.
    Ask(Box<AskView>),
    /// A refused request of an app.
    Refused(RefusedView),
    /// The person is signed out, and may go back to an app that nobody at this site has checked.
    SignedOut(LeaveLink),
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
