//! The pages as the server sends them.
#![cfg(feature = "ssr")]

mod views;

use crate::views::{NOW, activity, devices, entries, help, login, site, site_state, toll, viewer, views};
use app::View;
use app::view::{
    AccountView, ActivityEvent, ActivityView, BanNotice, DevicesView, HelpPart, HelpView, LoginView, OverviewView,
    ResumeView, SignupView, SiteState, Viewer,
};
use leptos::nonce::{provide_nonce, use_nonce};
use leptos::prelude::*;

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
        loads(View::Devices(Box::new(DevicesView {
            viewer: viewer(),
            devices: devices(),
            others: true,
            next: None,
            remembered: Vec::new()
        }))),
        [false, true, false, true]
    );
    assert_eq!(loads(View::Account(Box::new(account()))), [false, false, true, true]);
    assert_eq!(loads(View::NotFound), [false; 4]);
    assert_eq!(loads(View::Login(LoginView { first_run: true, ..login() })), [false; 4]);
}

#[test]
fn the_name_that_an_app_proposes_is_in_its_field() {
    let (html, _) = render(View::Login(LoginView { name: "ada\"><b>".to_owned(), ..login() }));
    let field = tag(&html, "id=\"username\"");
    assert!(field.contains(r#"value="ada&quot;"#) && !html.contains("\"><b>"), "{field}");
    let (html, _) = render(View::Login(login()));
    assert!(!tag(&html, "id=\"username\"").contains("value"), "{html}");
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
    let (html, _) = render(View::Devices(Box::new(DevicesView {
        viewer: viewer(),
        devices: devices(),
        others: true,
        next: None,
        remembered: Vec::new(),
    })));
    assert_eq!(html.matches(r#"aria-label="End this session: "#).count(), 1, "{html}");
    assert!(html.contains("End all other sessions"), "{html}");
    let alone = vec![devices().swap_remove(0)];
    let (html, _) = render(View::Devices(Box::new(DevicesView {
        viewer: viewer(),
        devices: alone,
        others: false,
        next: None,
        remembered: Vec::new(),
    })));
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
            passkeys: None,
            apps: Vec::new(),
            signed_in_at: NOW,
            site,
        })))
        .0
    };
    let html = overview(Some(site_state()));
    for part in
        ["1 problem needs", "1 recommendation", "7 2 hours ago", "3 in force", "2 hours ago", "1.2.3", "ID token key"]
    {
        assert!(html.contains(part), "{part} in {html}");
    }
    for path in [
        "/dashboard/bans",
        "/dashboard/audit?event=backup_made",
        "/dashboard/server-keys",
        "/dashboard/users",
        // A finding, the version, and both plots.
        "/dashboard/toll",
        "/dashboard/help/upgrading",
        "/dashboard/audit?event=login",
        "/dashboard/audit",
    ] {
        assert!(html.contains(&format!(r#"href="{path}""#)), "{path}");
    }
    assert_eq!(html.matches("<rect").count(), 24, "a row without events has no bars");
    let well = overview(Some(SiteState { findings: Vec::new(), ..site_state() }));
    assert!(well.contains("The self-check found no problem."), "{well}");
    assert!(!overview(None).contains("This site"));
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
        render(View::Help(Box::new(HelpView { viewer: viewer(), word: "<u>".to_owned(), part }))).0
    };
    assert!(searched(entries()).contains("&lt;u&gt;"), "the search text stays text");
    assert!(searched(Vec::new()).contains("No page of the manual"));
}

fn account() -> AccountView {
    AccountView {
        viewer: viewer(),
        profile: None,
        password_min: 15,
        passkeys: wire::passkeys::Passkeys::default(),
        factors: wire::second_factor::SecondFactors::default(),
        consents: Vec::new(),
    }
}

#[test]
fn the_consent_for_a_client_that_is_an_address_can_be_withdrawn() {
    let consent = wire::oauth::Consent {
        client: "https://agent.example/a?b".to_owned(),
        name: "Agent".to_owned(),
        scope: "openid".to_owned(),
        allows: vec!["know your name".to_owned()],
        agreed: true,
        given_at: NOW,
    };
    let (html, _) = render(View::Account(Box::new(AccountView { consents: vec![consent], ..account() })));
    assert!(html.contains("/api/consents/https%3A%2F%2Fagent.example%2Fa%3Fb"), "{html}");
}

#[test]
fn history_speaks_in_sentences() {
    let (html, _) = render(View::Activity(Box::new(ActivityView { viewer: viewer(), entries: activity() })));
    assert!(html.contains("3 wrong passwords from 203.0.113.0/24"), "{html}");
    assert!(html.contains("Today"), "{html}");
}

#[test]
fn a_right_to_left_name_does_not_reorder_its_neighbours() {
    let name = "\u{5e9}\u{5dc}\u{5d5}\u{5dd}";
    let viewer = Viewer { username: name.to_owned(), ..viewer() };
    let mut entries = activity();
    for entry in &mut entries {
        entry.event = ActivityEvent::AppOpened;
        name.clone_into(&mut entry.about);
    }
    let (html, _) = render(View::Activity(Box::new(ActivityView { viewer, entries })));
    assert!(html.contains(&format!("Opened \u{2068}{name}\u{2069} 3 times")), "{html}");
    assert!(html.contains(&format!("<bdi>{name}</bdi>")), "{html}");
}

#[test]
fn each_page_has_one_line_for_messages() {
    for view in views().into_iter().chain([View::Account(Box::new(account()))]) {
        let (html, _) = render(view);
        let lines = html.matches(r#"id="said""#).count();
        assert!(lines <= 1, "{lines} in {html}");
        if html.contains("Sign out") && html.contains("leptos-island") && html.contains("id=\"content\"") {
            assert!(html.contains(r#"id="other-account""#) && html.contains(r#"data-account="01ADA""#), "{html}");
        }
    }
}

#[test]
fn the_page_of_the_gate_offers_what_can_be_done_to_a_token() {
    let (html, _) = render(View::Toll(Box::new(toll())));
    for part in ["0.002 XMR for 100 requests", "does not answer", "Suspend the token one", "Resume the token two"] {
        assert!(html.contains(part), "{part}");
    }
    assert!(html.contains("Revoke the token two") && !html.contains("Revoke the token three"));
}
