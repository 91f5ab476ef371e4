//! Rendering of a page of the dashboard in unit tests, with the checks that hold for all of them.

use app::dashboard::DashboardPage;
use app::view::{Assets, Bundle, Site, Viewer};
use app::{Content, DashboardView, View};
use leptos::nonce::{provide_nonce, use_nonce};
use leptos::prelude::*;
use std::sync::Arc;

pub(crate) const NOW: i64 = 1_700_049_600_000;

pub(crate) fn viewer() -> Viewer {
    Viewer { account: "01ADA".to_owned(), username: "<i>ada".to_owned(), administrator: true, bound: true, toll: true }
}

/// Renders the document of a page. Texts of its data that people write contain `<i>`.
pub(crate) fn rendered(page: DashboardPage, content: Content) -> String {
    rendered_for(viewer(), page, content)
}

pub(crate) fn rendered_for(viewer: Viewer, page: DashboardPage, content: Content) -> String {
    let bundle = |name: &str| Bundle { js: format!("/pkg/{name}.js"), wasm: format!("/pkg/{name}.wasm") };
    let assets = Assets {
        css: "/pkg/base.css".to_owned(),
        dashboard_css: Some("/pkg/dashboard.css".to_owned()),
        login: bundle("login"),
        dashboard: bundle("dashboard"),
        private: bundle("private"),
    };
    let site = Site { name: "Ada & <b>Co</b>".to_owned(), insecure: false, assets: Arc::new(assets), now: NOW };
    let (html, nonce) = Owner::new().with(|| {
        provide_nonce();
        provide_context(site);
        provide_context(View::Dashboard(Box::new(DashboardView { page, viewer, content })));
        (app::document().to_html(), use_nonce().map(|nonce| nonce.to_string()).unwrap_or_default())
    });
    keeps_the_policy(&html, &nonce);
    // The bars of a password's strength are empty elements of that name.
    let is_markup = html.contains("<b>Co") || html.replace("<i></i>", "").contains("<i>");
    assert!(!is_markup, "names are text: {html}");
    assert!(html.matches(r#"id="said""#).count() <= 1, "a page has one line for messages: {html}");
    assert!(html.contains(r#"id="other-account""#) && html.contains(r#"data-account="01ADA""#), "{html}");
    html
}

fn keeps_the_policy(html: &str, nonce: &str) {
    for mark in [" style=", "<style", " onclick", " onload", " onerror", "javascript:"] {
        assert!(!html.contains(mark), "{mark} in {html}");
    }
    let scripts = html.matches("<script").count();
    assert_eq!(scripts, html.matches(&format!(r#" nonce="{nonce}""#)).count(), "{html}");
}
