//! The paths of the pages. What a path shows is the server's decision, and arrives as a `View`.

use crate::pages::Page;
use leptos::prelude::*;
use leptos_router::SsrMode;
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::path;

/// Every page's path, for the server to mount. Whole pages are sent, never streams: a page has
/// nothing to wait for.
#[component]
pub fn App() -> impl IntoView {
    view! {
        <Router>
            <FlatRoutes fallback=Page>
                <Route path=path!("/login") view=Page ssr=SsrMode::Async />
                <Route path=path!("/signup") view=Page ssr=SsrMode::Async />
                <Route path=path!("/resume") view=Page ssr=SsrMode::Async />
                <Route path=path!("/reset") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/devices") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/keys") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/time") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/activity") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/account") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/account/delete") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/users") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/invitations") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/bans") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/toll") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/server-keys") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/audit") view=Page ssr=SsrMode::Async />
            </FlatRoutes>
        </Router>
    }
}
