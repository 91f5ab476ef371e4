//! The pages as the server sends them.
#![cfg(feature = "ssr")]

use app::view::{
    AccountView, Activity, ActivityEvent, ActivityView, Assets, AuditFilter, AuditView, Backup, BanNotice, BansView,
    Bundle, DevicesView, EnterView, HelpEntry, HelpPart, HelpView, LoginView, OverviewView, ResumeView, SignInReason,
    SignupView, Site, SiteFinding, SiteState, TollView, View, Viewer,
};
use leptos::nonce::{provide_nonce, use_nonce};
use leptos::prelude::*;
use std::sync::Arc;
use wire::oauth::AppTile;
use wire::refusals::{ByTrigger, RefusalCounts};
use wire::session::Device;
use wire::toll::Piconero;
use wire::toll_admin::{PaymentState, RoutePrice, TokenState, TollDay, TollPayment, TollRoute, TollToken};

const NOW: i64 = 1_700_049_600_000;

fn site() -> Site {
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

fn login() -> LoginView {
    LoginView {
        next: "/dashboard".to_owned(),
        why: None,
        closed: None,
        first_run: false,
        signup: true,
        forgotten: false,
        remember_days: None,
    }
}

fn viewer() -> Viewer {
    Viewer { username: "<i>ada".to_owned(), administrator: true, bound: true, toll: true }
}

fn devices() -> Vec<Device> {
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

fn activity() -> Vec<Activity> {
    let (address, device) = ("203.0.113.0/24".to_owned(), "Firefox on Fedora".to_owned());
    vec![Activity { at: NOW, event: ActivityEvent::WrongPassword, count: 3, address, device, about: String::new() }]
}

fn bans() -> BansView {
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
        triggers: vec!["manual"],
        done: None,
    }
}

fn toll() -> TollView {
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

fn audit() -> AuditView {
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

fn site_state() -> SiteState {
    let finding = |urgent, says: &str| SiteFinding { urgent, says: says.to_owned(), advice: "<i>do".to_owned() };
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
        version: "1.2.3",
        findings: vec![finding(true, "<i>full"), finding(false, "<i>beside")],
    }
}

fn views() -> Vec<View> {
    let (viewer, devices, activity) = (viewer(), devices(), activity());
    let overview = OverviewView {
        viewer: viewer.clone(),
        notices: activity.clone(),
        devices: devices.clone(),
        activity,
        odd: 3,
        offer_passkey: true,
        upgrade: true,
        apps: vec![AppTile { name: "<i>wiki".to_owned(), url: "https://wiki.example".to_owned() }],
        signed_in_at: NOW,
        site: Some(site_state()),
    };
    vec![
        View::Login(login()),
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
        View::Devices(DevicesView {
            viewer: viewer.clone(),
            devices,
            others: true,
            next: None,
            remembered: Vec::new(),
        }),
        View::Activity(ActivityView { viewer, entries: self::activity() }),
        View::Bans(Box::new(bans())),
        View::Toll(Box::new(toll())),
        View::Audit(Box::new(audit())),
        help(HelpPart::Contents(entries())),
        View::NotFound,
        View::Broken,
    ]
}

/// Returns the document and its nonce.
fn render(view: View) -> (String, String) {
    Owner::new().with(|| {
        provide_nonce();
        provide_context(site());
        provide_context(view);
        (app::document().to_html(), use_nonce().map(|nonce| nonce.to_string()).unwrap_or_default())
    })
}

/// Returns the text of the first tag that contains `mark`.
fn tag<'a>(html: &'a str, mark: &str) -> &'a str {
    let (before, after) = html.split_once(mark).unwrap_or_else(|| panic!("no {mark} in {html}"));
    let start = before.rfind('<').unwrap_or(0);
    let end = html.len() - after.len() + after.find('>').unwrap_or(0);
    &html[start..=end]
}

#[test]
fn nothing_can_send_a_password_before_the_form_is_alive() {
    for view in [
        View::Login(login()),
        View::Signup(SignupView {
            next: "/dashboard".to_owned(),
            first_run: false,
            shut: false,
            invited: false,
            password_min: 15,
        }),
    ] {
        let (html, _) = render(view);
        let password = tag(&html, r#"id="password""#);
        assert!(!password.contains(" name="), "{password}");
        let form = tag(&html, r#"method="post""#);
        assert!(!form.contains("action"), "{form}");
        assert!(tag(&html, r#"type="submit""#).contains(" disabled"));
        assert!(html.contains("<noscript>"));
    }
}

#[test]
fn the_content_security_policy_is_kept() {
    for view in views() {
        let (html, nonce) = render(view);
        assert!(!html.contains(" style="), "{html}");
        assert!(!html.contains("<style"), "{html}");
        let scripts = html.matches("<script").count();
        assert_eq!(scripts, html.matches(&format!(r#" nonce="{nonce}""#)).count(), "{html}");
        for handler in [" onclick", " onload", " onerror", "javascript:"] {
            assert!(!html.contains(handler), "{html}");
        }
    }
}

#[test]
fn names_are_text() {
    for view in views() {
        let (html, _) = render(view);
        assert!(!html.contains("<b>Co"), "{html}");
        assert!(!html.contains("<i>ada"), "{html}");
    }
}

#[test]
fn each_page_loads_its_own_bundle_or_none() {
    let loads = |view| {
        let (html, _) = render(view);
        ["login.js", "dashboard.js", "private.js", "dashboard.css"].map(|file| html.contains(&format!("/pkg/{file}")))
    };
    assert_eq!(loads(View::Login(login())), [true, false, false, false]);
    assert_eq!(loads(View::Resume(ResumeView { next: "/dashboard".to_owned() })), [true, false, false, false]);
    assert_eq!(
        loads(View::Devices(DevicesView {
            viewer: viewer(),
            devices: devices(),
            others: true,
            next: None,
            remembered: Vec::new()
        })),
        [false, true, false, true]
    );
    let factors = wire::second_factor::SecondFactors::default();
    let passkeys = wire::passkeys::Passkeys::default();
    let account =
        AccountView { viewer: viewer(), profile: None, password_min: 15, passkeys, factors, consents: Vec::new() };
    assert_eq!(loads(View::Account(Box::new(account))), [false, false, true, true]);
    assert_eq!(loads(View::NotFound), [false; 4]);
    assert_eq!(loads(View::Login(LoginView { first_run: true, ..login() })), [false; 4]);
}

#[test]
fn a_closed_address_reads_why_before_any_code_runs() {
    let closed = Some(BanNotice { until: NOW + 720_000, incident: "7F3K-2Q".to_owned() });
    let (html, _) = render(View::Login(LoginView { closed, ..login() }));
    assert!(html.contains("Incident 7F3K-2Q."), "{html}");
    assert!(html.contains("You can try again in 12 minutes."), "{html}");
    assert!(tag(&html, "data-closed-ms").contains(r#"data-closed-ms="720000""#), "{html}");
}

#[test]
fn only_other_devices_can_be_ended() {
    let (html, _) = render(View::Devices(DevicesView {
        viewer: viewer(),
        devices: devices(),
        others: true,
        next: None,
        remembered: Vec::new(),
    }));
    assert_eq!(html.matches(r#"aria-label="End this session: "#).count(), 1, "{html}");
    assert!(html.contains("End all other sessions"), "{html}");
    let alone = vec![devices().swap_remove(0)];
    let (html, _) = render(View::Devices(DevicesView {
        viewer: viewer(),
        devices: alone,
        others: false,
        next: None,
        remembered: Vec::new(),
    }));
    assert!(!html.contains("End "), "{html}");
}

#[test]
fn an_administrator_reads_whether_the_site_is_well() {
    let overview = |site| {
        let (viewer, devices, activity) = (viewer(), devices(), activity());
        render(View::Overview(Box::new(OverviewView {
            viewer,
            notices: Vec::new(),
            devices,
            activity,
            odd: 0,
            offer_passkey: false,
            upgrade: false,
            apps: Vec::new(),
            signed_in_at: NOW,
            site,
        })))
        .0
    };
    let html = overview(Some(site_state()));
    for part in ["1 problem needs", "1 recommendation", "7 2 hours ago", "3 in force", "2 hours ago", "1.2.3"] {
        assert!(html.contains(part), "{part} in {html}");
    }
    for path in ["/dashboard/bans", "/dashboard/audit?event=backup_made", "/dashboard/server-keys", "/dashboard/users"]
    {
        assert!(html.contains(&format!(r#"href="{path}""#)), "{path}");
    }
    let well = overview(Some(SiteState { findings: Vec::new(), ..site_state() }));
    assert!(well.contains("The self-check found no problem."), "{well}");
    assert!(!overview(None).contains("This site"));
}

fn help(part: HelpPart) -> View {
    View::Help(HelpView { viewer: viewer(), word: String::new(), part })
}

fn entries() -> Vec<HelpEntry> {
    let entry = |path: &str, title: &str, section: &str| HelpEntry {
        path: path.to_owned(),
        title: title.to_owned(),
        section: section.to_owned(),
    };
    vec![entry("start", "Start", "Start"), entry("guides/nginx", "<i>nginx", "Guides")]
}

#[test]
fn the_manual_lists_its_pages_and_shows_one_as_it_was_built() {
    let (contents, _) = render(help(HelpPart::Contents(entries())));
    assert!(
        contents.contains(r#"href="/dashboard/help/guides/nginx""#) && contents.contains("&lt;i&gt;nginx"),
        "{contents}"
    );
    let page = HelpPart::Page { title: "nginx".to_owned(), html: "<h2 id=\"a\">A</h2>".to_owned() };
    let (page, _) = render(help(page));
    assert!(page.contains(r#"<h2 id="a">A</h2>"#) && page.contains("<title>nginx"), "{page}");
    let (missing, _) = render(help(HelpPart::Missing));
    assert!(missing.contains("contains no manual"), "{missing}");
    let searched = |entries| {
        let part = HelpPart::Contents(entries);
        render(View::Help(HelpView { viewer: viewer(), word: "<u>".to_owned(), part })).0
    };
    assert!(searched(entries()).contains("&lt;u&gt;"), "the search text stays text");
    assert!(searched(Vec::new()).contains("No page of the manual"));
}

#[test]
fn history_speaks_in_sentences() {
    let (html, _) = render(View::Activity(ActivityView { viewer: viewer(), entries: activity() }));
    assert!(html.contains("3 wrong passwords from 203.0.113.0/24"), "{html}");
    assert!(html.contains("Today"), "{html}");
}

#[test]
fn the_page_of_the_gate_offers_what_can_be_done_to_a_token() {
    let (html, _) = render(View::Toll(Box::new(toll())));
    for part in ["0.002 XMR for 100 requests", "does not answer", "Suspend the token one", "Resume the token two"] {
        assert!(html.contains(part), "{part}");
    }
    assert!(html.contains("Revoke the token two") && !html.contains("Revoke the token three"));
}
