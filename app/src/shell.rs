//! The HTML document around every page.

use crate::components::Hydration;
use crate::pages::{Page, View, title};
use crate::routes::App;
use crate::view::{Assets, Bundle, Site};
use leptos::prelude::*;

/// Renders the document of a routed path.
pub fn shell() -> impl IntoView {
    around(view! { <App /> }.into_any())
}

/// Renders the document without a router, for paths that are not pages.
pub fn document() -> impl IntoView {
    around(view! { <Page /> }.into_any())
}

fn around(body: AnyView) -> impl IntoView {
    let site = use_context::<Site>();
    let view = use_context::<View>().unwrap_or(View::Broken);
    let name = site.as_ref().map_or("Postern", |site| site.name.as_str());
    let title = title(&view, name);
    let css = site.as_ref().map(|site| site.assets.css.clone()).unwrap_or_default();
    let (bundle, dashboard_css) = site.map(|site| needs(&site.assets, &view)).unwrap_or_default();
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <meta name="robots" content="noindex, nofollow" />
                <title>{title}</title>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link rel="stylesheet" href=css />
                {dashboard_css.map(|css| view! { <link rel="stylesheet" href=css /> })}
                {bundle.map(|bundle| view! { <Hydration bundle /> })}
            </head>
            <body>{body}</body>
        </html>
    }
}

/// Returns the bundle for a page's islands, and the additional stylesheet, if any.
fn needs(assets: &Assets, view: &View) -> (Option<Bundle>, Option<String>) {
    match view {
        View::Login(login) if login.first_run => (None, None),
        View::Signup(signup) if signup.shut => (None, None),
        View::Login(_) | View::Signup(_) | View::Resume(_) | View::Enter(_) | View::Reset(_) => {
            (Some(assets.login.clone()), None)
        }
        View::Enrol(_) => (Some(assets.private.clone()), assets.dashboard_css.clone()),
        View::Dashboard(dashboard) if dashboard.content.private => {
            (Some(assets.private.clone()), assets.dashboard_css.clone())
        }
        View::Forgotten(_) => (Some(assets.dashboard.clone()), None),
        View::Refused(_) | View::SignedOut(_) | View::DeviceCode(_) => (None, assets.dashboard_css.clone()),
        View::NotFound | View::Broken => (None, None),
        _ => (Some(assets.dashboard.clone()), assets.dashboard_css.clone()),
    }
}
