//! The pages as the server sends them.
#![cfg(feature = "ssr")]

mod views;

use crate::views::{NOW, dashboard, login, site, views};
use app::view::{BanNotice, LoginView, ResumeView, SignupView};
use app::{Content, View};
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
    let content = Content::new(|_| ());
    assert_eq!(loads(dashboard(content.clone())), [false, true, false, true]);
    assert_eq!(loads(dashboard(content.with_private_bundle())), [false, false, true, true]);
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
fn a_page_of_the_dashboard_has_the_title_of_the_table_unless_it_names_another() {
    let title = |content| {
        let (html, _) = render(dashboard(content));
        html.split("<title>").nth(1).and_then(|rest| rest.split(" \u{b7}").next()).map(str::to_owned)
    };
    let content = Content::new(|_| ());
    assert_eq!(title(content.clone()).as_deref(), Some("Devices"));
    assert_eq!(title(content.with_title(Some("nginx".to_owned()))).as_deref(), Some("nginx"));
}

#[test]
fn each_page_has_one_line_for_messages() {
    for view in views() {
        let (html, _) = render(view);
        let lines = html.matches(r#"id="said""#).count();
        assert!(lines <= 1, "{lines} in {html}");
        if html.contains("Sign out") && html.contains("leptos-island") && html.contains("id=\"content\"") {
            assert!(html.contains(r#"id="other-account""#) && html.contains(r#"data-account="01ADA""#), "{html}");
        }
    }
}
