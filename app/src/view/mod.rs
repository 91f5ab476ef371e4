//! The data of the pages, loaded before rendering.
//!
//! A page is a pure function of its data; it uses no database and no clock.

mod activity;
mod apps;
mod sign_in;
mod site_state;
mod viewer;

use std::sync::Arc;

pub use activity::{Activity, ActivityEvent};
pub use apps::{AskList, AskView, DeviceCodeView, EnterView, LeaveLink, RefusedView};
pub use sign_in::{BanNotice, EnrolView, ForgottenView, LoginView, ResetView, ResumeView, SignInReason, SignupView};
pub use site_state::{Backup, SiteFinding, SiteState};
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

/// The data of a page for its forms, which its islands read while the server renders them.
#[derive(Debug, Clone, Default)]
pub struct FormFacts {
    /// The milliseconds until the end of this address's ban, and the ban's incident.
    pub closed: Option<(i64, String)>,
    /// The minimum number of characters in a password.
    pub password_min: u32,
    /// Whether the second factor is asked for even in a remembered browser.
    pub factor: bool,
    /// The name of the account that the page was rendered for.
    pub username: String,
}
