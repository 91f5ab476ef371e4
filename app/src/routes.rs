//! The paths of the pages. The server decides what a path shows, and passes it as a `View`.

#![expect(unreachable_pub, reason = "leptos makes the function of a component public")]

use crate::pages::Page;
use leptos::prelude::*;
use leptos_router::SsrMode;
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::path;

/// Returns every page's path for the server's router. Pages are sent as a whole and not streamed, because they wait for
/// nothing.
#[component]
pub fn App() -> impl IntoView {
    view! {
        <Router>
            <FlatRoutes fallback=Page>
                <Route path=path!("/login") view=Page ssr=SsrMode::Async />
                <Route path=path!("/signup") view=Page ssr=SsrMode::Async />
                <Route path=path!("/resume") view=Page ssr=SsrMode::Async />
                <Route path=path!("/reset") view=Page ssr=SsrMode::Async />
                <Route path=path!("/forgotten") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/devices") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/keys") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/time") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/activity") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/account") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/second-factor") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/account/delete") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/account/profile") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/users/person") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/groups") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/clients") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/clients/client") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/users") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/invitations") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/bans") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/toll") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/server-keys") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/audit") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/help") view=Page ssr=SsrMode::Async />
                <Route path=path!("/dashboard/help/*page") view=Page ssr=SsrMode::Async />
            </FlatRoutes>
        </Router>
    }
}
