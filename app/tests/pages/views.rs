//! The data of a page of each kind.

use app::View;
use app::view::{
    Activity, ActivityEvent, ActivityView, Assets, AuditFilter, AuditView, Backup, BansView, Bundle, DevicesView,
    EnterView, HelpEntry, HelpPart, HelpView, LoginView, OverviewView, ResumeView, SignInReason, SignupView, Site,
    SiteFinding, SiteState, TollView, Viewer,
};
use std::sync::Arc;
use wire::oauth::AppTile;
use wire::refusals::{ByTrigger, RefusalCounts};
use wire::session::Device;
use wire::toll::Piconero;
use wire::toll_admin::{PaymentState, RoutePrice, TokenState, TollDay, TollPayment, TollRoute, TollToken};

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

pub(crate) fn devices() -> Vec<Device> {
    let device = |id: &str, current| Device {
        id: id.to_owned(),
        name: "Firefox on Fedora".to_owned(),
        address: "203.0.113.0/24".to_owned(),
        created_at: NOW - 86_400_000,
        used_at: NOW - 300_000,
        current,
        bound: current,
        auth_time: NOW / 1000 - 86_400,
        amr: vec!["pwd".to_owned()],
        acr: "urn:postern:acr:1".to_owned(),
    };
    vec![device("a", true), device("b", false)]
}

pub(crate) fn activity() -> Vec<Activity> {
    let (address, device) = ("203.0.113.0/24".to_owned(), "Firefox on Fedora".to_owned());
    vec![Activity { at: NOW, event: ActivityEvent::WrongPassword, count: 3, address, device, about: String::new() }]
}

pub(crate) fn bans() -> BansView {
    let ban = wire::bans::Ban {
        id: "1".to_owned(),
        incident: "7F3K-2Q".to_owned(),
        address: "203.0.113.7".to_owned(),
        scope: "everything".to_owned(),
        trigger: "manual".to_owned(),
        reason: "<i>scans".to_owned(),
        evidence: String::new(),
        since: NOW - 60_000,
        until: NOW + 720_000,
        in_force: true,
        made_by: "<i>root".to_owned(),
        lifted_at: None,
        lifted_by: None,
        lift_reason: None,
    };
    BansView {
        viewer: viewer(),
        word: "\"><i>".to_owned(),
        trigger: String::new(),
        state: "active".to_owned(),
        bans: wire::bans::Bans { bans: vec![ban], next: Some("1".to_owned()) },
        asked: "\"><i>".to_owned(),
        explanation: Some(Err("'<i>' is no address.".to_owned())),
        allowed: Vec::new(),
        more_allowed: None,
        allowlist_open: false,
        triggers: vec!["manual"],
        done: None,
    }
}

pub(crate) fn toll() -> TollView {
    let piconero = Piconero(2_000_000_000);
    let token = |id: &str, state| TollToken {
        id: id.to_owned(),
        route: "<i>price".to_owned(),
        bound: true,
        quota: 100,
        left: 99,
        state,
        provisional: false,
        minted_at: NOW,
        expires_at: NOW + 60_000,
    };
    TollView {
        viewer: viewer(),
        gates: Vec::new(),
        routes: vec![TollRoute {
            name: "<i>price".to_owned(),
            hosts: vec!["api.example".to_owned()],
            methods: vec!["GET".to_owned()],
            path: "/price".to_owned(),
            prices: vec![RoutePrice { piconero, quota: 100, ttl_ms: 3_600_000 }],
            upstream: "http://127.0.0.1:1".to_owned(),
            up: false,
        }],
        days: vec![TollDay { at: NOW, route: "<i>price".to_owned(), challenges: 3, payments: 1, piconero }],
        payments: vec![TollPayment {
            txid: "ab".repeat(32),
            account: 0,
            subaddress: 7,
            route: "<i>price".to_owned(),
            piconero,
            state: PaymentState::Pool,
            block: None,
            seen_at: NOW,
            token: "one".to_owned(),
        }],
        tokens: vec![
            token("one", TokenState::Open),
            token("two", TokenState::Suspended),
            token("three", TokenState::Spent),
        ],
    }
}

pub(crate) fn audit() -> AuditView {
    let hours =
        |trigger: &str, count| ByTrigger { trigger: trigger.to_owned(), hours: vec![count; 24], total: count * 24 };
    AuditView {
        viewer: viewer(),
        filter: AuditFilter { user: "\"><i>".to_owned(), ..AuditFilter::default() },
        wrong: Some("'<i>' is no time.".to_owned()),
        audit: wire::audit::AuditPage { entries: Vec::new(), next: None },
        hours: RefusalCounts { since: NOW, triggers: vec![hours("flood", 2), hours("spray", 0)] },
        events: vec!["login"],
    }
}

pub(crate) fn site_state() -> SiteState {
    let finding = |urgent, says: &str| SiteFinding {
        urgent,
        says: says.to_owned(),
        advice: "<i>do".to_owned(),
        link: "/dashboard/toll".to_owned(),
    };
    let mut sign_ins = vec![0; 24];
    sign_ins[21] = 7;
    SiteState {
        sign_ins,
        refusals: vec![0; 24],
        bans: 3,
        accounts: 12,
        backup: Backup::At(NOW - 7_200_000),
        signing_key: Some(NOW - 86_400_000),
        envelope_key: None,
        mac_key: Some(NOW - 3_600_000),
        id_token_key: Some(NOW - 7_200_000),
        version: "1.2.3",
        findings: vec![finding(true, "<i>full"), finding(false, "<i>beside")],
    }
}

pub(crate) fn views() -> Vec<View> {
    let (viewer, devices, activity) = (viewer(), devices(), activity());
    let overview = OverviewView {
        viewer: viewer.clone(),
        notices: activity.clone(),
        devices: devices.clone(),
        activity,
        odd: 3,
        offer_passkey: true,
        upgrade: true,
        passkeys: Some("a stamp".to_owned()),
        apps: vec![AppTile { name: "<i>wiki".to_owned(), url: "https://wiki.example".to_owned() }],
        signed_in_at: NOW,
        site: Some(site_state()),
    };
    vec![
        View::Login(login()),
        View::SignedIn(viewer.clone()),
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
        View::Overview(Box::new(overview)),
        View::Devices(Box::new(DevicesView {
            viewer: viewer.clone(),
            devices,
            others: true,
            next: None,
            remembered: Vec::new(),
        })),
        View::Activity(Box::new(ActivityView { viewer, entries: self::activity() })),
        View::Bans(Box::new(bans())),
        View::Toll(Box::new(toll())),
        View::Audit(Box::new(audit())),
        help(HelpPart::Contents(entries())),
        View::NotFound,
        View::Broken,
    ]
}

pub(crate) fn help(part: HelpPart) -> View {
    View::Help(Box::new(HelpView { viewer: viewer(), word: String::new(), part }))
}

pub(crate) fn entries() -> Vec<HelpEntry> {
    let entry = |path: &str, title: &str, section: &str| HelpEntry {
        path: path.to_owned(),
        title: title.to_owned(),
        section: section.to_owned(),
    };
    vec![entry("start", "Start", "Start"), entry("guides/nginx", "<i>nginx", "Guides")]
}
