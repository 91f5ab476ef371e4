//! The data of a page of each kind.

use app::dashboard::DashboardPage;
use app::view::{Assets, Bundle, EnterView, LoginView, ResumeView, SignInReason, SignupView, Site, Viewer};
use app::{Content, DashboardView, View};
use std::sync::Arc;

pub(crate) const NOW: i64 = 1_700_049_600_000;

pub(crate) fn site() -> Site {
    let bundle = |name: &str| Bundle { js: format!("/pkg/{name}.js"), wasm: format!("/pkg/{name}.wasm") };
    let assets = Assets {
        css: "/pkg/base.css".to_owned(),
        dashboard_css: Some("/pkg/dashboard.css".to_owned()),
        login: bundle("login"),
        dashboard: bundle("dashboard"),
        private: bundle("private"),
    };
    Site { name: "Ada & <b>Co</b>".to_owned(), insecure: false, assets: Arc::new(assets), now: NOW }
}

pub(crate) fn login() -> LoginView {
    LoginView {
        next: "/dashboard".to_owned(),
        name: String::new(),
        why: None,
        closed: None,
        first_run: false,
        signup: true,
        forgotten: false,
        remember_days: None,
    }
}

pub(crate) fn viewer() -> Viewer {
    Viewer { account: "01ADA".to_owned(), username: "<i>ada".to_owned(), administrator: true, bound: true, toll: true }
}

pub(crate) fn views() -> Vec<View> {
    vec![
        View::Login(login()),
        View::SignedIn(viewer()),
        View::Login(LoginView { why: Some(SignInReason::KeyGone), first_run: true, ..login() }),
        View::Signup(SignupView {
            next: "/dashboard".to_owned(),
            first_run: true,
            shut: false,
            invited: false,
            password_min: 15,
        }),
        View::Signup(SignupView {
            next: "/dashboard".to_owned(),
            first_run: false,
            shut: true,
            invited: false,
            password_min: 15,
        }),
        View::Resume(ResumeView { next: "/dashboard".to_owned() }),
        View::Enter(EnterView {
            app: "wiki".to_owned(),
            body: "{}".to_owned(),
            nonce: "n".to_owned(),
            path: "/api/enter".to_owned(),
        }),
        dashboard(Content::new(|_| ())),
        View::NotFound,
        View::Broken,
    ]
}

/// Returns a page of the dashboard with other content.
pub(crate) fn dashboard(content: Content) -> View {
    View::Dashboard(Box::new(DashboardView { page: DashboardPage::Devices, viewer: viewer(), content }))
}
