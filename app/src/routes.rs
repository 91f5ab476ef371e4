//! The paths of the pages. The server decides what a path shows, and passes it as a `View`.

#![expect(unreachable_pub, reason = "leptos makes the function of a component public")]

use crate::dashboard_pages;
use crate::pages::Page;
use leptos::prelude::*;
use leptos_router::SsrMode;
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::path;

macro_rules! app {
    ($($page:ident $path:tt $title:tt, $place:expr, $viewers:ident, $file:ident;)+) => {
        /// Returns every page's path for the server's router. Pages are sent as a whole and not streamed, because they
        /// wait for nothing.
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
                        <Route path=path!("/dashboard/second-factor") view=Page ssr=SsrMode::Async />
                        $(<Route path=path!($path) view=Page ssr=SsrMode::Async />)+
                        <Route path=path!("/dashboard/help/*page") view=Page ssr=SsrMode::Async />
                    </FlatRoutes>
                </Router>
            }
        }
    };
}

dashboard_pages!(app);
